"""One-shot watches and the recipes that renew them: DataWatch, ChildrenWatch, TreeCache."""

from kazoo.protocol.states import EventType
from kazoo.recipe.cache import TreeCache, TreeEvent
from kazoo.recipe.watchers import PatientChildrenWatch

from checks import Inbox, check, expect, expect_equal, eventually


@check("a data watch fires once")
def data_watch_once(room):
    client, writer = room.client(), room.client()
    client.create(room.path("node"), b"0", makepath=True)
    events = Inbox()
    client.get(room.path("node"), watch=events.put)
    writer.set(room.path("node"), b"1")
    event = events.next("the event of the change")
    expect_equal((event.type, event.path), (EventType.CHANGED, room.path("node")), "the event")
    writer.set(room.path("node"), b"2")
    client.get(room.path("node"))
    expect(events.is_empty(), "the watch fired again")


@check("an exists watch fires on creation and on deletion")
def exists_watch(room):
    client = room.client()
    client.ensure_path(room.root)
    events = Inbox()
    client.exists(room.path("node"), watch=events.put)
    client.create(room.path("node"))
    expect_equal(events.next("the event of the creation").type, EventType.CREATED, "the first event")
    client.exists(room.path("node"), watch=events.put)
    client.delete(room.path("node"))
    expect_equal(events.next("the event of the deletion").type, EventType.DELETED, "the second event")


@check("a child watch fires when children come and go")
def child_watch(room):
    client, writer = room.client(), room.client()
    client.ensure_path(room.root)
    for change in (writer.create, writer.delete):
        events = Inbox()
        client.get_children(room.root, watch=events.put)
        change(room.path("child"))
        event = events.next("the event of the change")
        expect_equal((event.type, event.path), (EventType.CHILD, room.root), "the event")


@check("DataWatch follows a node from before its creation to after its deletion")
def data_watch_recipe(room):
    client, writer = room.client(), room.client()
    client.ensure_path(room.root)
    seen = Inbox()

    @client.DataWatch(room.path("node"))
    def follow(data, stat):
        seen.put((data, None if stat is None else stat.version))

    expect_equal(seen.next("the first call"), (None, None), "the first call")
    writer.create(room.path("node"), b"0")
    expect_equal(seen.next("the call for the creation"), (b"0", 0), "the call for the creation")
    for version in range(1, 6):
        writer.set(room.path("node"), b"%d" % version)
        expect_equal(seen.next("the call for a change"), (b"%d" % version, version), "the call for a change")
    writer.delete(room.path("node"))
    expect_equal(seen.next("the call for the deletion"), (None, None), "the call for the deletion")


@check("ChildrenWatch follows the children of a node")
def children_watch_recipe(room):
    client, writer = room.client(), room.client()
    client.ensure_path(room.root)
    seen = Inbox()

    @client.ChildrenWatch(room.root)
    def follow(children):
        seen.put(sorted(children))

    expect_equal(seen.next("the first call"), [], "the first call")
    writer.create(room.path("a"))
    expect_equal(seen.next("the call for a"), ["a"], "the call for a")
    writer.create(room.path("b"))
    expect_equal(seen.next("the call for b"), ["a", "b"], "the call for b")
    writer.delete(room.path("a"))
    expect_equal(seen.next("the call for the deletion"), ["b"], "the call for the deletion")


@check("PatientChildrenWatch waits until the children stop changing")
def patient_watch(room):
    client = room.client()
    client.ensure_path(room.root)
    client.create(room.path("a"))
    children, changed = PatientChildrenWatch(client, room.root, time_boundary=0.2).start().get(timeout=15)
    expect_equal(children, ["a"], "the children")
    client.create(room.path("b"))
    expect(changed.wait(15) or changed.ready(), "the change of the children was not announced")


@check("TreeCache follows a tree")
def tree_cache(room):
    client, writer = room.client(), room.client()
    writer.create(room.path("a", "b"), b"1", makepath=True)
    cache = TreeCache(client, room.root)
    kinds = Inbox()
    cache.listen(lambda event: kinds.put(event.event_type))
    cache.start()
    while kinds.next("the cache is initialized") != TreeEvent.INITIALIZED:
        pass
    expect_equal(cache.get_data(room.path("a", "b")).data, b"1", "the cached data")
    writer.set(room.path("a", "b"), b"2")
    eventually(lambda: cache.get_data(room.path("a", "b")).data == b"2", "the change in the cache")
    writer.create(room.path("a", "c"))
    eventually(lambda: cache.get_children(room.path("a")) == {"b", "c"}, "the new child in the cache")
    writer.delete(room.path("a"), recursive=True)
    eventually(lambda: cache.get_data(room.path("a")) is None, "the deletion in the cache")
    cache.close()
