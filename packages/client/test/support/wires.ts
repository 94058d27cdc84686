import { type CuttableProxy, proxyTo } from "../../../server/test/support/cuttable-proxy.js";

/** The ways of one client to all its servers, which break together. */
export class Wires {
  private readonly proxies: readonly CuttableProxy[];

  private constructor(proxies: readonly CuttableProxy[]) {
    this.proxies = proxies;
  }

  static async to(servers: readonly { readonly port: number }[]): Promise<Wires> {
    return new Wires(await Promise.all(servers.map((server) => proxyTo(server))));
  }

  get connectString(): string {
    return this.proxies.map(({ port }) => `127.0.0.1:${port}`).join(",");
  }

  cut(): void {
    for (const proxy of this.proxies) proxy.cut();
  }

  mend(): void {
    for (const proxy of this.proxies) proxy.mend();
  }

  clog(): void {
    for (const proxy of this.proxies) proxy.clog();
  }
}
