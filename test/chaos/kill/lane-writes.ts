/** Random writes for a lane, among them some that fail; and how each is put on the wire. */

import type { SeededRandom } from "../../support/seeded-random.js";
import {
  type Acl,
  createBody,
  multiBody,
  opcode,
  openAcl,
  setAclBody,
  setDataBody,
  versionBody,
} from "../support/jute.js";
import { FLAG, type LaneModel, type LaneWrite } from "./lane-model.js";

/** Both leave the lane's own client everything; they differ so that it shows which one is stored. */
const ACLS: readonly (readonly Acl[])[] = [
  openAcl,
  [
    { perms: 1, scheme: "world", id: "anyone" },
    { perms: 31, scheme: "ip", id: "127.0.0.1" },
  ],
];

const NODES_WANTED = 40;

export class LaneWrites {
  private readonly random: SeededRandom;
  private readonly root: string;
  private count = 0;

  constructor(random: SeededRandom, root: string) {
    this.random = random;
    this.root = root;
  }

  /** `model` is the lane as it will be when everything sent so far has been done. */
  next(model: LaneModel): LaneWrite {
    if (this.random.chance(0.05)) return this.setAcl(model); // setACL cannot be part of a multi
    if (!this.random.chance(0.15)) return this.simple(model);
    const parts = Array.from({ length: 1 + this.random.below(4) }, () => this.simple(model));
    if (this.random.chance(0.3)) parts.push({ kind: "check", path: this.root, version: this.random.pick([0, 12345]) });
    return { kind: "multi", parts };
  }

  private setAcl(model: LaneModel): LaneWrite {
    return { kind: "setAcl", path: this.random.pick([...model.nodes.keys()]), acls: this.random.pick(ACLS) };
  }

  private simple(model: LaneModel): LaneWrite {
    this.count += 1;
    const { random } = this;
    const paths = [...model.nodes.keys()].filter((path) => path !== this.root);
    const die = random.below(100);
    const data = `${this.count}`.padEnd(random.below(random.chance(0.02) ? 20_000 : 120), "x");
    if (paths.length === 0 || die < (paths.length < NODES_WANTED ? 40 : 15)) return this.create(paths, data);
    const path = random.pick(paths);
    if (die < 65) return { kind: "set", path, data, version: random.chance(0.1) ? random.below(5) : -1 };
    return { kind: "delete", path };
  }

  private create(paths: readonly string[], data: string): Extract<LaneWrite, { kind: "create" }> {
    const { random } = this;
    const directories = [this.root, ...paths.filter((path) => path.includes("/d"))];
    const isDirectory = random.chance(0.2);
    const flags = isDirectory
      ? 0
      : random.pick([0, 0, FLAG.ephemeral, FLAG.sequential, FLAG.ephemeral | FLAG.sequential]);
    const name = isDirectory ? `d${random.below(6)}` : `n${random.chance(0.1) ? 0 : this.count}`;
    const parent = isDirectory ? this.root : random.pick(directories);
    return { kind: "create", path: `${parent}/${name}`, data, flags };
  }
}

export function encodeWrite(write: LaneWrite): { opcode: number; body: Buffer } {
  switch (write.kind) {
    case "create":
      return { opcode: opcode.create, body: createBody(write.path, Buffer.from(write.data), write.flags) };
    case "set":
      return { opcode: opcode.setData, body: setDataBody(write.path, Buffer.from(write.data), write.version) };
    case "setAcl":
      return { opcode: opcode.setAcl, body: setAclBody(write.path, write.acls) };
    case "delete":
      return { opcode: opcode.delete, body: versionBody(write.path) };
    case "check":
      return { opcode: opcode.check, body: versionBody(write.path, write.version) };
    case "multi":
      return { opcode: opcode.multi, body: multiBody(write.parts.map(encodeWrite)) };
    case "closeSession":
      return { opcode: opcode.closeSession, body: Buffer.alloc(0) };
  }
}
