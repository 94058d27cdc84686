#!/usr/bin/python3
"""Captures the golden files from real Apache ZooKeeper 3.8.0 servers and real clients (see README.md).

  capture.py            everything
  capture.py protocol   client-protocol.json
  capture.py storage    storage/*.json, but for replicated.json
  capture.py ensemble   server-protocol.json and storage/replicated.json
  capture.py check      decodes and re-encodes what is there, without a server
"""
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
RIG = os.path.join(HERE, "rig")
sys.path.insert(0, RIG)
sys.dont_write_bytecode = True

import ensemble_scenario  # noqa: E402
import raw_scenario  # noqa: E402
import storage_scenario  # noqa: E402
from apache_server import CLASSPATH, ApacheServer, free_port  # noqa: E402
from jute import OPERATIONS, decode, encode, kebab  # noqa: E402
from recording_proxy import RecordingProxy  # noqa: E402

SERVER = "apache-3.8.0"
STANDALONE = ["extendedTypesEnabled=true", "enforceQuota=true"]


# ---- from what the proxy saw to specimens ----------------------------------------------------------------------------

def operation_name(opcode):
    return OPERATIONS[opcode][0] if opcode in OPERATIONS else "unknown"


def frames_of(connection):
    """(label, op, opcode, direction, payload) of one connection, each reply matched to its request by xid."""
    waiting = collections.defaultdict(collections.deque)
    # A client that comes back restores its credentials and watches by itself, maybe after the label has moved on.
    restoring = connection.first_label.startswith("reattach-") or connection.first_label == "reattach"
    greeted = {True: False, False: False}
    for from_client, label, payload in connection.frames:
        if not greeted[from_client]:
            greeted[from_client] = True
            yield connection.first_label, "connect", None, ("connect-request" if from_client else
                                                            "connect-response"), payload
            continue
        xid = int.from_bytes(payload[:4], "big", signed=True)
        if from_client:
            opcode = int.from_bytes(payload[4:8], "big", signed=True)
            restoring = restoring and operation_name(opcode) in ("auth", "setWatches", "setWatches2")
            label = connection.first_label if restoring else label
            waiting[xid].append((label, opcode))
            yield label, operation_name(opcode), opcode, "request", payload
        elif waiting[xid]:
            asked_as, opcode = waiting[xid].popleft()
            yield asked_as, operation_name(opcode), opcode, "reply", payload
        elif xid == -1:
            yield label, "notification", 0, "notification", payload
        else:
            raise RuntimeError("a reply to nothing: %s" % payload.hex())


def sent_unasked(proxy, op):
    """A ping carries whatever label was current when the client's own timer sent it; one specimen is enough."""
    return op == "ping" and proxy.client != "raw"


def specimens_of(proxy):
    for connection in proxy.connections:
        seen = collections.Counter()
        for label, op, opcode, direction, payload in frames_of(connection):
            label = "by-itself" if sent_unasked(proxy, op) else label
            prefix = proxy.client if proxy.setup == "standalone" else proxy.client + "-" + proxy.setup
            stem = "-".join([prefix, kebab(op), label, direction])
            seen[stem] += 1
            name = stem if seen[stem] == 1 else "%s-%d" % (stem, seen[stem])
            value, remarks = decode(direction, payload, opcode)
            error = value["header"]["err"] if direction in ("reply", "notification") else 0
            specimen = {"name": name, "client": proxy.client if proxy.client != "java" else "java-3.8.0",
                        "server": SERVER, "setup": proxy.setup, "op": op, "opcode": opcode, "direction": direction,
                        "errorCode": error, "hex": payload.hex(), "value": value}
            if encode(direction, value, opcode) != payload:
                specimen["reencodes"] = False
            if remarks:
                specimen["remarks"] = remarks
            if "undecodable" in (value["body"] or {}):
                specimen["wellFormed"] = False
            yield specimen


def collect(proxies):
    kept = {}
    for proxy in proxies:
        for specimen in specimens_of(proxy):
            if re.search("-prepare|-quota-parent|-session-for-|-by-itself-.*-\\d+$", specimen["name"]):
                continue
            kept.setdefault(specimen["name"], specimen)
    return list(kept.values())


