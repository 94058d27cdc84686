"""Jute, table driven, written for the golden files alone.

It shares nothing with the project's codec: the tables below were written from the protocol's description and are held
against what real servers and clients send. Every specimen must decode to its last byte and encode back to itself.
"""
import re
import struct

STAT = [("czxid", "long"), ("mzxid", "long"), ("ctime", "long"), ("mtime", "long"), ("version", "int"),
        ("cversion", "int"), ("aversion", "int"), ("ephemeralOwner", "long"), ("dataLength", "int"),
        ("numChildren", "int"), ("pzxid", "long")]
ID = [("scheme", "ustring"), ("id", "ustring")]
ACL = [("perms", "int"), ("id", ID)]
CLIENT_INFO = [("authScheme", "ustring"), ("user", "ustring")]
ACLS = ("vector", ACL)
STRINGS = ("vector", "ustring")

PATH = [("path", "ustring")]
PATH_WATCH = [("path", "ustring"), ("watch", "boolean")]
PATH_TYPE = [("path", "ustring"), ("type", "int")]
CREATE = [("path", "ustring"), ("data", "buffer"), ("acl", ACLS), ("flags", "int")]
SET_WATCHES = [("relativeZxid", "long"), ("dataWatches", STRINGS), ("existWatches", STRINGS),
               ("childWatches", STRINGS)]
PATH_STAT = [("path", "ustring"), ("stat", STAT)]
STAT_ONLY = [("stat", STAT)]

# opcode -> name, request fields, reply fields. None: not a thing a real peer sends.
OPERATIONS = {
    1: ("create", CREATE, PATH),
    2: ("delete", [("path", "ustring"), ("version", "int")], []),
    3: ("exists", PATH_WATCH, STAT_ONLY),
    4: ("getData", PATH_WATCH, [("data", "buffer"), ("stat", STAT)]),
    5: ("setData", [("path", "ustring"), ("data", "buffer"), ("version", "int")], STAT_ONLY),
    6: ("getACL", PATH, [("acl", ACLS), ("stat", STAT)]),
    7: ("setACL", [("path", "ustring"), ("acl", ACLS), ("version", "int")], STAT_ONLY),
    8: ("getChildren", PATH_WATCH, [("children", STRINGS)]),
    9: ("sync", PATH, PATH),
    11: ("ping", [], []),
    12: ("getChildren2", PATH_WATCH, [("children", STRINGS), ("stat", STAT)]),
    13: ("check", [("path", "ustring"), ("version", "int")], []),
    14: ("multi", "multi", "multi"),
    15: ("create2", CREATE, PATH_STAT),
    16: ("reconfig", [("joiningServers", "ustring"), ("leavingServers", "ustring"), ("newMembers", "ustring"),
                      ("curConfigId", "long")], [("data", "buffer"), ("stat", STAT)]),
    17: ("checkWatches", PATH_TYPE, []),
    18: ("removeWatches", PATH_TYPE, []),
    19: ("createContainer", CREATE, PATH_STAT),
    20: ("deleteContainer", None, None),
    21: ("createTTL", CREATE + [("ttl", "long")], PATH_STAT),
    22: ("multiRead", "multi", "multi"),
    100: ("auth", [("type", "int"), ("scheme", "ustring"), ("auth", "buffer")], []),
    101: ("setWatches", SET_WATCHES, []),
    102: ("sasl", [("token", "buffer")], [("token", "buffer")]),
    103: ("getEphemerals", [("prefixPath", "ustring")], [("ephemerals", STRINGS)]),
    104: ("getAllChildrenNumber", PATH, [("totalNumber", "int")]),
    105: ("setWatches2", SET_WATCHES + [("persistentWatches", STRINGS), ("persistentRecursiveWatches", STRINGS)], []),
    106: ("addWatch", [("path", "ustring"), ("mode", "int")], [("err", "int")]),
    107: ("whoAmI", [], [("clientInfo", ("vector", CLIENT_INFO))]),
    -11: ("closeSession", [], []),
}
OPCODES = {name: code for code, (name, _, _) in OPERATIONS.items()}


