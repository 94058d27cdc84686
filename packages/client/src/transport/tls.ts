import { isIP } from "node:net";
import { type ConnectionOptions, connect, createSecureContext, type SecureContext } from "node:tls";
import { badArguments } from "../errors.js";
import type { ServerAddress } from "../session/index.js";
import { lookupShuffled } from "./lookup.js";
import { SocketLink } from "./tcp.js";
import type { Dial } from "./transport.js";

/**
 * How to speak TLS, as `node:tls` has it: `ca`, `cert` and `key` for mutual authentication, `servername`
 * where the certificate names another host, `checkServerIdentity`, `minVersion` and so on.
 */
export type TlsOptions = Omit<ConnectionOptions, "host" | "port" | "path" | "socket" | "lookup" | "timeout">;

/**
 * TLS from the first byte, as a server's `secureClientPort` expects it. The certificate must be trusted
 * and name the host of the connect string, unless the options say otherwise. The handshake counts into
 * the time an attempt may take.
 *
 * @throws BAD_ARGUMENTS keys, certificates or protocols that are none
 */
export function dialTls(options: TlsOptions): Dial {
  const secureContext = options.secureContext ?? secureContextOf(options);
  return (server, events) => {
    const link = new SocketLink(events);
    const socket = connect({
      ...serverNameOf(server),
      ...options,
      secureContext,
      host: server.host,
      port: server.port,
      lookup: lookupShuffled,
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    socket.on("secureConnect", () => link.opened());
    socket.on("data", (bytes) => link.chunk(bytes));
    return link.follow(socket);
  };
}

function secureContextOf(options: TlsOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    throw badArguments("connect", undefined, `tls options: ${(error as Error).message}`);
  }
}

/** SNI knows names only. */
function serverNameOf(server: ServerAddress): { servername?: string } {
  return isIP(server.host) === 0 ? { servername: server.host } : {};
}
