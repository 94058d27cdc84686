/**
 * The server as a process or as a part of one: `createServer` to embed it, and what the command line
 * starts. Here the pure replica meets sockets, files, timers and configuration.
 */
export { type CreateServerOptions, createServer } from "./create-server.js";
export type { Server } from "./server.js";
