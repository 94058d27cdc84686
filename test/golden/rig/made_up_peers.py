"""Peers that are no servers: they ask real ones for what those send on occasions that are hard to bring about."""
import itertools
import socket
import struct
import threading

from jute import Reader, Undecodable, write
from server_protocol import (ACKEPOCH, FOLLOWERINFO, GREETING, LEARNER_INFO, NEWLEADER, NOTIFICATION, PACKET, SNAP,
                             read_snap_stream)

# Above those of all real servers: the connection is then kept by whoever accepts it. Each peer asks once, since a
# server repeats to one that comes back what it has told it before.
SIDS = itertools.count(100)
VALID_CONFIG = "server.1=127.0.0.1:1:2:participant\nversion=0"


def greeting(version=-65536, addresses="127.0.0.1:1"):
    return write(GREETING, {"protocolVersion": version, "sid": next(SIDS), "addresses": addresses})


def bare_sid():
    return write("long", next(SIDS))


def looking(version=2, config=VALID_CONFIG):
    return write(NOTIFICATION, {"state": 0, "leader": 1, "zxid": 0, "electionEpoch": 1, "peerEpoch": 0,
                                "version": version, "config": config})


def exactly(sock, count):
    got = b""
    while len(got) < count:
        chunk = sock.recv(count - len(got))
        if not chunk:
            raise ConnectionError("closed")
        got += chunk
    return got


def ask(port, first=None, body=None, patience=3):
    """Sends a greeting and one notification to an election port; the first frame it answers, or None."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as sock:
        body = looking() if body is None else body
        try:
            sock.sendall(first or greeting())
            sock.sendall(struct.pack(">i", len(body)))
            sock.sendall(body)
            return exactly(sock, struct.unpack(">i", exactly(sock, 4))[0])
        except (socket.timeout, ConnectionError):
            return None


def first_bytes(listening, sink):
    """Keeps the greeting of the first server that connects."""
    def accept():
        sock, _ = listening.accept()
        with sock:
            head = exactly(sock, 20)
            sink.append(head + exactly(sock, struct.unpack(">i", head[16:])[0]))
    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    return thread


def join(port, last_zxid, learner_info_bytes=20):
    """Joins a leader as a follower of that history; everything it sends up to NEWLEADER."""
    info = write(LEARNER_INFO, {"serverid": next(SIDS), "protocolVersion": 0x10000, "configVersion": 0})[:learner_info_bytes]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(packet(FOLLOWERINFO, last_zxid if learner_info_bytes < 12 else 0, info))
        if learner_info_bytes >= 12:
            sock.sendall(packet(ACKEPOCH, last_zxid, write("int", 0)))
        stream = b""
        while not holds_new_leader(stream):
            chunk = sock.recv(65536)
            if not chunk:
                raise ConnectionError("the leader has closed the connection")
            stream += chunk
        return stream


def packet(packet_type, zxid, data):
    return write(PACKET, {"type": packet_type, "zxid": zxid, "data": {"hex": data.hex()}, "authinfo": None})


def holds_new_leader(stream):
    reader = Reader(stream)
    try:
        while True:
            packet_type = reader.read(PACKET)["type"]
            if packet_type == NEWLEADER:
                return True
            if packet_type == SNAP:
                read_snap_stream(reader)
    except Undecodable:
        return False
