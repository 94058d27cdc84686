import { type Acl, errorCodes, errorName } from "@watchkeeper/wire";
import { type DecodedTxn, formatZxid, type TxnOperation } from "../storage/index.js";
import { aclFields, formatAclEntry, storedAclEntry } from "./acl-text.js";
import { dataFields, hex, isoTime, printable } from "./output.js";
import { dataText } from "./short-text.js";

/** A logged txn for people, one line, and for programs, with everything in it. */

export const TXN_HEADING = row("TIME", "SESSION", "CXID", "ZXID", "TYPE", "FIELDS");

export function txnText({ timeMs, clientId, cxid, zxid, operation }: DecodedTxn): string {
  const fields = printable(fieldsText(operation));
  return row(isoTime(timeMs), hex(clientId), formatZxid(cxid >>> 0), formatZxid(zxid), operation.name, fields);
}

function row(time: string, session: string, cxid: string, zxid: string, type: string, fields: string): string {
  const columns = [time.padEnd(24), session.padEnd(18), cxid.padEnd(6), zxid.padEnd(11), type.padEnd(15), fields];
  return columns.join("  ").trimEnd();
}

function fieldsText(operation: TxnOperation): string {
  switch (operation.name) {
    case "create":
    case "create2":
      return `${createText(operation)}${operation.ephemeral ? " ephemeral" : ""}`;
    case "createContainer":
      return createText(operation);
    case "createTTL":
      return `${createText(operation)} ttl=${operation.ttl}ms`;
    case "delete":
    case "deleteContainer":
      return operation.path;
    case "setData":
    case "reconfig":
      return `${operation.path} ${dataText(operation.data)} version=${operation.version}`;
    case "check":
      return `${operation.path} version=${operation.version}`;
    case "setACL":
      return `${operation.path} acl=${aclText(operation.acl)} version=${operation.version}`;
    case "createSession":
      return `timeout=${operation.timeOut}ms`;
    case "closeSession":
      return closeText(operation.paths2Delete);
    case "error":
      return errorText(operation.err);
    case "multi":
      return multiText(operation.operations);
  }
}

interface Created {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  readonly parentCVersion: number;
}

function createText({ path, data, acl, parentCVersion }: Created): string {
  return `${path} ${dataText(data)} acl=${aclText(acl)} parentCVersion=${parentCVersion}`;
}

export function aclText(acl: readonly Acl[]): string {
  return acl.map((each) => formatAclEntry(storedAclEntry(each))).join(",");
}

function multiText(operations: readonly TxnOperation[]): string {
  if (operations.length === 0) return "no operations";
  return operations.map((each) => `${each.name} ${fieldsText(each)}`).join("; ");
}

/** Releases before 3.6 do not list the ephemerals. */
function closeText(paths: readonly string[] | null): string {
  if (paths === null) return "deletes its ephemerals";
  return paths.length === 0 ? "" : `deletes ${paths.join(", ")}`;
}

function errorText(code: number): string {
  const name = errorName(code);
  return name === undefined ? `${code}` : `${name} (${code}), ${errorCodes[name].sentence}`;
}

export function txnFields({ timeMs, clientId, cxid, zxid, operation, digest }: DecodedTxn): object {
  return {
    time: isoTime(timeMs),
    session: hex(clientId),
    cxid,
    zxid: formatZxid(zxid),
    ...operationFields(operation),
    digest: digest === undefined ? null : BigInt.asUintN(64, digest.treeDigest),
  };
}

function operationFields(operation: TxnOperation): object {
  const { name, type, ...fields } = operation;
  const named = { type: name, opcode: type };
  switch (operation.name) {
    case "closeSession":
      return { ...named, paths: operation.paths2Delete };
    case "createSession":
      return { ...named, timeoutMs: operation.timeOut };
    case "error":
      return { ...named, code: operation.err, error: errorName(operation.err) ?? null };
    case "multi":
      return { ...named, operations: operation.operations.map(operationFields) };
    default:
      return {
        ...named,
        ...fields,
        ...("data" in operation ? dataFields(operation.data) : {}),
        ...("acl" in operation ? { acl: aclJson(operation.acl) } : {}),
        ...("ttl" in operation ? { ttl: undefined, ttlMs: Number(operation.ttl) } : {}),
      };
  }
}

export function aclJson(acl: readonly Acl[]): object[] {
  return acl.map((each) => aclFields(storedAclEntry(each)));
}
