import {
  type ByteReader,
  type ByteWriter,
  type ErrorName,
  errorName,
  MULTI_HEADER_BYTES,
  multiHeader,
  OP,
  operations,
  WireError,
} from "@watchkeeper/wire";
import { badArguments, ZkError } from "../errors.js";
import { type Chroot, pathProblem, sequentialPathProblem } from "../session/index.js";
import {
  contentBytes,
  contentProblem,
  createBody,
  createProblem,
  isSequential,
  type NodeContent,
  type NodeOptions,
} from "./create-options.js";
import { applicationPath, copyOf, type NodeData, type RequestKind } from "./requests.js";
import type { Stat } from "./stat.js";

/** One step of a `multi`. All take effect together, with one zxid, or none does. */
export type MultiOperation =
  | ({ readonly op: "create"; readonly path: string; readonly data?: NodeContent | undefined } & NodeOptions)
  | { readonly op: "delete"; readonly path: string; readonly version?: number | undefined }
  | {
      readonly op: "setData";
      readonly path: string;
      readonly data: NodeContent;
      readonly version?: number | undefined;
    }
  | { readonly op: "check"; readonly path: string; readonly version: number };

/** What became of one step of a `multi`. */
export type MultiResult =
  /** The Stat comes with container and TTL nodes only. */
  | { readonly op: "create"; readonly path: string; readonly stat: Stat | undefined }
  | { readonly op: "delete" }
  | { readonly op: "setData"; readonly stat: Stat }
  | { readonly op: "check" };

/** The results of the steps, each of its step's kind. */
export type MultiResults<S extends readonly MultiOperation[]> = {
  -readonly [K in keyof S]: Extract<MultiResult, { readonly op: S[K]["op"] }>;
};

/** One step of a `multiRead`; each succeeds or fails by itself. */
export type MultiReadOperation =
  | { readonly op: "getData"; readonly path: string }
  | { readonly op: "getChildren"; readonly path: string };

/** What one step of a `multiRead` found, or why it failed. */
export type MultiReadResult =
  | ({ readonly op: "getData" } & NodeData)
  | { readonly op: "getChildren"; readonly children: string[] }
  | { readonly op: "error"; readonly error: ZkError };

/** The results of the steps, each of its step's kind or an error. */
export type MultiReadResults<S extends readonly MultiReadOperation[]> = {
  -readonly [K in keyof S]: Extract<MultiReadResult, { readonly op: S[K]["op"] | "error" }>;
};

/** A step's result, or the code of its failure. */
export type StepResult<R> = R | { readonly op: "failed"; readonly code: ErrorName };

const ANY_VERSION = -1;

export const multiRequest: RequestKind<MultiRequestArgs, StepResult<MultiResult>[]> = {
  operation: "multi",
  opcode: OP.multi,
  changesTree: true,
  absentIsResult: false,
  encode(writer, { steps, chroot }) {
    for (const step of steps) encodeStep(writer, step, chroot.toServer(step.path));
    encodeEnd(writer);
  },
  decode: (reader, chroot) => decodeSteps(reader, (type) => decodeWritten(type, reader, chroot)),
};

export interface MultiRequestArgs {
  readonly steps: readonly MultiOperation[];
  readonly chroot: Chroot;
}

export const multiReadRequest: RequestKind<MultiReadRequestArgs, StepResult<MultiReadResult>[]> = {
  operation: "multiRead",
  opcode: OP.multiRead,
  changesTree: false,
  absentIsResult: false,
  encode(writer, { steps, chroot }) {
    for (const step of steps) {
      header(writer, OP[step.op]);
      operations.getData.request.encode(writer, { path: chroot.toServer(step.path), watch: false });
    }
    encodeEnd(writer);
  },
  decode: (reader) => decodeSteps(reader, (type) => decodeRead(type, reader)),
};

export interface MultiReadRequestArgs {
  readonly steps: readonly MultiReadOperation[];
  readonly chroot: Chroot;
}

/** The first thing in a multi that no server would accept, as the error to reject with. */
export function multiProblem(steps: readonly MultiOperation[]): ZkError | undefined {
  for (const [index, step] of steps.entries()) {
    const sequential = step.op === "create" && isSequential(step);
    const problem =
      (sequential ? sequentialPathProblem(step.path) : pathProblem(step.path)) ??
      (step.op === "create" ? createProblem(step) : undefined) ??
      (step.op === "create" || step.op === "setData" ? contentProblem(step.data) : undefined);
    if (problem !== undefined) return badArguments("multi", String(step.path), `operation ${index}: ${problem}`);
  }
  return undefined;
}