# ---- driving the clients ---------------------------------------------------------------------------------------------

def drive(command, proxy, on_cut=None, log=None):
    """Runs a program that says "STEP name" or "CUT name" and waits for a line before it goes on."""
    program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
    done = False
    for line in program.stdout:
        word, _, rest = line.strip().partition(" ")
        if word == "DONE":
            done = True
        elif word in ("STEP", "CUT"):
            proxy.label = rest
            if word == "CUT":
                proxy.cut()
            program.stdin.write("\n")
            program.stdin.flush()
            if word == "CUT":
                on_cut(rest)
                proxy.mend()
    if program.wait(30) != 0 or not done:
        raise RuntimeError("%s failed" % command[0])


def compile_clients(directory):
    # The class path of the jar's manifest is followed by `java`, not by `javac`.
    jute_jar = CLASSPATH.split(":")[0].replace("zookeeper.jar", "zookeeper-jute.jar")
    subprocess.run(["javac", "-nowarn", "-d", directory, "-cp", CLASSPATH + ":" + jute_jar,
                    os.path.join(RIG, "GoldenClient.java")], check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["gcc", "-DTHREADED", "-o", os.path.join(directory, "golden-client"),
                    os.path.join(RIG, "golden_client.c"), "-lzookeeper_mt", "-lpthread"], check=True)


def java_command(directory, *arguments, properties=()):
    return ["java", "-Xmx128m", "-cp", CLASSPATH + ":" + directory] + list(properties) + ["GoldenClient"] + list(arguments)


def drive_kazoo(proxy):
    from kazoo.client import KazooClient
    from kazoo.exceptions import NodeExistsError
    proxy.label = "new-session"
    client = KazooClient("127.0.0.1:%d" % proxy.port, timeout=10.0)
    client.start()

    def step(label, action):
        proxy.label = label
        return action()

    step("persistent", lambda: client.create("/kazoo/p", b"hi"))
    step("ephemeral-sequential", lambda: client.create("/kazoo/e-", b"hi", ephemeral=True, sequence=True))
    step("include-data", lambda: client.create("/kazoo/p2", b"hi", include_data=True))
    try:
        step("node-exists", lambda: client.create("/kazoo/p", b"hi"))
    except NodeExistsError:
        pass
    arrived = client.handler.event_object()
    step("watched", lambda: client.get("/kazoo/p", watch=lambda event: arrived.set()))
    step("data-changed", lambda: (client.set("/kazoo/p", b"new"), arrived.wait(10)))
    step("some", lambda: client.get_children("/kazoo", include_data=True))
    transaction = client.transaction()
    transaction.check("/kazoo/p", 1)
    transaction.create("/kazoo/t", b"t")
    transaction.set_data("/kazoo/t", b"u", 0)
    transaction.delete("/kazoo/t")
    step("every-op", transaction.commit)
    failing = client.transaction()
    failing.create("/kazoo/t", b"t")
    failing.check("/kazoo/p", 99)
    step("second-fails", failing.commit)
    step("digest", lambda: client.add_auth("digest", "bob:pw"))
    step("any", lambda: client.sync("/kazoo"))
    step("any-version", lambda: client.delete("/kazoo/p2"))
    step("close", lambda: client.stop())
    client.close()


def direct_client(server):
    from kazoo.client import KazooClient
    client = KazooClient("127.0.0.1:%d" % server.port)
    client.start()
    return client


def while_away(server, root):
    """What changes while a client is cut off, so that its setWatches finds something to catch up on."""
    def change(label):
        if label != "reattach":
            return
        other = direct_client(server)
        other.set(root + "/p", b"changed while away")
        other.create(root + "/later", b"")
        other.stop()
        other.close()
    return change


