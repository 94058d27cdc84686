"""Three voters and an observer that elect, replicate, lose their leader twice and change their configuration."""
import os
import shutil
import socket
import tempfile
import time

import made_up_peers
import server_protocol as protocol
from apache_server import ApacheServer, free_port
from jute import OPCODES, kebab
from raw_scenario import RawClient, buffer, node
from recording_relay import RecordingRelay
from storage_scenario import SETTINGS as STORAGE_SETTINGS
from storage_scenario import acl, expected_of, pack

VOTERS, OBSERVER, ABSENT_OBSERVER = (1, 2, 3), 4, 5
SETTINGS = STORAGE_SETTINGS + ["tickTime=500", "initLimit=40", "syncLimit=40", "reconfigEnabled=true", "snapCount=25"]
LEADING, FOLLOWING, OBSERVING = ("Mode: leader",), ("Mode: follower",), ("Mode: observer",)
STATES = ["looking", "following", "leading", "observing"]


class Ensemble:
    def __init__(self, directory):
        self.directory = directory
        self.conversations = []
        # What the leader sent to made-up followers: one whose history goes too far, one of before Zab 1.0.
        self.joined_ahead = self.joined_of_old = b""
        self.ports = {number: {kind: free_port() for kind in ("quorum", "election", "client")}
                      for number in (*VOTERS, OBSERVER, ABSENT_OBSERVER)}
        members = [self.line(number) for number in (*VOTERS, OBSERVER)]
        self.servers = {number: self.server(number, members) for number in (*VOTERS, OBSERVER)}
        self.relays = [RecordingRelay(dialer, listener, kind, relay_address(dialer, listener),
                                      self.ports[listener][kind], self.conversations)
                       for dialer in self.servers for listener in self.servers if dialer != listener
                       for kind in ("quorum", "election")]

    def line(self, number):
        ports = self.ports[number]
        return "server.%d=%s:%d:%d:%s;127.0.0.1:%d" % (
            number, "zk%d" % number if number != ABSENT_OBSERVER else "127.0.0.1", ports["quorum"], ports["election"],
            "participant" if number in VOTERS else "observer", ports["client"])

    def server(self, number, members):
        directory = os.path.join(self.directory, str(number))
        os.makedirs(directory)
        hosts = os.path.join(directory, "hosts")
        with open(hosts, "w") as file:
            file.write("127.0.0.1 localhost zk%d\n" % number)
            for other in (*VOTERS, OBSERVER):
                if other != number:
                    file.write("%s zk%d\n" % (relay_address(number, other), other))
        return ApacheServer(directory, SETTINGS, ["-Djdk.net.hosts.file=" + hosts, "-Xmx128m",
                                                  "-Dznode.container.checkIntervalMs=86400000"],
                            members, number, self.ports[number]["client"])

    def close(self):
        for server in self.servers.values():
            server.kill()
        for relay in self.relays:
            relay.close()

    def election_answer(self, number, wanted_state, **question):
        """Asks until the server is in that state; None at once where the question is one that it ignores."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                answer = made_up_peers.ask(self.ports[number]["election"], **question)
                if answer is None or answer[3] == STATES.index(wanted_state):
                    return answer
            except ConnectionRefusedError:
                pass
            time.sleep(0.1)
        raise RuntimeError("server %d is not %s" % (number, wanted_state))


def relay_address(dialer, listener):
    return "127.1.%d.%d" % (dialer, listener)


# ---- the story -------------------------------------------------------------------------------------------------------

def write_all_kinds(server, root):
    """One of each write, served or refused, through a learner; every call waits for its reply."""
    client = RawClient(server).connect("", timeout=60000)
    client.call("", "auth", xid=-4, type=0, scheme="digest", auth=buffer("bob:pw"))
    call = client.call
    call("", "create", **node(root, "root"))
    call("", "create", **node(root + "/own", "o", acl((31, "auth", ""), (1, "world", "anyone"))))
    call("", "create2", **node(root + "/seq-", None, flags=2))
    call("", "createContainer", **node(root + "/box", flags=4))
    call("", "createTTL", ttl=5000000, **node(root + "/ttl", "t", flags=5))
    call("", "setData", path=root, data=buffer("changed"), version=0)
    call("", "setACL", path=root, acl=acl((31, "world", "anyone"), (31, "ip", "127.0.0.1")), version=0)
    call("", "create", **node(root + "/gone", ""))
    call("", "delete", path=root + "/gone", version=0)
    call("", "create", **node(root, "error: exists"))
    call("", "sync", path=root)
    client.multi("", "multi", [("check", {"path": root, "version": 1}), ("create", node(root + "/m", "m")),
                               ("setData", {"path": root, "data": buffer("n"), "version": 1}),
                               ("delete", {"path": root + "/m", "version": 0})])
    client.multi("", "multi", [("create", node(root + "/never")), ("check", {"path": root, "version": 99})])
    call("", "create", **node(root + "/live", "e", flags=1))
    return client


def leave_with_an_ephemeral(server, root):
    client = RawClient(server).connect("", timeout=60000)
    client.call("", "create", **node(root + "/leaving", "e", flags=1))
    client.close("")
    return client


def move_session(client, server):
    """The session of a client that is open somewhere else; then one that is closed: valid and not valid."""
    client.drop()
    moved = RawClient(server).connect("", session_id=client.session_id, passwd=client.passwd, timeout=60000)
    assert moved.session_id == client.session_id
    moved.close("")
    RawClient(server).connect("", session_id=client.session_id, passwd=client.passwd, timeout=60000).drop()


def reconfigure(server, **change):
    client = RawClient(server).connect("", timeout=60000)
    client.call("", "auth", xid=-4, type=0, scheme="digest", auth=buffer("super:secret"))
    request = {"joiningServers": None, "leavingServers": None, "newMembers": None, "curConfigId": -1, **change}
    answer = client.call("", "reconfig", **request)
    if answer[12:16] != b"\0\0\0\0":
        raise RuntimeError("reconfig was refused: " + answer.hex())
    client.close("")


def wait_for_pings(seconds=2):
    """A leader's PING goes out each half tick of 500 ms; nothing tells when one has been answered."""
    time.sleep(seconds)


