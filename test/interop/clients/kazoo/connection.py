"""Connections that are cut: what kazoo keeps, tells and repeats."""

from kazoo.client import KazooState
from kazoo.exceptions import ConnectionLoss
from kazoo.protocol.states import EventType
from kazoo.security import CREATOR_ALL_ACL

from checks import WAIT_SECONDS, Inbox, check, expect, expect_equal


def _listen(client):
    states = Inbox()
    client.add_listener(states.put)
    return states


@check("a session survives the cut of its connection, with its ephemeral nodes")
def survive_cut(room):
    proxy, witness = room.proxy(), room.client()
    client = room.client(server=proxy.address)
    states, session = _listen(client), client.client_id
    client.create(room.path("eph"), ephemeral=True, makepath=True)
    proxy.cut()
    expect_equal(states.next("the state after the cut"), KazooState.SUSPENDED, "the state after the cut")
    proxy.mend()
    expect_equal(states.next("the state after the repair"), KazooState.CONNECTED, "the state after the repair")
    expect_equal(client.client_id, session, "the session")
    expect(witness.exists(room.path("eph")) is not None, "the ephemeral node is gone")


@check("a request that was on its way is lost with the connection, and retry repeats it")
def retry(room):
    # Each has a connection of its own: what is held back on it is this request, which nobody else was quicker than.
    proxies = room.proxy(), room.proxy()
    plain, patient = [room.client(server=proxy.address) for proxy in proxies]
    plain.create(room.path("node"), b"x", makepath=True)
    for proxy in proxies:
        proxy.hold()
    once = room.run(plain.get, room.path("node"))
    repeated = room.run(patient.retry, patient.get, room.path("node"))
    for proxy in proxies:
        expect(proxy.has_held.wait(WAIT_SECONDS), "no request was sent")
        proxy.cut()
    lost = once.next("the lost request")
    expect(isinstance(lost, ConnectionLoss), f"the lost request ended with {lost!r}")
    for proxy in proxies:
        proxy.mend()
    result = repeated.next("the repeated request")
    expect(not isinstance(result, Exception) and result[0] == b"x", f"the repeated request ended with {result!r}")


@check("DataWatch and ChildrenWatch go on after a cut and see what they missed")
def watches_after_cut(room):
    proxy, writer = room.proxy(), room.client()
    client = room.client(server=proxy.address)
    writer.create(room.path("node"), b"before", makepath=True)
    states, data, children = _listen(client), Inbox(), Inbox()
    client.DataWatch(room.path("node"), lambda value, stat: data.put(value))
    client.ChildrenWatch(room.root, lambda names: children.put(sorted(names)))
    expect_equal(data.next("the first call"), b"before", "the data before the cut")
    expect_equal(children.next("the first call"), ["node"], "the children before the cut")
    proxy.cut()
    expect_equal(states.next("the state after the cut"), KazooState.SUSPENDED, "the state after the cut")
    writer.set(room.path("node"), b"meanwhile")
    writer.create(room.path("other"))
    proxy.mend()
    expect_equal(data.next("the missed data"), b"meanwhile", "the missed data")
    expect_equal(children.next("the missed children"), ["node", "other"], "the missed children")
    writer.set(room.path("node"), b"after")
    expect_equal(data.next("the change after the cut"), b"after", "the change after the cut")


@check("a session that stays away too long is lost, and the client starts another")
def lose_session(room):
    proxy, witness = room.proxy(), room.client()
    client = room.client(server=proxy.address, timeout=3.0)
    states, session = _listen(client), client.client_id
    client.create(room.path("eph"), ephemeral=True, makepath=True)
    gone = Inbox()
    witness.exists(room.path("eph"), watch=gone.put)
    proxy.cut()
    expect_equal(states.next("the state after the cut"), KazooState.SUSPENDED, "the state after the cut")
    expect_equal(gone.next("the ephemeral node goes").type, EventType.DELETED, "the event at the witness")
    proxy.mend()
    expect_equal(states.next("the state of the expired session"), KazooState.LOST, "the state of the expired session")
    expect_equal(states.next("the state of the new session"), KazooState.CONNECTED, "the state of the new session")
    expect(client.client_id[0] != session[0], "the new session has the id of the old one")


@check("a client that is restarted gets a new session and sees the old data")
def restart(room):
    client = room.client()
    client.create(room.path("node"), b"kept", makepath=True)
    session = client.client_id
    client.restart()
    expect_equal(client.get(room.path("node"))[0], b"kept", "the data")
    expect(client.client_id[0] != session[0], "the session is still the old one")


@check("a lock is kept through a short cut")
def lock_through_cut(room):
    proxy, rival = room.proxy(), room.client()
    client = room.client(server=proxy.address)
    states, lock = _listen(client), client.Lock(room.path("lock"), "holder")
    expect(lock.acquire(timeout=15), "the free lock was not acquired")
    proxy.cut()
    expect_equal(states.next("the state after the cut"), KazooState.SUSPENDED, "the state after the cut")
    proxy.mend()
    expect_equal(states.next("the state after the repair"), KazooState.CONNECTED, "the state after the repair")
    expect_equal(rival.Lock(room.path("lock")).contenders(), ["holder"], "who stands in line")
    lock.release()
    expect(rival.Lock(room.path("lock")).acquire(timeout=15), "the lock was not passed on")


@check("credentials are shown again after a cut")
def credentials_after_cut(room):
    proxy = room.proxy()
    client = room.client(server=proxy.address, auth_data=[("digest", "anna:secret")])
    client.create(room.path("mine"), b"x", acl=CREATOR_ALL_ACL, makepath=True)
    states = _listen(client)
    proxy.cut()
    expect_equal(states.next("the state after the cut"), KazooState.SUSPENDED, "the state after the cut")
    proxy.mend()
    expect_equal(states.next("the state after the repair"), KazooState.CONNECTED, "the state after the repair")
    expect_equal(client.get(room.path("mine"))[0], b"x", "what the credential opens")
