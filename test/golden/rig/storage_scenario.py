"""Lets a real server write small data directories, and asks a restarted one what is in them."""
import base64
import gzip
import json
import os
import re
import shutil
import tempfile
import time

from apache_server import ApacheServer, four_letter_word
from data_directory import is_fuzzy, open_sessions, owners, read_logs, tree_digest, zxid_of
from jute import OPCODES, OPERATIONS, write
from raw_scenario import OPEN, RawClient, buffer, node

SETTINGS = ["extendedTypesEnabled=true", "preAllocSize=64", "maxSessionTimeout=600000", "minSessionTimeout=1000"]
SWEEP_OFTEN = "-Dznode.container.checkIntervalMs=300"
SWEEP_NEVER = "-Dznode.container.checkIntervalMs=86400000"
BOB = "bob:ikIaKsbtGweaHnb/jKn7OHqbunM="


def acl(*entries):
    return [{"perms": perms, "id": {"scheme": scheme, "id": id}} for perms, scheme, id in entries]


def wait_gone(client, path):
    deadline = time.monotonic() + 30
    while int.from_bytes(client.call("", "exists", path=path, watch=False)[12:16], "big", signed=True) == 0:
        if time.monotonic() > deadline:
            raise RuntimeError(path + " is still there")
        time.sleep(0.1)


def pipeline(client, requests):
    """Sends without waiting, so that snapshots are taken while the tree changes."""
    first = client.xid + 1
    for name, body in requests:
        client.xid += 1
        client.send(write("int", client.xid) + write("int", OPCODES[name]) + write(OPERATIONS[OPCODES[name]][1], body))
    for xid in range(first, client.xid + 1):
        assert int.from_bytes(client.receive()[:4], "big") == xid


def populate(server):
    main = RawClient(server).connect("", timeout=300000)
    closing = RawClient(server).connect("", timeout=60000)
    expiring = RawClient(server).connect("", timeout=1000)
    idle = RawClient(server).connect("", timeout=120000)
    expiring.call("", "create", **node("/expiring", flags=1))
    expiring.drop()

    main.call("", "create", **node("/app", "root of the application"))
    main.call("", "create", **node("/app/null", None))
    main.call("", "create", **node("/app/empty", ""))
    main.call("", "create2", **node("/app/žluť-水", "unicode"))
    for _ in range(3):
        main.call("", "create", **node("/app/seq-", "s", flags=2))
    main.call("", "create", **node("/app/live", "mine", flags=1))
    main.call("", "create2", **node("/app/live-", "mine", flags=3))
    main.call("", "createContainer", **node("/box", flags=4))
    main.call("", "create", **node("/box/kept"))
    main.call("", "createContainer", **node("/unused-box", flags=4))
    main.call("", "createTTL", ttl=5000000, **node("/ttl", "t", flags=5))
    main.call("", "createTTL", ttl=0xFFFFFFFFFF, **node("/ttl-", "t", flags=6))

    main.call("", "auth", xid=-4, type=0, scheme="digest", auth=buffer("bob:pw"))
    main.call("", "create", **node("/app/acl-digest", "d", acl((31, "digest", BOB), (1, "world", "anyone"))))
    main.call("", "create", **node("/app/acl-ip", "i", acl((31, "ip", "127.0.0.0/8"))))
    main.call("", "create", **node("/app/acl-auth", "a", acl((31, "auth", ""))))
    main.call("", "create", **node("/app/acl-changed", "c"))
    main.call("", "setACL", path="/app/acl-changed", acl=acl((1, "world", "anyone"), (31, "digest", BOB)), version=0)
    main.call("", "setACL", path="/app/acl-changed", acl=acl((3, "world", "anyone"), (31, "digest", BOB)), version=1)

    main.call("", "create", **node("/quota"))
    for path, data in [("", None), ("/zookeeper_limits", "count=10,bytes=1000"),
                       ("/zookeeper_stats", "count=1,bytes=2")]:
        main.call("", "create", **node("/zookeeper/quota/quota" + path, data))
    main.call("", "create", **node("/quota/child", "12345"))
    main.call("", "setData", path="/quota/child", data=buffer("1234567"), version=0)

    main.call("", "setData", path="/app", data=buffer("changed"), version=0)
    main.call("", "setData", path="/app", data=None, version=-1)
    main.call("", "setData", path="/", data=buffer("root"), version=-1)
    main.call("", "create", **node("/app/gone"))
    main.call("", "delete", path="/app/gone", version=0)
    main.call("", "delete", path="/app/seq-0000000004", version=-1)
    main.call("", "create", **node("/app", "error: exists"))
    main.call("", "delete", path="/app/none", version=-1)
    main.call("", "setData", path="/app", data=buffer("error: version"), version=77)
    idle.call("", "setData", path="/app/acl-digest", data=buffer("error: no auth"), version=-1)

    main.multi("", "multi", [("check", {"path": "/app", "version": 2}),
                             ("create", node("/app/multi", "m")),
                             ("create2", node("/app/multi/e", None, flags=1)),
                             ("createContainer", node("/app/multi-box", flags=4)),
                             ("createTTL", dict(node("/app/multi-ttl", flags=5), ttl=7000000)),
                             ("setData", {"path": "/app/multi", "data": buffer("n"), "version": 0}),
                             ("create", node("/app/multi-gone")),
                             ("delete", {"path": "/app/multi-gone", "version": 0})])
    main.multi("", "multi", [("create", node("/app/never")), ("check", {"path": "/app", "version": 99}),
                             ("create", node("/app/never-either"))])
    main.multi("", "multi", [])

    closing.call("", "create", **node("/closing", flags=1))
    closing.call("", "create", **node("/app/closing-", flags=3))
    closing.close("")

    main.call("", "createContainer", **node("/swept", flags=4))
    main.call("", "create", **node("/swept/child"))
    main.call("", "delete", path="/swept/child", version=-1)
    main.call("", "createTTL", ttl=1, **node("/short-lived", flags=5))
    for path in ("/swept", "/short-lived", "/expiring"):
        wait_gone(main, path)

    main.call("", "create", **node("/busy", "0"))
    pipeline(main, [request for number in range(40) for request in
                    [("create", node("/busy/%02d" % number, "x" * number)),
                     ("setData", {"path": "/busy", "data": buffer(str(number)), "version": -1})]])
    pipeline(main, [("delete", {"path": "/busy/%02d" % number, "version": -1}) for number in range(0, 40, 3)])
    return [main, idle]


