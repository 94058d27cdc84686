"""Nodes, access rights and transactions: kazoo's basic operations."""

from kazoo.exceptions import (
    BadVersionError,
    InvalidACLError,
    NoAuthError,
    NoChildrenForEphemeralsError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
    RolledBackError,
    RuntimeInconsistency,
)
from kazoo.security import CREATOR_ALL_ACL, OPEN_ACL_UNSAFE, READ_ACL_UNSAFE, make_digest_acl

from checks import check, eventually, expect, expect_equal, expect_raises


@check("create, get, set and delete follow the node's version")
def basic_operations(room):
    client = room.client()
    path = room.path("node")
    expect_equal(client.create(path, b"one", makepath=True), path, "the path that create answered")
    data, stat = client.get(path)
    expect_equal(data, b"one", "the data")
    expect_equal(stat.version, 0, "the version")
    expect_equal(client.set(path, b"two", version=0).version, 1, "the version after set")
    expect_raises(BadVersionError, client.set, path, b"stale", 0)
    expect_raises(BadVersionError, client.delete, path, 0)
    client.delete(path, version=1)
    expect_raises(NoNodeError, client.get, path)
    expect_equal(client.exists(path), None, "what exists answers about a deleted node")


@check("create answers the path and the Stat together when asked to")
def create_with_stat(room):
    client = room.client()
    path, stat = client.create(room.path("node"), b"data", makepath=True, include_data=True)
    expect_equal(path, room.path("node"), "the path")
    expect_equal(stat.dataLength, 4, "the data length")
    expect_equal(stat.czxid, client.exists(path).czxid, "the zxid of the creation")


@check("create and delete say why they refuse")
def refusals(room):
    client = room.client()
    client.create(room.path("parent", "child"), makepath=True)
    expect_raises(NodeExistsError, client.create, room.path("parent"))
    expect_raises(NoNodeError, client.create, room.path("missing", "child"))
    expect_raises(NotEmptyError, client.delete, room.path("parent"))
    client.create(room.path("mine"), ephemeral=True)
    expect_raises(NoChildrenForEphemeralsError, client.create, room.path("mine", "child"))


@check("empty data, binary data and paths in other scripts come back unchanged")
def awkward_values(room):
    client = room.client()
    every_byte = bytes(range(256)) * 100
    path = room.path("Knoten-\u00fc-\u6c34")
    client.create(path, every_byte, makepath=True)
    expect_equal(client.get(path)[0], every_byte, "the data")
    client.set(path, b"")
    expect_equal(client.get(path)[0], b"", "the emptied data")
    expect_equal(client.get_children(room.root), ["Knoten-\u00fc-\u6c34"], "the children")


@check("sequential nodes are numbered in order")
def sequential_nodes(room):
    client = room.client()
    client.ensure_path(room.root)
    made = [client.create(room.path("n-"), sequence=True) for _ in range(3)]
    expect_equal(made, [room.path(f"n-{number:010d}") for number in range(3)], "the names")


@check("ephemeral nodes belong to their session and go with it")
def ephemeral_nodes(room):
    owner, witness = room.client(), room.client()
    owner.create(room.path("eph"), ephemeral=True, makepath=True)
    expect_equal(witness.exists(room.path("eph")).ephemeralOwner, owner.client_id[0], "the owner")
    owner.stop()
    eventually(lambda: witness.exists(room.path("eph")) is None, "the ephemeral node goes")


@check("a recursive delete removes the tree")
def recursive_delete(room):
    client = room.client()
    client.create(room.path("a", "b", "c"), makepath=True)
    client.create(room.path("a", "d"))
    client.delete(room.path("a"), recursive=True)
    expect_equal(client.get_children(room.root), [], "the children of the root")


@check("many requests in flight are all answered")
def pipelined_requests(room):
    client = room.client()
    client.ensure_path(room.root)
    pending = [client.create_async(room.path(f"n{number}"), b"x") for number in range(300)]
    for number, request in enumerate(pending):
        expect_equal(request.get(timeout=15), room.path(f"n{number}"), "the answer")
    names, stat = client.get_children(room.root, include_data=True)
    expect_equal(len(names), 300, "the number of children")
    expect_equal(stat.numChildren, 300, "numChildren")


