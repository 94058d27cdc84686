"""What no well-behaved client sends, or sends in no other shape: driven byte by byte over plain sockets."""
import socket
import struct

from jute import ACL, CONNECT_REQUEST, MULTI_HEADER, OPCODES, OPERATIONS, multi_request_fields, write, write_multi

OPEN = [{"perms": 31, "id": {"scheme": "world", "id": "anyone"}}]
NO_PASSWORD = {"hex": "00" * 16}


def buffer(text):
    return None if text is None else {"hex": text.encode().hex()}


class RawClient:
    def __init__(self, proxy):
        self.proxy = proxy
        self.sock = None
        self.xid = 0
        self.session_id = "0"
        self.passwd = NO_PASSWORD

    def connect(self, label, session_id="0", passwd=NO_PASSWORD, timeout=12000, read_only=False, last_zxid=0):
        self.proxy.label = label
        self.sock = socket.create_connection(("127.0.0.1", self.proxy.port), timeout=15)
        body = write(CONNECT_REQUEST, {"protocolVersion": 0, "lastZxidSeen": last_zxid, "timeOut": timeout,
                                       "sessionId": session_id, "passwd": passwd})
        self.send(body + (b"" if read_only is None else write("boolean", read_only)))
        answer = self.receive()
        if answer is not None and len(answer) >= 36:
            self.session_id = str(struct.unpack(">q", answer[8:16])[0])
            self.passwd = {"hex": answer[20:36].hex()}
        return self

    def send(self, payload):
        self.sock.sendall(struct.pack(">i", len(payload)) + payload)

    def receive(self):
        try:
            head = self.exactly(4)
            return None if head is None else self.exactly(struct.unpack(">i", head)[0])
        except ConnectionError:
            return None

    def exactly(self, count):
        got = b""
        while len(got) < count:
            chunk = self.sock.recv(count - len(got))
            if not chunk:
                return None
            got += chunk
        return got

    def call_bytes(self, label, opcode, body, xid=None):
        """Sends and reads on until the reply with that xid, past the notifications ahead of it; None if it closed."""
        if xid is None:
            self.xid += 1
            xid = self.xid
        self.proxy.label = label
        self.send(struct.pack(">ii", xid, opcode) + body)
        while True:
            answer = self.receive()
            if answer is None or struct.unpack(">i", answer[:4])[0] == xid:
                return answer

    def call(self, label, name, xid=None, **body):
        fields = OPERATIONS[OPCODES[name]][1]
        return self.call_bytes(label, OPCODES[name], write(fields, body), xid)

    def multi(self, label, name, ops, xid=None):
        listed = [{"header": {"type": OPCODES[op], "done": False, "err": -1}, "body": body} for op, body in ops]
        return self.call_bytes(label, OPCODES[name], write_multi({"ops": listed}, multi_request_fields), xid)

    def close(self, label="close"):
        self.call(label, "closeSession")
        self.sock.close()

    def drop(self):
        self.sock.close()


def node(path, data="hi", acl=OPEN, flags=0):
    return {"path": path, "data": buffer(data), "acl": acl, "flags": flags}


def handshakes(proxy):
    RawClient(proxy).connect("without-read-only-flag", read_only=None).close("old-client")
    RawClient(proxy).connect("read-only-allowed", read_only=True).close()
    RawClient(proxy).connect("timeout-clamped-up", timeout=1).close()
    RawClient(proxy).connect("timeout-clamped-down", timeout=1000000).close()
    RawClient(proxy).connect("null-password", passwd=None).close()
    RawClient(proxy).connect("short-password", passwd={"hex": "01"}).close()
    first = RawClient(proxy).connect("new-session")
    first.drop()
    again = RawClient(proxy).connect("reattached", session_id=first.session_id, passwd=first.passwd)
    assert again.session_id == first.session_id
    again.drop()
    RawClient(proxy).connect("wrong-password", session_id=first.session_id, passwd={"hex": "5a" * 16}).drop()
    RawClient(proxy).connect("unknown-session-without-flag", session_id="1234567890123", passwd=first.passwd,
                             read_only=None).drop()
    RawClient(proxy).connect("reattached-again", session_id=first.session_id, passwd=first.passwd).close()


