/** Where the servers keep the ensemble's configuration; no chroot applies to it. */
export const CONFIG_PATH = "/zookeeper/config";

/** The part of the tree an application is confined to: put before its paths, taken off the server's. */
export class Chroot {
  private readonly prefix: string;

  /** @param prefix "" for none, else a valid path without a slash at its end */
  constructor(prefix: string) {
    this.prefix = prefix;
  }

  toServer(path: string): string {
    if (this.prefix === "") return path;
    return path === "/" ? this.prefix : this.prefix + path;
  }

  /** The application's name for a server's path, or undefined where the path lies outside. */
  toApplication(path: string): string | undefined {
    if (this.prefix === "") return path;
    if (path === this.prefix) return "/";
    if (path.startsWith(`${this.prefix}/`)) return path.slice(this.prefix.length);
    return path === CONFIG_PATH ? path : undefined;
  }
}