def kebab(name):
    """A name of these tables as names of specimens spell it."""
    return re.sub("(?<=[a-z])(?=[A-Z])", "-", name).lower()


REQUEST_HEADER = [("xid", "int"), ("type", "int")]
REPLY_HEADER = [("xid", "int"), ("zxid", "long"), ("err", "int")]
MULTI_HEADER = [("type", "int"), ("done", "boolean"), ("err", "int")]
WATCHER_EVENT = [("type", "int"), ("state", "int"), ("path", "ustring")]
CONNECT_REQUEST = [("protocolVersion", "int"), ("lastZxidSeen", "long"), ("timeOut", "int"), ("sessionId", "long"),
                   ("passwd", "buffer")]
CONNECT_RESPONSE = [("protocolVersion", "int"), ("timeOut", "int"), ("sessionId", "long"), ("passwd", "buffer")]
MULTI_END = {"type": -1, "done": True, "err": -1}


class Undecodable(Exception):
    pass


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0
        self.remarks = []

    def take(self, count):
        if count < 0 or self.at + count > len(self.data):
            raise Undecodable("%d bytes wanted at %d of %d" % (count, self.at, len(self.data)))
        self.at += count
        return self.data[self.at - count:self.at]

    def left(self):
        return len(self.data) - self.at

    def read(self, kind):
        if kind == "int":
            return struct.unpack(">i", self.take(4))[0]
        if kind == "long":
            return str(struct.unpack(">q", self.take(8))[0])
        if kind == "boolean":
            byte = self.take(1)[0]
            if byte > 1:
                self.remarks.append("a boolean byte other than 0 and 1")
            return byte != 0
        if kind == "buffer":
            length = self.read("int")
            return None if length == -1 else {"hex": self.take(length).hex()}
        if kind == "ustring":
            length = self.read("int")
            return None if length == -1 else self.text(self.take(length))
        if isinstance(kind, tuple):
            count = self.read("int")
            if count < -1:
                raise Undecodable("vector of %d" % count)
            return None if count == -1 else [self.read(kind[1]) for _ in range(count)]
        if kind == "multi":
            raise AssertionError("multi is read by its own functions")
        return {name: self.read(field) for name, field in kind}

    def text(self, raw):
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            self.remarks.append("a string in CESU-8 (each UTF-16 unit encoded by itself)")
            return raw.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16")

    def end(self):
        if self.left():
            raise Undecodable("%d bytes left over" % self.left())


def write(kind, value):
    if kind == "int":
        return struct.pack(">i", value)
    if kind == "long":
        return struct.pack(">q", int(value))
    if kind == "boolean":
        return b"\1" if value else b"\0"
    if kind == "buffer":
        if value is None:
            return b"\xff" * 4
        raw = bytes.fromhex(value["hex"])
        return write("int", len(raw)) + raw
    if kind == "ustring":
        if value is None:
            return b"\xff" * 4
        raw = value.encode("utf-8", "surrogatepass")
        return write("int", len(raw)) + raw
    if isinstance(kind, tuple):
        if value is None:
            return b"\xff" * 4
        return write("int", len(value)) + b"".join(write(kind[1], item) for item in value)
    if set(value) != {name for name, _ in kind}:
        raise ValueError("fields %s, wanted %s" % (sorted(value), [name for name, _ in kind]))
    return b"".join(write(field, value[name]) for name, field in kind)


# ---- multi -----------------------------------------------------------------------------------------------------------

def multi_result_fields(op_type):
    """Result bodies are chosen by the result's own type; -1 is the error result."""
    return [("err", "int")] if op_type == -1 else OPERATIONS[op_type][2]


def read_multi(reader, fields_of):
    ops = []
    while True:
        header = reader.read(MULTI_HEADER)
        if header["done"]:
            if header != MULTI_END:
                raise Undecodable("multi terminator %s" % header)
            return {"ops": ops}
        ops.append({"header": header, "body": reader.read(fields_of(header["type"]))})