def single_requests(proxy):
    c = RawClient(proxy).connect("session-for-requests")
    c.call("null-data", "create2", **node("/raw/null", None))
    c.call("empty-data", "create2", **node("/raw/empty", ""))
    c.call("null-data", "getData", path="/raw/null", watch=False)
    c.call("empty-data", "getData", path="/raw/empty", watch=False)
    c.call("two-acls", "create2", **node("/raw/acl", "x", [
        {"perms": 31, "id": {"scheme": "digest", "id": "bob:ikIaKsbtGweaHnb/jKn7OHqbunM="}},
        {"perms": 1, "id": {"scheme": "world", "id": "anyone"}}]))
    c.call("no-auth", "setData", path="/raw/acl", data=buffer("y"), version=-1)
    c.call("redacted", "getACL", path="/raw/acl")
    c.call("no-auth", "setACL", path="/raw/acl", acl=OPEN, version=-1)
    c.call("null-acl", "create", **node("/raw/none", acl=None))
    c.call("empty-acl", "create", **node("/raw/none", acl=[]))
    c.call("unicode-path", "create", **node("/raw/žluťoučký-水"))
    astral = [{"perms": 31, "id": {"scheme": "digest", "id": "\U0001F600:x"}}] + OPEN
    c.call("astral-acl-id", "create", **node("/raw/astral", acl=astral))
    c.call("astral-acl-id", "getACL", path="/raw/astral")
    c.call("name-is-only-the-sequence", "create", **node("/raw/empty/", flags=2))
    c.call("bad-path", "create", **node("raw"))
    c.call("bad-flags", "create", **node("/raw/flags", flags=9))
    c.call("ttl-flags-on-create", "create", **node("/raw/flags", flags=5))
    c.call("bad-path", "exists", path="/raw/", watch=False)
    c.call("ttl-zero", "createTTL", ttl=0, **node("/raw/ttl", flags=5))
    c.call("ttl-largest", "createTTL", ttl=0xFFFFFFFFFF, **node("/raw/ttl", flags=5))
    c.call("never-validated-path", "sync", path="no such path")
    c.call("no-watcher", "removeWatches", path="/raw/null", type=3)
    c.call("no-watcher", "checkWatches", path="/raw/null", type=3)
    c.call("persistent-type", "removeWatches", path="/raw/null", type=4)
    c.call("bad-mode", "addWatch", path="/raw/null", mode=7)
    c.call("failing-outside-multi", "check", path="/raw/null", version=99)
    c.call("disabled", "reconfig", joiningServers=None, leavingServers="2", newMembers=None, curConfigId=-1)
    c.call("without-sasl", "sasl", token={"hex": ""})
    quota = "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=1"
    c.call("quota", "create", **node("/raw/q", None))
    c.call("quota-parent", "create", **node("/zookeeper/quota/raw", None))
    c.call("quota-parent-2", "create", **node("/zookeeper/quota/raw/q", None))
    c.call("quota-limits", "create", **node("/zookeeper/quota/raw/q/zookeeper_limits", quota))
    c.call("quota-stats", "create", **node("/zookeeper/quota/raw/q/zookeeper_stats", "count=1,bytes=0"))
    c.call("quota-exceeded", "create", **node("/raw/q/k"))
    c.call("xid-zero", "exists", xid=0, path="/raw", watch=False)
    c.call("xid-negative", "exists", xid=-77, path="/raw", watch=False)
    c.call("xid-largest", "exists", xid=2147483647, path="/raw", watch=False)
    c.call("any", "ping", xid=-2)
    c.close()


