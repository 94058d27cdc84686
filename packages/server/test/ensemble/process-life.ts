import type {
  Disk,
  DiskFile,
  OpenOptions,
  PeerEndpoint,
  PeerListener,
  PeerNetwork,
  PeerSocket,
  PeerSocketHandler,
  Scheduler,
  Timer,
} from "../../src/ports/index.js";

/**
 * One life of a server's process: everything it is told, by timers, network and disk, comes through here.
 * When the life is over nothing of it happens any more, whatever promises still stand; while it is paused,
 * everything waits and comes afterwards in the order in which it would have come.
 */
export interface LifePorts {
  readonly scheduler: Scheduler;
  readonly network: PeerNetwork;
  readonly disk: Disk;
  /** Sees what is sent on a connection to or from this port, in the order of sending. */
  readonly tap: { readonly port: number; begin(): (bytes: Uint8Array) => void };
}

export class ProcessLife {
  isOver = false;
  readonly scheduler: Scheduler;
  readonly network: PeerNetwork;
  readonly disk: Disk;
  private readonly ports: LifePorts;
  private readonly sockets = new Set<LivingSocket>();
  private readonly endings: (() => void)[] = [];
  private held: (() => void)[] | undefined;

  constructor(ports: LifePorts) {
    this.ports = ports;
    this.scheduler = {
      soon: (task) => ports.scheduler.soon(() => this.run(task)),
      after: (delayMs, task) => this.after(delayMs, task),
    };
    this.network = {
      dial: (endpoint, timeoutMs) => this.dial(endpoint, timeoutMs),
      listen: (endpoint, onSocket) => this.listen(endpoint, onSocket),
    };
    this.disk = new LivingDisk(ports.disk, this);
  }

  get isPaused(): boolean {
    return this.held !== undefined;
  }

  /** The process does this, if it is there, and when it goes on. */
  run(task: () => void): void {
    if (this.isOver) return;
    if (this.held === undefined) task();
    else this.held.push(task);
  }

  /** What comes of it, for a process that is still there. */
  async outcome<T>(begin: () => Promise<T>): Promise<T> {
    if (this.isOver) return await NEVER;
    return await new Promise<T>((resolve, reject) => {
      begin().then(
        (value) => this.run(() => resolve(value)),
        (error: unknown) => this.run(() => reject(error)),
      );
    });
  }

  pause(): void {
    this.held ??= [];
    for (const socket of this.sockets) socket.stopReading();
  }

  resume(): void {
    const { held = [] } = this;
    this.held = undefined;
    for (const task of held) this.run(task);
    for (const socket of this.sockets) socket.readAgain();
  }

  end(): void {
    this.isOver = true;
    this.held = undefined;
    for (const ending of this.endings.splice(0)) ending();
  }

  onEnd(ending: () => void): void {
    this.endings.push(ending);
  }

  private after(delayMs: number, task: () => void): Timer {
    let isCancelled = false;
    const timer = this.ports.scheduler.after(delayMs, () => this.run(() => !isCancelled && task()));
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  private async dial(endpoint: PeerEndpoint, timeoutMs: number): Promise<PeerSocket> {
    const socket = this.living(await this.outcome(() => this.ports.network.dial(endpoint, timeoutMs)), endpoint.port);
    return socket;
  }

  private async listen(endpoint: PeerEndpoint, onSocket: (socket: PeerSocket) => void): Promise<PeerListener> {
    return await this.outcome(() =>
      this.ports.network.listen(endpoint, (socket) => this.run(() => onSocket(this.living(socket, endpoint.port)))),
    );
  }

  private living(socket: PeerSocket, port: number): PeerSocket {
    const { tap } = this.ports;
    const living = new LivingSocket(socket, this, port === tap.port ? tap.begin() : undefined);
    this.sockets.add(living);
    return living;
  }

  forget(socket: LivingSocket): void {
    this.sockets.delete(socket);
  }
}

const NEVER = new Promise<never>(() => {});

class LivingSocket implements PeerSocket {
  readonly remote: string;
  private readonly socket: PeerSocket;
  private readonly life: ProcessLife;
  private readonly tap: ((bytes: Uint8Array) => void) | undefined;
  private isPaused = false;

  constructor(socket: PeerSocket, life: ProcessLife, tap: ((bytes: Uint8Array) => void) | undefined) {
    this.socket = socket;
    this.remote = socket.remote;
    this.life = life;
    this.tap = tap;
  }

  get unsentBytes(): number {
    return this.socket.unsentBytes;
  }

  start(handler: PeerSocketHandler): void {
    const { life } = this;
    this.socket.start({
      onBytes: (bytes) => {
        if (life.isPaused) bytes = bytes.slice();
        life.run(() => handler.onBytes(bytes));
      },
      onDrained: () => life.run(() => handler.onDrained()),
      onClosed: (reason) => {
        life.forget(this);
        life.run(() => handler.onClosed(reason));
      },
    });
    if (life.isPaused) this.socket.pause();
  }

  send(bytes: Uint8Array): void {
    if (this.life.isOver) return;
    this.tap?.(bytes);
    this.socket.send(bytes);
  }

  pause(): void {
    this.isPaused = true;
    this.socket.pause();
  }

  resume(): void {
    this.isPaused = false;
    if (!this.life.isPaused) this.socket.resume();
  }

  close(): void {
    this.socket.close();
  }

  stopReading(): void {
    this.socket.pause();
  }

  readAgain(): void {
    if (!this.isPaused) this.socket.resume();
  }
}

class LivingDisk implements Disk {
  private readonly disk: Disk;
  private readonly life: ProcessLife;

  constructor(disk: Disk, life: ProcessLife) {
    this.disk = disk;
    this.life = life;
  }

  list(directory: string): Promise<string[]> {
    return this.life.outcome(() => this.disk.list(directory));
  }

  makeDirectory(directory: string): Promise<void> {
    return this.life.outcome(() => this.disk.makeDirectory(directory));
  }

  async open(path: string, options: OpenOptions): Promise<DiskFile> {
    const file = await this.life.outcome(() => this.disk.open(path, options));
    const { life } = this;
    return {
      path,
      size: () => life.outcome(() => file.size()),
      read: (target, position) => life.outcome(() => file.read(target, position)),
      write: (bytes, position) => life.outcome(() => file.write(bytes, position)),
      truncate: (size) => life.outcome(() => file.truncate(size)),
      sync: () => life.outcome(() => file.sync()),
      close: () => life.outcome(() => file.close()),
    };
  }

  rename(from: string, to: string): Promise<void> {
    return this.life.outcome(() => this.disk.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.life.outcome(() => this.disk.remove(path));
  }

  syncDirectory(directory: string): Promise<void> {
    return this.life.outcome(() => this.disk.syncDirectory(directory));
  }

  join(directory: string, name: string): string {
    return this.disk.join(directory, name);
  }
}