@check("sync answers its path")
def sync(room):
    client = room.client()
    client.ensure_path(room.root)
    expect_equal(client.sync(room.root), room.root, "what sync answers")


@check("four-letter words are answered on the client port")
def four_letter_words(room):
    client = room.client()
    expect_equal(client.command(b"ruok"), "imok", "the answer to ruok")
    expect("Mode: standalone" in client.command(b"srvr"), "srvr does not say `Mode: standalone`")
    expect(len(client.server_version()) >= 3, "no version could be read from the server")


@check("a transaction applies everything or nothing")
def transactions(room):
    client = room.client()
    client.create(room.path("there"), b"old", makepath=True)
    good = client.transaction()
    good.check(room.path("there"), version=0)
    good.create(room.path("new-"), b"x", sequence=True)
    good.set_data(room.path("there"), b"new", version=0)
    results = good.commit()
    expect_equal(results[0], True, "the result of check")
    expect_equal(results[1], room.path("new-0000000001"), "the result of create")
    expect_equal(results[2].version, 1, "the version in the result of set_data")

    bad = client.transaction()
    bad.create(room.path("never"))
    bad.delete(room.path("missing"))
    bad.set_data(room.path("there"), b"never")
    expect_equal(
        [type(result) for result in bad.commit()],
        [RolledBackError, NoNodeError, RuntimeInconsistency],
        "the results of the transaction that failed",
    )
    expect_equal(client.exists(room.path("never")), None, "what the failed transaction created")
    expect_equal(client.get(room.path("there"))[0], b"new", "the data after the failed transaction")


@check("a digest credential opens what its ACL protects")
def digest_authentication(room):
    owner, stranger = room.client(), room.client()
    owner.ensure_path(room.root)
    expect_raises(InvalidACLError, owner.create, room.path("mine"), b"", CREATOR_ALL_ACL)
    owner.add_auth("digest", "anna:secret")
    owner.create(room.path("mine"), b"private", acl=CREATOR_ALL_ACL)
    acls, stat = owner.get_acls(room.path("mine"))
    expect_equal(acls, [make_digest_acl("anna", "secret", all=True)], "the ACL")
    expect_equal(stat.aversion, 0, "the ACL version")
    expect_raises(NoAuthError, stranger.get, room.path("mine"))
    expect_raises(NoAuthError, stranger.set_acls, room.path("mine"), OPEN_ACL_UNSAFE)
    stranger.add_auth("digest", "anna:secret")
    expect_equal(stranger.get(room.path("mine"))[0], b"private", "what the credential opens")


@check("set_acls replaces the list and checks its version")
def replace_acl(room):
    client = room.client(auth_data=[("digest", "anna:secret")])
    client.create(room.path("node"), b"x", makepath=True)
    expect_equal(client.set_acls(room.path("node"), CREATOR_ALL_ACL + READ_ACL_UNSAFE).aversion, 1, "the ACL version")
    expect_raises(BadVersionError, client.set_acls, room.path("node"), OPEN_ACL_UNSAFE, 0)
    stranger = room.client()
    expect_equal(stranger.get(room.path("node"))[0], b"x", "what a stranger reads")
    expect_raises(NoAuthError, stranger.set, room.path("node"), b"y")


@check("the default ACL of a client is used for what it creates")
def default_acl(room):
    client = room.client(default_acl=CREATOR_ALL_ACL, auth_data=[("digest", "anna:secret")])
    client.create(room.path("node"), makepath=True)
    expect_equal(client.get_acls(room.path("node"))[0], [make_digest_acl("anna", "secret", all=True)], "the ACL")


@check("a chroot is put on and taken off paths")
def chroot(room):
    room.client().ensure_path(room.path("inner"))
    client = room.client(server=room.server + room.path("inner"))
    expect_equal(client.create("/node"), "/node", "the path that create answered")
    expect_equal(client.get_children("/"), ["node"], "the children of the chroot")
