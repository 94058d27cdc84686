import type { ByteWriter } from "@watchkeeper/wire";
import type { SnapshotSession, SnapshotSink, SnapshotSource } from "../../src/storage/index.js";

/** What a snapshot holds, as plain values. */
export interface Content {
  sessions: SnapshotSession[];
  acls: { aclId: number; bytes: Uint8Array }[];
  nodes: TestNode[];
  digest: { zxid: number; digestHigh: number; digestLow: number } | undefined;
}

export interface TestNode {
  path: string;
  data: Uint8Array | null;
  aclId: number;
  stat: Uint8Array;
}

/** Keeps all it is given; knows parents by their paths. */
export class ContentSink implements SnapshotSink {
  readonly sessions: SnapshotSession[] = [];
  readonly acls: { aclId: number; bytes: Uint8Array }[] = [];
  readonly nodes: TestNode[] = [];
  private digestGiven: Content["digest"];
  private readonly paths = new Set<string>();

  get content(): Content {
    return { sessions: this.sessions, acls: this.acls, nodes: this.nodes, digest: this.digestGiven };
  }

  digest(zxid: number, digestHigh: number, digestLow: number): void {
    this.digestGiven = { zxid, digestHigh, digestLow };
  }

  session(session: SnapshotSession): void {
    this.sessions.push(session);
  }

  acl(aclId: number, bytes: Uint8Array, start: number, end: number): void {
    this.acls.push({ aclId, bytes: bytes.slice(start, end) });
  }

  node(
    bytes: Uint8Array,
    pathStart: number,
    pathLength: number,
    dataStart: number,
    dataLength: number,
    aclId: number,
    statStart: number,
  ): boolean {
    const path = new TextDecoder().decode(bytes.subarray(pathStart, pathStart + pathLength));
    if (path !== "" && !this.paths.has(path.slice(0, path.lastIndexOf("/")))) return false;
    this.paths.add(path);
    const data = dataLength < 0 ? null : bytes.slice(dataStart, dataStart + dataLength);
    this.nodes.push({ path, data, aclId, stat: bytes.slice(statStart, statStart + 60) });
    return true;
  }
}

/** Gives out a content, as it would be written from a tree. */
export class ContentSource implements SnapshotSource {
  readonly zxid: number;
  releases = 0;
  private readonly content: Content;
  private nextNode = 0;

  constructor(zxid: number, content: Content) {
    this.zxid = zxid;
    this.content = content;
  }

  sessions(): SnapshotSession[] {
    return this.content.sessions;
  }

  acls(): { aclId: number; bytes: Uint8Array }[] {
    return this.content.acls;
  }

  writeNodes(writer: ByteWriter, bytesWanted: number): boolean {
    const { nodes } = this.content;
    while (this.nextNode < nodes.length && writer.length < bytesWanted) {
      const { path, data, aclId, stat } = nodes[this.nextNode++]!;
      writer.ustring(path);
      writer.buffer(data);
      writer.longFromNumber(aclId);
      writer.copy(stat, 0, stat.length);
    }
    return this.nextNode < nodes.length;
  }

  lastZxid(): number {
    return this.content.digest?.zxid ?? this.zxid;
  }

  digest(): Content["digest"] {
    return this.content.digest;
  }

  release(): void {
    this.releases++;
  }
}

/** A root with `count` children, their data as long as asked for. */
export function contentOf(count: number, dataLength = 5): Content {
  const stat = new Uint8Array(60).fill(1);
  const children = Array.from({ length: count }, (_, i) => ({
    path: `/node${i}`,
    data: i % 7 === 3 ? null : new Uint8Array(dataLength).fill(i),
    aclId: 1,
    stat,
  }));
  return {
    sessions: [{ idHigh: 0x1000015, idLow: -5, timeoutMs: 30_000 }],
    acls: [{ aclId: 1, bytes: OPEN_ACL }],
    nodes: [{ path: "", data: new Uint8Array(0), aclId: -1, stat: new Uint8Array(60) }, ...children],
    digest: undefined,
  };
}

/** world:anyone, all permissions */
const OPEN_ACL = Uint8Array.from([
  ...[0, 0, 0, 1, 0, 0, 0, 31, 0, 0, 0, 5, 0x77, 0x6f, 0x72, 0x6c, 0x64],
  ...[0, 0, 0, 6, 0x61, 0x6e, 0x79, 0x6f, 0x6e, 0x65],
]);
