const HOST = /^(?:\[[0-9a-fA-F:.]+(?:%\w+)?\]|[0-9a-fA-F]*:[0-9a-fA-F:.]+(?:%\w+)?|[^\s:;|/[\]]+)$/;

/** A host name or an IP address; an IPv6 address may stand in brackets, which are taken off. */
export function readHost(text: string): string | undefined {
  return HOST.test(text) ? text.replace(/^\[|\]$/g, "") : undefined;
}

/** `host:port`, an IPv6 address in brackets. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