def story(ensemble, kept):
    one, two, three, observer = (ensemble.servers[number] for number in (1, 2, 3, 4))
    observer.launch()
    three.launch()
    kept.notification("looking", ensemble.election_answer(3, "looking"), "a voter that has no quorum")
    two.launch()
    three.wait_for(LEADING), two.wait_for(FOLLOWING), observer.wait_for(OBSERVING)
    kept.notification("following", ensemble.election_answer(2, "following"), "")
    kept.notification("leading", ensemble.election_answer(3, "leading"), "")
    kept.notification("observing", ensemble.election_answer(4, "observing"), "")
    ask_in_all_forms(ensemble, kept)

    at_follower = write_all_kinds(two, "/follower")
    at_observer = write_all_kinds(observer, "/observer")
    leave_with_an_ephemeral(two, "/follower")
    leave_with_an_ephemeral(observer, "/observer")
    move_session(at_observer, two)
    move_session(at_follower, observer)
    staying = write_all_kinds(two, "/staying")
    one.start(FOLLOWING)  # its history is empty: SNAP
    wait_for_pings()
    reconfigure(two, joiningServers=ensemble.line(ABSENT_OBSERVER))
    one.kill()
    staying.call("", "setData", path="/staying", data=buffer("while 1 was away"), version=-1)
    one.start(FOLLOWING)  # it has accepted this epoch before, and lacks one txn
    kept.notification("leading-reconfigured", ensemble.election_answer(3, "leading"), "its configuration has a version")
    last = leader_history_end(staying)
    ensemble.joined_ahead = made_up_peers.join(ensemble.ports[3]["quorum"], last + 1000)
    ensemble.joined_of_old = made_up_peers.join(ensemble.ports[3]["quorum"], last, 8)

    three.kill()
    two.wait_for(LEADING), one.wait_for(FOLLOWING)
    staying.drop()
    second = RawClient(two).connect("", timeout=60000)
    second.call("", "create", **node("/second-epoch", "2"))
    three.start(FOLLOWING)
    second.drop()
    two.kill()
    three.wait_for(LEADING), one.wait_for(FOLLOWING)
    two.start(FOLLOWING)
    third = RawClient(two).connect("", timeout=60000)
    third.call("", "create", **node("/third-epoch", "3"))
    third.call("", "create", **node("/third-epoch/live", "e", flags=1))
    for number in range(12):
        third.call("", "setData", path="/third-epoch", data=buffer(str(number)), version=-1)
    reconfigure(two, leavingServers=str(ABSENT_OBSERVER))
    third.call("", "setData", path="/third-epoch", data=buffer("last"), version=-1)
    wait_for_pings()
    two.kill()