def malformed_requests(proxy):
    c = RawClient(proxy).connect("session-for-malformed")
    c.call_bytes("trailing-bytes", 3, write("ustring", "/raw") + b"\0" + b"extra")
    c.call_bytes("boolean-of-two", 3, write("ustring", "/raw") + b"\2")
    c.call_bytes("truncated", 4, write("ustring", "/raw"))
    c.call_bytes("bad-string-length", 4, struct.pack(">i", 0x7FFFFFFF) + b"/raw\0")
    c.call_bytes("null-path", 4, write("ustring", None) + b"\0")
    c.call_bytes("body-not-understood", 20, write("ustring", "/raw/null"))
    c.call_bytes("after-trailing-bytes", 11, b"", xid=-2)
    assert c.call_bytes("unknown-opcode", 99, b"") is not None
    c.drop()
    for opcode in (0, 10):
        c = RawClient(proxy).connect("session-for-opcode-%d" % opcode)
        c.call_bytes("unknown-opcode-%d" % opcode, opcode, b"")
        c.drop()


def multis(proxy):
    c = RawClient(proxy).connect("session-for-multi")
    every = [("check", {"path": "/raw", "version": -1}),
             ("create2", node("/raw/m")),
             ("create", node("/raw/m/e", None, flags=1)),
             ("create", node("/raw/m/s-", flags=2)),
             ("createContainer", node("/raw/mc", flags=4)),
             ("createTTL", dict(node("/raw/mt", flags=5), ttl=5000)),
             ("setData", {"path": "/raw/m", "data": None, "version": 0}),
             ("delete", {"path": "/raw/m/e", "version": 0})]
    c.multi("every-op", "multi", every)
    for code, label, op in [(-110, "node-exists", ("create", node("/raw/m"))),
                            (-101, "no-node", ("setData", {"path": "/raw/x", "data": None, "version": -1})),
                            (-111, "not-empty", ("delete", {"path": "/raw/m", "version": -1})),
                            (-8, "bad-flags", ("create", node("/raw/y", flags=9)))]:
        c.multi(label, "multi", [("check", {"path": "/raw", "version": -1}), op,
                                 ("check", {"path": "/raw", "version": -1})])
    c.multi("empty", "multi", [])
    c.multi("empty", "multiRead", [])
    c.multi("every-op", "multiRead", [("getData", {"path": "/raw/m", "watch": False}),
                                      ("getChildren", {"path": "/raw/m", "watch": False}),
                                      ("getChildren", {"path": "/raw/x", "watch": False})])
    c.multi("read-in-multi", "multi", [("getData", {"path": "/raw/m", "watch": False})])
    c.multi("write-in-multi-read", "multiRead", [("delete", {"path": "/raw/m", "version": 5})])
    c.call_bytes("without-terminator", 14, write(MULTI_HEADER, {"type": 13, "done": False, "err": -1}) +
                 write("ustring", "/raw") + write("int", -1))
    c.close()


def events(proxy):
    c = RawClient(proxy).connect("session-for-events")

    def change(label, name, **body):
        c.call(label, name, **body)

    c.call("watch-missing", "exists", path="/raw/w", watch=True)
    change("node-created", "create", **node("/raw/w"))
    c.call("watch", "getData", path="/raw/w", watch=True)
    change("node-data-changed", "setData", path="/raw/w", data=buffer("2"), version=0)
    c.call("watch", "getChildren", path="/raw/w", watch=True)
    change("node-children-changed", "create", **node("/raw/w/k"))
    c.call("delete-child", "delete", path="/raw/w/k", version=-1)
    c.call("watch", "getChildren2", path="/raw/w", watch=True)
    change("node-deleted-under-child-watch", "delete", path="/raw/w", version=-1)
    c.call("watch-missing-2", "exists", path="/raw/w", watch=True)
    change("node-created-2", "create", **node("/raw/w"))
    c.call("watch-existing", "exists", path="/raw/w", watch=True)
    change("node-deleted-under-data-watch", "delete", path="/raw/w", version=-1)
    c.call("persistent", "addWatch", path="/raw/pw", mode=0)
    change("persistent-node-created", "create", **node("/raw/pw"))
    change("persistent-node-data-changed", "setData", path="/raw/pw", data=buffer("2"), version=0)
    change("persistent-node-children-changed", "create", **node("/raw/pw/k"))
    c.call("delete-child-2", "delete", path="/raw/pw/k", version=-1)
    change("persistent-node-deleted", "delete", path="/raw/pw", version=-1)
    c.call("recursive", "addWatch", path="/raw/rw", mode=1)
    change("recursive-node-created", "create", **node("/raw/rw"))
    change("recursive-child-created", "create", **node("/raw/rw/k"))
    change("recursive-child-data-changed", "setData", path="/raw/rw/k", data=buffer("2"), version=0)
    change("recursive-child-deleted", "delete", path="/raw/rw/k", version=-1)
    c.call("found", "checkWatches", path="/raw/rw", type=3)
    c.call("found", "removeWatches", path="/raw/rw", type=3)
    c.close()