def write_multi(body, fields_of):
    parts = [write(MULTI_HEADER, op["header"]) + write(fields_of(op["header"]["type"]), op["body"])
             for op in body["ops"]]
    return b"".join(parts) + write(MULTI_HEADER, MULTI_END)


def multi_request_fields(op_type):
    return OPERATIONS[op_type][1]


# ---- frames ----------------------------------------------------------------------------------------------------------

def decode_connect(payload, fields):
    reader = Reader(payload)
    body = reader.read(fields)
    if reader.left():
        body["readOnly"] = reader.read("boolean")
    reader.end()
    return {"body": body}, reader.remarks


def encode_connect(value, fields):
    body = dict(value["body"])
    tail = b"" if "readOnly" not in body else write("boolean", body.pop("readOnly"))
    return write(fields, body) + tail


def decode_request(payload):
    """A request the tables cannot read comes back as its bytes: {"undecodable": {"hex"}}; the server refuses those."""
    reader = Reader(payload)
    header = reader.read(REQUEST_HEADER)
    rest = payload[reader.at:]
    fields = OPERATIONS[header["type"]][1] if header["type"] in OPERATIONS else None
    try:
        if fields is None:
            raise Undecodable("no such request")
        body = read_multi(reader, multi_request_fields) if fields == "multi" else reader.read(fields)
    except (Undecodable, KeyError, TypeError):
        return {"header": header, "body": {"undecodable": {"hex": rest.hex()}}}, ["not a well-formed request"]
    value = {"header": header, "body": body}
    if reader.left():
        value["trailing"] = {"hex": reader.take(reader.left()).hex()}
        reader.remarks.append("bytes after the record, which a server ignores")
    return value, reader.remarks


def encode_request(value):
    head = write(REQUEST_HEADER, value["header"])
    body = value["body"]
    if "undecodable" in body:
        return head + bytes.fromhex(body["undecodable"]["hex"])
    fields = OPERATIONS[value["header"]["type"]][1]
    encoded = write_multi(body, multi_request_fields) if fields == "multi" else write(fields, body)
    return head + encoded + bytes.fromhex(value.get("trailing", {"hex": ""})["hex"])


def decode_reply(payload, opcode):
    reader = Reader(payload)
    header = reader.read(REPLY_HEADER)
    fields = OPERATIONS[opcode][2] if opcode in OPERATIONS else None
    if header["err"] != 0 and not reader.left():
        return {"header": header, "body": None}, reader.remarks
    body = read_multi(reader, multi_result_fields) if fields == "multi" else reader.read(fields)
    reader.end()
    return {"header": header, "body": body}, reader.remarks


def encode_reply(value, opcode):
    head = write(REPLY_HEADER, value["header"])
    if value["body"] is None:
        return head
    fields = OPERATIONS[opcode][2]
    return head + (write_multi(value["body"], multi_result_fields) if fields == "multi"
                   else write(fields, value["body"]))


def decode_notification(payload):
    reader = Reader(payload)
    value = {"header": reader.read(REPLY_HEADER), "body": reader.read(WATCHER_EVENT)}
    reader.end()
    return value, reader.remarks


def encode_notification(value):
    return write(REPLY_HEADER, value["header"]) + write(WATCHER_EVENT, value["body"])


def decode(direction, payload, opcode):
    if direction == "connect-request":
        return decode_connect(payload, CONNECT_REQUEST)
    if direction == "connect-response":
        return decode_connect(payload, CONNECT_RESPONSE)
    if direction == "request":
        return decode_request(payload)
    if direction == "notification":
        return decode_notification(payload)
    return decode_reply(payload, opcode)


def encode(direction, value, opcode):
    if direction == "connect-request":
        return encode_connect(value, CONNECT_REQUEST)
    if direction == "connect-response":
        return encode_connect(value, CONNECT_RESPONSE)
    if direction == "request":
        return encode_request(value)
    if direction == "notification":
        return encode_notification(value)
    return encode_reply(value, opcode)