def leader_history_end(client):
    return int.from_bytes(client.call("", "setData", path="/staying", data=buffer("at the end"), version=-1)[4:12],
                          "big")


FORMS = [("27-bytes", 27, False), ("28-bytes", 28, True), ("36-bytes", 36, False), ("40-bytes", 40, True),
         ("config-cut-off", -1, False), ("whole", None, True)]


def ask_in_all_forms(ensemble, kept):
    """Only a state report that a server has understood is answered; the shorter forms are those of old releases."""
    for name, length, understood in FORMS:
        body = made_up_peers.looking()[:length]
        answer = ensemble.election_answer(3, "leading", body=body)
        assert (answer is not None) == understood, name
        kept.raw("notification", name, body, understood)
    body = made_up_peers.looking(version=1, config="")
    assert ensemble.election_answer(3, "leading", body=body) is not None
    kept.raw("notification", "version-1", body, True)
    for name, first, understood in [
            ("bare-sid", made_up_peers.bare_sid(), True),
            ("several-addresses", made_up_peers.greeting(-65535, "127.0.0.1:1|[::1]:1"), True),
            ("version-unknown", made_up_peers.greeting(-65534), False),
            ("no-addresses", made_up_peers.greeting(addresses=""), False)]:
        answer = ensemble.election_answer(3, "leading", first=first)
        assert (answer is not None) == understood, name
        kept.raw("greeting", name, first, understood)


def greet_with_several_addresses(directory, kept):
    """A server that may have several addresses calls a peer that is not there, but for its election port."""
    listening = socket.create_server(("127.0.0.1", 0))
    found = []
    arrived = made_up_peers.first_bytes(listening, found)
    ports = free_port(), free_port()
    members = ["server.1=127.0.0.1:%d:%d|127.0.0.2:%d:%d;127.0.0.1:CLIENT_PORT" % (ports + ports),
               "server.2=127.0.0.1:%d:%d;127.0.0.1:%d" % (free_port(), listening.getsockname()[1], free_port())]
    server = ApacheServer(os.path.join(directory, "addresses"), (), ["-Dzookeeper.multiAddress.enabled=true"],
                          members).launch()
    try:
        arrived.join(60)
        kept.add("greeting", "participant", "several-addresses", found[0])
    finally:
        server.kill()
        listening.close()


# ---- from bytes to specimens -----------------------------------------------------------------------------------------

def txn_case(value):
    return kebab(protocol.TXNS[value["header"]["type"]][0])


def request_case(packet):
    opcode = packet["data"]["head"]["opcode"]
    names = {code: name for name, code in OPCODES.items()}
    name = kebab(names.get(opcode, "createSession"))
    return name + ("" if packet["authinfo"] is not None else "-without-authinfo")


def packet_case(packet, sender):
    """What tells packets of one type apart: the part of a specimen's name behind the packet's."""
    kind, data = packet["type"], packet["data"]
    if kind == protocol.REQUEST:
        return request_case(packet)
    if kind in (protocol.PROPOSAL, protocol.INFORM):
        return txn_case(data)
    if kind == protocol.INFORMANDACTIVATE:
        return txn_case(data["txn"])
    if kind == protocol.ACK:
        return "of-epoch" if int(packet["zxid"]) % 2 ** 32 == 0 else "of-txn"
    if kind == protocol.PING and sender != "leader":
        return "sessions" if data["sessions"] else "no-sessions"
    if kind == protocol.REVALIDATE:
        return "query" if sender != "leader" else "valid" if data["valid"] else "not-valid"
    if kind == protocol.ACKEPOCH:
        return "accepted-before" if data["currentEpoch"] == -1 else ""
    return ""


