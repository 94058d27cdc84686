"""What servers send one another, table driven, beside jute.py and as independent of the project's codec as that."""
import struct

from data_directory import DIGEST, STAT_PERSISTED, TXN_HEADER, TXNS
from jute import (ACLS, ID, OPERATIONS, Reader, Undecodable, multi_request_fields, read_multi, write, write_multi)

REQUEST, PROPOSAL, ACK, COMMIT, PING, REVALIDATE, SYNC, INFORM, COMMITANDACTIVATE, NEWLEADER = range(1, 11)
FOLLOWERINFO, UPTODATE, DIFF, TRUNC, SNAP, OBSERVERINFO, LEADERINFO, ACKEPOCH, INFORMANDACTIVATE = range(11, 20)
NAMES = dict(enumerate("""REQUEST PROPOSAL ACK COMMIT PING REVALIDATE SYNC INFORM COMMITANDACTIVATE NEWLEADER
FOLLOWERINFO UPTODATE DIFF TRUNC SNAP OBSERVERINFO LEADERINFO ACKEPOCH INFORMANDACTIVATE""".split(), 1))

PACKET = [("type", "int"), ("zxid", "long"), ("data", "buffer"), ("authinfo", ("vector", ID))]
REQUEST_HEAD = [("sessionId", "long"), ("cxid", "int"), ("opcode", "int")]
SESSION = [("sessionId", "long"), ("timeout", "int")]
LEARNER_INFO = [("serverid", "long"), ("protocolVersion", "int"), ("configVersion", "long")]
DESIGNATED = [("designatedLeader", "long")]
CREATE_SESSION = [("timeOut", "int")]
NOTIFICATION = [("state", "int"), ("leader", "long"), ("zxid", "long"), ("electionEpoch", "long"),
                ("peerEpoch", "long"), ("version", "int"), ("config", "ustring")]
GREETING = [("protocolVersion", "long"), ("sid", "long"), ("addresses", "ustring")]
SNAP_STREAM = [("sessions", ("vector", SESSION)),
               ("acls", ("vector", [("aclId", "long"), ("acl", ACLS)]))]
SNAP_NODE = [("data", "buffer"), ("aclId", "long"), ("stat", STAT_PERSISTED)]


# ---- data of packets -------------------------------------------------------------------------------------------------

def request_fields(opcode):
    return CREATE_SESSION if opcode == -10 else OPERATIONS[opcode][1]


def read_request(reader):
    value = {"head": reader.read(REQUEST_HEAD)}
    fields = request_fields(value["head"]["opcode"])
    value["body"] = read_multi(reader, multi_request_fields) if fields == "multi" else reader.read(fields)
    return value


def write_request(value):
    fields = request_fields(value["head"]["opcode"])
    body = write_multi(value["body"], multi_request_fields) if fields == "multi" else write(fields, value["body"])
    return write(REQUEST_HEAD, value["head"]) + body


def read_txn(reader):
    header = reader.read(TXN_HEADER)
    return {"header": header, "record": reader.read(TXNS[header["type"]][1]),
            "digest": reader.read(DIGEST) if reader.left() else None}


def write_txn(value):
    digest = b"" if value["digest"] is None else write(DIGEST, value["digest"])
    return write(TXN_HEADER, value["header"]) + write(TXNS[value["header"]["type"]][1], value["record"]) + digest


def read_sessions(reader):
    sessions = []
    while reader.left():
        sessions.append(reader.read(SESSION))
    return {"sessions": sessions}


def record(fields):
    return lambda reader: reader.read(fields), lambda value: write(fields, value)


TXN = (read_txn, write_txn)
DATA = {
    REQUEST: (read_request, write_request),
    PROPOSAL: TXN,
    INFORM: TXN,
    (PING, "learner"): (read_sessions, lambda value: b"".join(write(SESSION, one) for one in value["sessions"])),
    (REVALIDATE, "learner"): record(SESSION),
    (REVALIDATE, "leader"): record([("sessionId", "long"), ("valid", "boolean")]),
    COMMITANDACTIVATE: record(DESIGNATED),
    INFORMANDACTIVATE: (lambda reader: {**reader.read(DESIGNATED), "txn": read_txn(reader)},
                        lambda value: write("long", value["designatedLeader"]) + write_txn(value["txn"])),
    NEWLEADER: (lambda reader: {"config": reader.take(reader.left()).decode()},
                lambda value: value["config"].encode()),
    FOLLOWERINFO: record(LEARNER_INFO),
    OBSERVERINFO: record(LEARNER_INFO),
    LEADERINFO: record([("protocolVersion", "int")]),
    ACKEPOCH: record([("currentEpoch", "int")]),
}


def data_codec(packet_type, sender):
    return DATA.get(packet_type) or DATA[(packet_type, "leader" if sender == "leader" else "learner")]


def decode_packet(payload, sender):
    reader = Reader(payload)
    value = reader.read(PACKET)
    reader.end()
    if value["data"] is not None:
        data = Reader(bytes.fromhex(value["data"]["hex"]))
        value["data"] = data_codec(value["type"], sender)[0](data)
        data.end()
    return value


def encode_packet(value, sender):
    data = value["data"]
    packed = None if data is None else {"hex": data_codec(value["type"], sender)[1](data).hex()}
    return write(PACKET, {**value, "data": packed})


# ---- streams ---------------------------------------------------------------------------------------------------------

def split_packets(stream):
    """("packet" or "snap-stream", bytes) one after the other, as far as they are whole."""
    reader = Reader(stream)
    while reader.left():
        start = reader.at
        try:
            packet = reader.read(PACKET)
            yield "packet", stream[start:reader.at]
            if packet["type"] == SNAP:
                start = reader.at
                read_snap_stream(reader)
                yield "snap-stream", stream[start:reader.at]
        except Undecodable:
            return


def read_snap_stream(reader):
    value = reader.read(SNAP_STREAM)
    value["nodes"] = []
    while True:
        path = reader.read("ustring")
        if path == "/":
            return {**value, "signature": reader.read("ustring")}
        value["nodes"].append({"path": path, **reader.read(SNAP_NODE)})


def decode_snap_stream(payload):
    reader = Reader(payload)
    value = read_snap_stream(reader)
    reader.end()
    return value


def encode_snap_stream(value):
    head = write(SNAP_STREAM, {name: value[name] for name, _ in SNAP_STREAM})
    nodes = [write([("path", "ustring")] + SNAP_NODE, node) for node in value["nodes"]]
    return head + b"".join(nodes) + write("ustring", "/") + write("ustring", value["signature"])


def split_frames(stream):
    while len(stream) >= 4:
        length = struct.unpack(">i", stream[:4])[0]
        if len(stream) < 4 + length:
            return
        yield stream[4:4 + length]
        stream = stream[4 + length:]


# ---- election --------------------------------------------------------------------------------------------------------

def decode_whole(payload, fields):
    reader = Reader(payload)
    value = reader.read(fields)
    reader.end()
    return value


def decode(kind, payload, sender):
    if kind == "packet":
        return decode_packet(payload, sender)
    if kind == "snap-stream":
        return decode_snap_stream(payload)
    return decode_whole(payload, NOTIFICATION if kind == "notification" else GREETING)


def encode(kind, value, sender):
    if kind == "packet":
        return encode_packet(value, sender)
    if kind == "snap-stream":
        return encode_snap_stream(value)
    return write(NOTIFICATION if kind == "notification" else GREETING, value)