def set_watches(proxy):
    c = RawClient(proxy).connect("session-for-set-watches")
    for path in ("/raw/sd", "/raw/sg", "/raw/sc", "/raw/sp"):
        c.call("prepare", "create", **node(path))
    zxid = struct.unpack(">q", c.call("prepare", "exists", path="/raw/sd", watch=False)[4:12])[0]
    c.call("prepare-change", "setData", path="/raw/sd", data=None, version=-1)
    c.call("prepare-delete", "delete", path="/raw/sg", version=-1)
    c.call("prepare-child", "create", **node("/raw/sc/k"))
    c.call("prepare-exist", "create", **node("/raw/se"))
    old = {"relativeZxid": str(zxid), "dataWatches": ["/raw/sd", "/raw/sg"], "existWatches": ["/raw/se"],
           "childWatches": ["/raw/sc"]}
    c.call("catch-up-xid-minus-8", "setWatches", xid=-8, **old)
    c.call("nothing-missed", "setWatches", relativeZxid=str(2 ** 40), dataWatches=["/raw/sd"], existWatches=[],
           childWatches=[])
    c.call("null-vectors", "setWatches", relativeZxid="0", dataWatches=None, existWatches=None, childWatches=None)
    c.call("catch-up-2-xid-minus-8", "setWatches2", xid=-8, persistentWatches=["/raw/sp"],
           persistentRecursiveWatches=["/raw"], **old)
    c.close()


def auth(proxy):
    c = RawClient(proxy).connect("session-for-auth")
    c.call("initial", "whoAmI")
    c.call("digest", "auth", xid=-4, type=0, scheme="digest", auth=buffer("bob:pw"))
    c.call("super", "auth", xid=-4, type=0, scheme="digest", auth=buffer("super:secret"))
    c.call("digest-and-super", "whoAmI")
    c.call("auth-scheme-expanded", "create2", **node("/raw/mine", acl=[
        {"perms": 31, "id": {"scheme": "auth", "id": ""}}]))
    c.call("auth-scheme-expanded", "getACL", path="/raw/mine")
    c.call("unknown-scheme", "auth", xid=-4, type=0, scheme="nope", auth=buffer("x"))
    c.drop()
    c = RawClient(proxy).connect("session-for-null-auth")
    c.call("null-credential", "auth", xid=-4, type=0, scheme="digest", auth=None)
    c.drop()


def run(proxy):
    for scene in (handshakes, single_requests, malformed_requests, multis, events, set_watches, auth):
        scene(proxy)


def run_sasl_required(proxy):
    c = RawClient(proxy).connect("session-without-sasl")
    c.call("sasl-required", "exists", path="/", watch=False)
    c.drop()
    c = RawClient(proxy).connect("session-for-bad-sasl")
    c.call("challenge", "sasl", token={"hex": ""})
    c.call("refused-token", "sasl", token=buffer("nonsense"))
    c.drop()