def capture_standalone(directory, log):
    server = ApacheServer(os.path.join(directory, "standalone"), STANDALONE).start()
    proxies = [RecordingProxy(client, server.port) for client in ("java", "kazoo", "c", "raw")]
    java, kazoo, c, raw = proxies
    try:
        setup = direct_client(server)
        for root in ("/java", "/kazoo", "/c", "/raw"):
            setup.create(root, b"")
        setup.stop()
        setup.close()
        drive(java_command(directory, "plain", "127.0.0.1:%d" % java.port), java, while_away(server, "/java"), log)
        drive_kazoo(kazoo)
        drive([os.path.join(directory, "golden-client"), "127.0.0.1:%d" % c.port], c, while_away(server, "/c"), log)
        raw_scenario.run(raw)
    finally:
        server.stop()
    return proxies


def capture_replicated(directory, log):
    """One voter in replicated mode: the least that a reconfiguration can succeed on."""
    ports = (free_port(), free_port())
    member = "server.1=127.0.0.1:%d:%d:participant;127.0.0.1:CLIENT_PORT" % ports
    server = ApacheServer(os.path.join(directory, "replicated"), ["standaloneEnabled=false", "reconfigEnabled=true"],
                          members=[member]).start()
    proxy = RecordingProxy("java", server.port, "replicated")
    try:
        drive(java_command(directory, "reconfig", "127.0.0.1:%d" % proxy.port,
                           member.replace("CLIENT_PORT", str(server.port))), proxy, None, log)
    finally:
        server.stop()
    return [proxy]


def capture_sasl(directory, log):
    jaas = os.path.join(directory, "jaas.conf")
    module = "org.apache.zookeeper.server.auth.DigestLoginModule required"
    with open(jaas, "w") as file:
        file.write('Server { %s user_bob="secret"; };\nClient { %s username="bob" password="secret"; };\n' %
                   (module, module))
    login = "-Djava.security.auth.login.config=" + jaas
    server = ApacheServer(os.path.join(directory, "sasl"),
                          ["authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider"],
                          [login, "-Dzookeeper.sessionRequireClientSASLAuth=true"]).start()
    proxies = [RecordingProxy("java", server.port, "sasl"), RecordingProxy("raw", server.port, "sasl")]
    try:
        drive(java_command(directory, "sasl", "127.0.0.1:%d" % proxies[0].port, properties=[login]), proxies[0], None,
              log)
        raw_scenario.run_sasl_required(proxies[1])
    finally:
        server.stop()
    return proxies


def capture_read_only(directory, log):
    members = ["server.%d=127.0.0.1:%d:%d;127.0.0.1:%s" % (number, free_port(), free_port(), client)
               for number, client in ((1, "CLIENT_PORT"), (2, str(free_port())))]
    server = ApacheServer(os.path.join(directory, "read-only"), ["localSessionsEnabled=true"],
                          ["-Dreadonlymode.enabled=true"], members).start(("Mode: read-only",))
    proxy = RecordingProxy("java", server.port, "read-only")
    try:
        drive(java_command(directory, "read-only", "127.0.0.1:%d" % proxy.port), proxy, None, log)
    finally:
        server.stop()
    return [proxy]


NOTES = " ".join("""
One frame per entry, without its 4-byte length. `value` is what an independent decoder (rig/jute.py) makes of `hex`:
longs are decimal strings, buffers {"hex"} or null, null strings and vectors null. The body of an error reply without a
body is null, a record without fields is {}. In a multi the terminator (type -1, done, err -1) is left out of `ops`.
readOnly is missing from a handshake that ends before it. An entry with "reencodes": false is legal to read but is not
what a writer produces; "wellFormed": false marks requests that a server refuses; `remarks` says why in both cases.
A request and its reply share their name up to the last word. `setup` is the server's: standalone (extended types and
quota enforcement on), replicated (one voter, reconfigEnabled), sasl (DIGEST-MD5, required) or read-only (one of two).
""".split())