def populate_little(server):
    client = RawClient(server).connect("", timeout=300000)
    client.call("", "create", **node("/compressed", "c" * 200))
    pipeline(client, [("create", node("/compressed/%02d" % number, "data %d " % number * 20, flags=number % 2))
                      for number in range(30)])
    client.call("", "setACL", path="/compressed", acl=acl((1, "world", "anyone"), (31, "digest", BOB)), version=0)
    return [client]


def parse_dump(text):
    """The sessions and {session: ephemeral paths} of the `dump` word."""
    sessions_text, _, ephemerals_text = text.partition("Sessions with Ephemerals")
    sessions = set(re.findall(r"^\s*(0x[0-9a-f]+)$", sessions_text, re.M))
    ephemerals, session = {}, None
    for line in ephemerals_text.splitlines():
        if re.match(r"^0x[0-9a-f]+:", line):
            session = line.rstrip(":")
            ephemerals[session] = []
        elif line.strip().startswith("/"):
            ephemerals[session].append(line.strip())
    return sessions, {session: sorted(paths) for session, paths in sorted(ephemerals.items())}


def hex_id(signed):
    return "0x%x" % (int(signed) % 2 ** 64)


def read_tree(server):
    """Every node as a kazoo client sees it, and what `dump` says without that client's own session."""
    from kazoo.client import KazooClient
    client = KazooClient("127.0.0.1:%d" % server.port, auth_data=[("digest", "super:secret")])
    client.start()
    nodes, waiting = {}, ["/"]
    while waiting:
        path = waiting.pop()
        data, stat = client.get(path)
        acls, _ = client.get_acls(path)
        nodes[path] = {
            "data": None if data is None else {"hex": data.hex()},
            "stat": {field: str(value) if field in ("czxid", "mzxid", "ctime", "mtime", "ephemeralOwner", "pzxid")
                     else value for field, value in stat._asdict().items()},
            "acl": [{"perms": entry.perms, "id": {"scheme": entry.id.scheme, "id": entry.id.id}} for entry in acls]}
        waiting += [path.rstrip("/") + "/" + child for child in client.get_children(path)]
    sessions, ephemerals = parse_dump(four_letter_word(server.port, "dump"))
    sessions.discard(hex_id(client.client_id[0]))
    client.stop()
    client.close()
    return dict(sorted(nodes.items())), sessions, ephemerals


def summary(logs):
    return {name: [{"zxid": txn["header"]["zxid"], "type": txn["header"]["type"],
                    "digest": txn["digest"] and txn["digest"]["treeDigest"]} for txn in file]
            for name, file in logs.items()}