class Kept:
    """The specimens: of each name the first, so that the file stays small; of snapshots the one that holds most."""

    def __init__(self):
        self.specimens = {}

    def add(self, kind, sender, case, payload, remark="", **more):
        value = protocol.decode(kind, payload, sender)
        if protocol.encode(kind, value, sender) != payload:
            raise RuntimeError("does not re-encode: %s %s" % (kind, payload.hex()))
        name = "-".join(filter(None, [sender, self.word(kind, value), case]))
        before = self.specimens.get(name)
        if before is None or (kind == "snap-stream" and len(before["hex"]) < 2 * len(payload)):
            self.specimens[name] = {"name": name, "kind": kind, "sender": sender, "server": "apache-3.8.0", **more,
                                    "hex": payload.hex(), "value": value, **({"remark": remark} if remark else {})}

    def word(self, kind, value):
        return protocol.NAMES[value["type"]].lower() if kind == "packet" else kind

    def notification(self, case, payload, remark):
        self.add("notification", "server", case, payload, remark)

    def raw(self, kind, case, payload, understood):
        """Made up, and recorded with what a real server made of it."""
        self.specimens["raw-%s-%s" % (kind, case)] = {
            "name": "raw-%s-%s" % (kind, case), "kind": kind, "sender": "raw", "server": "apache-3.8.0",
            "understood": understood, "hex": payload.hex(), "value": None}

    def stream(self, sender, stream, remark="", case=""):
        for kind, payload in protocol.split_packets(stream):
            packet = protocol.decode_packet(payload, sender) if kind == "packet" else None
            own_case = packet_case(packet, sender) if packet else ""
            self.add(kind, sender, "-".join(filter(None, [own_case, case])), payload, remark)

    def conversation(self, conversation):
        dialer = "observer" if conversation.dialer == OBSERVER else "follower"
        if conversation.kind == "quorum":
            self.stream(dialer, conversation.sent)
            self.stream("leader", conversation.answered)
        elif len(conversation.sent) >= 20:
            self.election(conversation, "observer" if conversation.dialer == OBSERVER else "participant")

    def election(self, conversation, dialer):
        end = 20 + int.from_bytes(conversation.sent[16:20], "big")
        self.add("greeting", dialer, "", conversation.sent[:end])
        for sender, stream in ((dialer, conversation.sent[end:]),
                               ("observer" if conversation.listener == OBSERVER else "participant",
                                conversation.answered)):
            for payload in protocol.split_frames(stream):
                self.add("notification", sender, STATES[payload[3]], payload)


WANTED = {"observer-notification-looking", "leader-trunc", "leader-snap-stream", "leader-commitandactivate",
          "leader-informandactivate-reconfig", "leader-revalidate-valid", "leader-revalidate-not-valid",
          "follower-ping-sessions", "follower-ping-no-sessions", "follower-ackepoch-accepted-before",
          "follower-request-sync", "leader-newleader-before-zab-1", "participant-greeting-several-addresses"}


def capture():
    """The specimens, and the data directory of a follower with what it holds."""
    directory = tempfile.mkdtemp(prefix="golden-ensemble-")
    kept = Kept()
    ensemble = Ensemble(directory)
    try:
        story(ensemble, kept)
    finally:
        ensemble.close()
    greet_with_several_addresses(directory, kept)
    for conversation in ensemble.conversations:
        kept.conversation(conversation)
    kept.stream("leader", ensemble.joined_ahead, "to a made-up follower that is ahead")
    kept.stream("leader", ensemble.joined_of_old, "to a made-up follower that sent 8 bytes of LearnerInfo",
                "before-zab-1")
    missing = WANTED - set(kept.specimens)
    seen = {specimen["value"]["type"] for specimen in kept.specimens.values() if specimen["kind"] == "packet"}
    missing |= {protocol.NAMES[kind] for kind in set(protocol.NAMES) - seen}
    if missing:
        raise RuntimeError("not captured: %s; left for a look: %s" % (sorted(missing), directory))
    follower = os.path.join(directory, "2")
    stored = {"files": pack(follower), "expected": expected_of(follower, [])}
    for name in ("acceptedEpoch", "currentEpoch"):
        with open(os.path.join(follower, "data", "version-2", name)) as file:
            stored["expected"][name] = int(file.read())
    shutil.rmtree(directory)
    return [kept.specimens[name] for name in sorted(kept.specimens)], stored


def check(specimens):
    for specimen in specimens:
        if specimen["value"] is None:
            continue
        payload = bytes.fromhex(specimen["hex"])
        value = protocol.decode(specimen["kind"], payload, specimen["sender"])
        assert value == specimen["value"], specimen["name"]
        assert protocol.encode(specimen["kind"], value, specimen["sender"]) == payload, specimen["name"]
    print(len(specimens), "specimens between servers, each decoded to its last byte and encoded to the same")