/**
 * The error of a multi of which something failed: that of the step that did, not of those that were
 * left out for it.
 */
export function multiError(
  steps: readonly MultiOperation[],
  results: readonly StepResult<MultiResult>[],
): ZkError | undefined {
  for (const [index, result] of results.entries()) {
    if (result.op !== "failed" || result.code === "RUNTIME_INCONSISTENCY") continue;
    const step = steps[index];
    const expected = step !== undefined && "version" in step ? `, version ${step.version} expected` : "";
    return new ZkError({
      code: result.code,
      outcome: "not-applied",
      operation: "multi",
      path: step?.path,
      details: `operation ${index}, ${step?.op}${result.code === "BAD_VERSION" ? expected : ""}`,
    });
  }
  return undefined;
}

export function multiReadResults(
  steps: readonly MultiReadOperation[],
  results: readonly StepResult<MultiReadResult>[],
): MultiReadResult[] {
  return results.map((result, index) => {
    if (result.op !== "failed") return result;
    const step = steps[index];
    const operation = step?.op ?? "multiRead";
    return {
      op: "error",
      error: new ZkError({ code: result.code, outcome: "not-applied", operation, path: step?.path }),
    };
  });
}

function encodeStep(writer: ByteWriter, step: MultiOperation, path: string): void {
  switch (step.op) {
    case "create": {
      const body = { path, ...createBody(step.data, step) };
      header(writer, createOpcode(step));
      if (step.ttlMs === undefined) operations.create.request.encode(writer, body);
      else operations.createTTL.request.encode(writer, body);
      return;
    }
    case "delete":
      header(writer, OP.delete);
      operations.delete.request.encode(writer, { path, version: step.version ?? ANY_VERSION });
      return;
    case "setData":
      header(writer, OP.setData);
      operations.setData.request.encode(writer, {
        path,
        data: contentBytes(step.data),
        version: step.version ?? ANY_VERSION,
      });
      return;
    case "check":
      header(writer, OP.check);
      operations.check.request.encode(writer, { path, version: step.version });
  }
}

function createOpcode(options: NodeOptions): number {
  if (options.ttlMs !== undefined) return OP.createTTL;
  return options.mode === "container" ? OP.createContainer : OP.create;
}

function header(writer: ByteWriter, type: number): void {
  multiHeader.encode(writer, { type, done: false, err: -1 });
}

function encodeEnd(writer: ByteWriter): void {
  multiHeader.encode(writer, { type: -1, done: true, err: -1 });
}

function decodeSteps<R>(reader: ByteReader, decode: (type: number) => R): StepResult<R>[] {
  const results: StepResult<R>[] = [];
  while (reader.remaining >= MULTI_HEADER_BYTES) {
    const { type, done } = multiHeader.decode(reader);
    if (done) return results;
    results.push(type === OP.error ? failed(operations.addWatch.response.decode(reader).err) : decode(type));
  }
  throw new WireError("the results of a multi end without their mark");
}

function failed(err: number): { op: "failed"; code: ErrorName } {
  // A step before the one that failed carries 0: it was undone, so it has not happened either.
  return { op: "failed", code: err === 0 ? "RUNTIME_INCONSISTENCY" : (errorName(err) ?? "SYSTEM_ERROR") };
}

function decodeWritten(type: number, reader: ByteReader, chroot: Chroot): MultiResult {
  switch (type) {
    case OP.create:
      return {
        op: "create",
        path: applicationPath(operations.create.response.decode(reader).path, chroot),
        stat: undefined,
      };
    case OP.create2:
    case OP.createContainer:
    case OP.createTTL: {
      const { path, stat } = operations.create2.response.decode(reader);
      return { op: "create", path: applicationPath(path, chroot), stat };
    }
    case OP.delete:
      return { op: "delete" };
    case OP.setData:
      return { op: "setData", stat: operations.setData.response.decode(reader).stat };
    case OP.check:
      return { op: "check" };
    default:
      throw new WireError(`a result of type ${type} in a multi`);
  }
}

function decodeRead(type: number, reader: ByteReader): MultiReadResult {
  switch (type) {
    case OP.getData: {
      const { data, stat } = operations.getData.response.decode(reader);
      return { op: "getData", data: copyOf(data), stat };
    }
    case OP.getChildren:
      return { op: "getChildren", children: operations.getChildren.response.decode(reader).children };
    default:
      throw new WireError(`a result of type ${type} in a multiRead`);
  }
}
