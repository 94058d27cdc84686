"""Reads the txn logs and snapshots of a data directory: the second opinion beside what the real server serves."""
import glob
import gzip
import os
import zlib

from jute import ACLS, STRINGS, Reader

CREATE_TXN = [("path", "ustring"), ("data", "buffer"), ("acl", ACLS), ("ephemeral", "boolean"),
              ("parentCVersion", "int")]
CONTAINER_TXN = [("path", "ustring"), ("data", "buffer"), ("acl", ACLS), ("parentCVersion", "int")]
TXNS = {
    1: ("create", CREATE_TXN),
    2: ("delete", [("path", "ustring")]),
    5: ("setData", [("path", "ustring"), ("data", "buffer"), ("version", "int")]),
    7: ("setACL", [("path", "ustring"), ("acl", ACLS), ("version", "int")]),
    13: ("check", [("path", "ustring"), ("version", "int")]),
    16: ("reconfig", [("path", "ustring"), ("data", "buffer"), ("version", "int")]),
    14: ("multi", [("txns", ("vector", [("type", "int"), ("data", "buffer")]))]),
    15: ("create2", CREATE_TXN),
    19: ("createContainer", CONTAINER_TXN),
    20: ("deleteContainer", [("path", "ustring")]),
    21: ("createTTL", CONTAINER_TXN + [("ttl", "long")]),
    -1: ("error", [("err", "int")]),
    -10: ("createSession", [("timeOut", "int")]),
    -11: ("closeSession", [("paths2Delete", STRINGS)]),
}
TXN_HEADER = [("clientId", "long"), ("cxid", "int"), ("zxid", "long"), ("time", "long"), ("type", "int")]
FILE_HEADER = [("magic", "int"), ("version", "int"), ("dbid", "long")]
DIGEST = [("version", "int"), ("treeDigest", "long")]
STAT_PERSISTED = [("czxid", "long"), ("mzxid", "long"), ("ctime", "long"), ("mtime", "long"), ("version", "int"),
                  ("cversion", "int"), ("aversion", "int"), ("ephemeralOwner", "long"), ("pzxid", "long")]
CONTAINER_OWNER = -2 ** 63


EPOCHS = ("acceptedEpoch", "currentEpoch")


def zxid_of(name):
    """The zxid in the name of a log or snapshot; a member of an ensemble keeps its epochs beside them."""
    return 0 if name in EPOCHS else int(os.path.basename(name).split(".")[1], 16)


def read_log(path):
    with open(path, "rb") as file:
        reader = Reader(file.read())
    assert reader.read(FILE_HEADER)["magic"] == 0x5A4B4C47, path
    while reader.left() >= 12:
        checksum, length = int(reader.read("long")), reader.read("int")
        if length == 0:
            return
        payload = reader.take(length)
        assert reader.take(1) == b"B" and zlib.adler32(payload) == checksum, path
        yield read_txn(payload)


def read_txn(payload):
    reader = Reader(payload)
    header = reader.read(TXN_HEADER)
    name, fields = TXNS[header["type"]]
    txn = {"header": header, "name": name, "record": reader.read(fields),
           "digest": reader.read(DIGEST) if reader.left() else None}
    if name == "multi":
        txn["parts"] = [(TXNS[part["type"]][0], Reader(bytes.fromhex(part["data"]["hex"])).read(
            TXNS[part["type"]][1])) for part in txn["record"]["txns"]]
    reader.end()
    return txn


def read_logs(directory):
    """{file name: [txn, ...]} in zxid order."""
    files = sorted(glob.glob(os.path.join(directory, "version-2", "log.*")), key=zxid_of)
    return {os.path.basename(file): list(read_log(file)) for file in files}


def owners(txns):
    """The owner markers of containers and TTL nodes, which the server does not show to clients."""
    found = {}
    for txn in txns:
        parts = txn.get("parts", [(txn["name"], txn["record"])])
        if any(name == "error" for name, _ in parts):
            continue
        for name, record in parts:
            if name == "createContainer":
                found[record["path"]] = CONTAINER_OWNER
            elif name == "createTTL":
                found[record["path"]] = int(record["ttl"]) - 2 ** 56
    return found


def open_sessions(txns):
    sessions = {}
    for txn in txns:
        if txn["name"] == "createSession":
            sessions[txn["header"]["clientId"]] = txn["record"]["timeOut"]
        elif txn["name"] == "closeSession":
            sessions.pop(txn["header"]["clientId"], None)
    return sessions


def is_fuzzy(snapshot):
    """Whether the tree in the file is ahead of the zxid in its name."""
    with (gzip.open if snapshot.endswith(".gz") else open)(snapshot, "rb") as file:
        reader = Reader(file.read())
    reader.read(FILE_HEADER)
    for _ in range(reader.read("int")):
        reader.read("long"), reader.read("int")
    for _ in range(reader.read("int")):
        reader.read("long"), reader.read(ACLS)
    latest = 0
    while True:
        path = reader.read("ustring")
        if path == "/":
            return latest > zxid_of(snapshot)
        reader.read("buffer"), reader.read("long")
        stat = reader.read(STAT_PERSISTED)
        latest = max([latest] + [int(stat[field]) for field in ("czxid", "mzxid", "pzxid")])


def tree_digest(nodes):
    """The digest of a tree given as {path: {"data", "stat", "persistedEphemeralOwner"}}."""
    def node_digest(path, node):
        if path.startswith("/zookeeper/"):
            return 0
        stat = node["stat"]
        created = (stat["cversion"] + stat["numChildren"]) // 2
        fixed = b"".join(int(value).to_bytes(size, "big", signed=True) for value, size in [
            (stat["czxid"], 8), (stat["mzxid"], 8), (stat["pzxid"], 8), (stat["ctime"], 8), (stat["mtime"], 8),
            (stat["version"], 4), (created, 4), (stat["aversion"], 4), (node["persistedEphemeralOwner"], 8)])
        data = b"" if node["data"] is None else bytes.fromhex(node["data"]["hex"])
        return zlib.crc32(("" if path == "/" else path).encode() + data + fixed)
    total = sum(node_digest(path, node) for path, node in nodes.items()) % 2 ** 64
    return total - 2 ** 64 if total >= 2 ** 63 else total
