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
    return path.startsWith(`${this.prefix}/`) ? path.slice(this.prefix.length) : undefined;
  }
}