NOT_CAPTURED = {
    "createSession (-10)": "no client sends it; a server makes it from the handshake",
    "deleteContainer (20), served": "internal to the server; only a refused request is here",
    "check (13), reply of success outside multi": "3.8.0 executes it and never answers",
    "create2 result with a Stat inside multi": "3.8.0 answers type 1 with the path only; later releases send 15 with Stat",
    "notification with a real zxid": "3.8.0 always sends -1; 3.9.0 and later send the transaction's",
    "error (-1)": "a transaction type, never on this protocol",
    "GSSAPI tokens": "need a Kerberos realm",
    "ThrottledOp (-127), NewConfigNoQuorum (-13), ReconfigInProgress (-14), SessionMoved (-118)":
        "need load, an ensemble without quorum or a race; same shape as every error reply: a header alone",
}


def write_json(path, top, items_key, items):
    """One item per line: readable in a diff, and small."""
    with open(path, "w") as file:
        file.write("{\n")
        for key, value in top.items():
            file.write(" %s: %s,\n" % (json.dumps(key), json.dumps(value, ensure_ascii=True)))
        file.write(" %s: [\n" % json.dumps(items_key))
        file.write(",\n".join("  " + json.dumps(item, ensure_ascii=True, separators=(",", ":")) for item in items))
        file.write("\n ]\n}\n")


def capture_protocol():
    directory = tempfile.mkdtemp(prefix="golden-")
    log = open(os.path.join(directory, "clients.log"), "w")
    try:
        compile_clients(directory)
        proxies = []
        for scene in (capture_standalone, capture_replicated, capture_sasl, capture_read_only):
            proxies += scene(directory, log)
        specimens = collect(proxies)
        for proxy in proxies:
            proxy.close()
        write_json(os.path.join(HERE, "client-protocol.json"), {"notes": NOTES, "notCaptured": NOT_CAPTURED},
                   "captured", specimens)
    except BaseException:
        print("left for a look:", directory)
        raise
    shutil.rmtree(directory)


def check_protocol():
    with open(os.path.join(HERE, "client-protocol.json")) as file:
        specimens = json.load(file)["captured"]
    counts = collections.Counter()
    names = set()
    for specimen in specimens:
        payload = bytes.fromhex(specimen["hex"])
        direction, opcode = specimen["direction"], specimen["opcode"]
        value, _ = decode(direction, payload, opcode)
        assert value == specimen["value"], specimen["name"]
        assert (encode(direction, value, opcode) == payload) == specimen.get("reencodes", True), specimen["name"]
        assert specimen["name"] not in names, specimen["name"]
        names.add(specimen["name"])
        counts[(specimen["op"], opcode, direction, "ok" if specimen["errorCode"] == 0 else "error")] += 1
    for key, count in sorted(counts.items(), key=str):
        print("%-22s %5s  %-16s %-5s %d" % (*map(str, key), count))
    print(len(specimens), "specimens, each decoded to its last byte;",
          [s["name"] for s in specimens if not s.get("reencodes", True)], "do not re-encode")


SERVER_NOTES = " ".join("""
One packet, snapshot stream, notification (without its 4-byte length) or greeting (the first bytes on an election
connection) per entry. `value` is what an independent decoder (rig/server_protocol.py) makes of `hex`, written as in
client-protocol.json; the data of a packet are decoded as its type and `sender` say. `sender` raw: made up for the
capture, and `understood` says whether the real server answered or took it for nothing.
""".split())


def capture_ensemble():
    specimens, stored = ensemble_scenario.capture()
    write_json(os.path.join(HERE, "server-protocol.json"), {"notes": SERVER_NOTES}, "captured", specimens)
    storage_scenario.write_stored(os.path.join(HERE, "storage", "replicated.json"), stored)


def check_ensemble():
    with open(os.path.join(HERE, "server-protocol.json")) as file:
        ensemble_scenario.check(json.load(file)["captured"])


def main():
    what = sys.argv[1:] or ["protocol", "storage", "ensemble", "check"]
    if "protocol" in what:
        capture_protocol()
    if "storage" in what:
        storage_scenario.capture(os.path.join(HERE, "storage"))
    if "ensemble" in what:
        capture_ensemble()
    if "check" in what:
        check_protocol()
        check_ensemble()
        storage_scenario.check(os.path.join(HERE, "storage"))


if __name__ == "__main__":
    main()