def expected_of(directory, settings):
    logs = read_logs(os.path.join(directory, "data"))
    txns = [txn for file in logs.values() for txn in file]
    copy = os.path.join(directory, "copy")
    shutil.copytree(os.path.join(directory, "data"), os.path.join(copy, "data"))
    server = ApacheServer(copy, SETTINGS + settings, [SWEEP_NEVER]).start()
    try:
        nodes, sessions, ephemerals = read_tree(server)
    finally:
        server.kill()

    markers = owners(txns)
    for path, item in nodes.items():
        item["persistedEphemeralOwner"] = str(markers.get(path, item["stat"]["ephemeralOwner"]))
    open_now = {hex_id(id): timeout for id, timeout in open_sessions(txns).items()}
    assert set(open_now) == sessions, (open_now, sessions)
    last_digest = next(({"zxid": txn["header"]["zxid"], **txn["digest"]} for txn in reversed(txns) if txn["digest"]),
                       None)
    if last_digest:
        assert last_digest["treeDigest"] == str(tree_digest(nodes)), "the digest of the tree served is another"
    return {
        "lastZxid": txns[-1]["header"]["zxid"] if txns else "0",
        "digest": last_digest,
        "sessions": [{"id": id, "timeoutMs": timeout} for id, timeout in sorted(open_now.items())],
        "ephemerals": ephemerals,
        "logs": summary(logs),
        "nodes": nodes,
    }


def pack(directory):
    files = {}
    root = os.path.join(directory, "data", "version-2")
    for name in sorted(os.listdir(root), key=lambda name: (name.split(".")[0], zxid_of(name))):
        with open(os.path.join(root, name), "rb") as file:
            files["version-2/" + name] = {"gzipBase64": base64.b64encode(
                gzip.compress(file.read(), 9, mtime=0)).decode()}
    return files


def unpack(files, directory):
    os.makedirs(os.path.join(directory, "version-2"))
    for name, packed in files.items():
        with open(os.path.join(directory, name), "wb") as file:
            file.write(gzip.decompress(base64.b64decode(packed["gzipBase64"])))


def check(target):
    """What needs no server: the logs read as they were read at capture, and the tree has the logs' last digest."""
    for name in sorted(os.listdir(target)):
        with open(os.path.join(target, name)) as file:
            stored = json.load(file)
        expected = stored["expected"]
        with tempfile.TemporaryDirectory() as directory:
            unpack(stored["files"], directory)
            assert summary(read_logs(directory)) == expected["logs"], name
        if expected["digest"]:
            assert expected["digest"]["treeDigest"] == str(tree_digest(expected["nodes"])), name
        print("%-16s %2d files, %2d nodes, %3d txns" % (name, len(stored["files"]), len(expected["nodes"]),
                                                        sum(map(len, expected["logs"].values()))))


def make(scenario, settings, fuzzy_wanted):
    """One directory; when a snapshot that is ahead of its name is wanted, again until there is one."""
    for _ in range(6):
        directory = tempfile.mkdtemp(prefix="golden-storage-")
        server = ApacheServer(directory, SETTINGS + settings, [SWEEP_OFTEN]).start()
        try:
            clients = scenario(server)
        finally:
            time.sleep(1)  # the snapshot thread may still be writing; nothing tells when it is done
            server.kill()
        for client in clients:
            client.drop()
        snapshots = [os.path.join(server.data, "version-2", name)
                     for name in os.listdir(os.path.join(server.data, "version-2"))
                     if name.startswith("snapshot.") and not name.endswith(".snappy")]
        fuzzy = sorted((os.path.basename(name) for name in snapshots if is_fuzzy(name)))
        if fuzzy or not fuzzy_wanted:
            result = {"files": pack(directory), "expected": expected_of(directory, settings)}
            if fuzzy_wanted:
                result["expected"]["fuzzySnapshots"] = fuzzy
            shutil.rmtree(directory)
            return result
        shutil.rmtree(directory)
    raise RuntimeError("no fuzzy snapshot in six attempts")


def capture(target):
    os.makedirs(target, exist_ok=True)
    for name, scenario, settings, fuzzy_wanted in [
            ("fresh", lambda server: [], [], False),
            ("populated", populate, ["snapCount=20"], True),
            ("gz", populate_little, ["snapCount=20", "snapshot.compression.method=gz"], False),
            ("snappy", populate_little, ["snapCount=20", "snapshot.compression.method=snappy"], False)]:
        result = make(scenario, settings, fuzzy_wanted)
        write_stored(os.path.join(target, name + ".json"), result)


def write_stored(path, result):
    with open(path, "w") as file:
        json.dump({"server": "apache-3.8.0", **result}, file, indent=1)
        file.write("\n")
    expected = result["expected"]
    print("storage/%s: %d files, %d nodes, last zxid %s, digest %s, fuzzy %s" % (
        os.path.basename(path), len(result["files"]), len(expected["nodes"]), expected["lastZxid"],
        expected["digest"], expected.get("fuzzySnapshots")))
