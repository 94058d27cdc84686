"""Queues and the counter."""

from checks import check, eventually, expect, expect_equal


@check("Queue hands out entries by priority and order, each once")
def plain_queue(room):
    client, other = room.client(), room.client()
    queue = client.Queue(room.path("queue"))
    for entry, priority in ((b"b", 100), (b"c", 100), (b"a", 1)):
        queue.put(entry, priority)
    expect_equal(len(queue), 3, "the length")
    taken = [queue.get(), other.Queue(room.path("queue")).get(), queue.get()]
    expect_equal(taken, [b"a", b"b", b"c"], "the entries")
    expect_equal(queue.get(), None, "what an empty queue gives")


@check("LockingQueue keeps an entry until it is consumed")
def locking_queue(room):
    client, other = room.client(), room.client()
    queue, rival = client.LockingQueue(room.path("queue")), other.LockingQueue(room.path("queue"))
    queue.put_all([b"one", b"two"])
    expect_equal(queue.get(timeout=15), b"one", "the entry of the first")
    expect_equal(rival.get(timeout=15), b"two", "the entry of the second")
    expect(queue.holds_lock() and rival.holds_lock(), "an entry that was taken is not locked")
    expect(rival.release(), "the second could not give its entry back")
    expect(queue.consume(), "the first could not consume its entry")
    expect_equal(queue.get(timeout=15), b"two", "the entry that was given back")
    expect(queue.consume(), "the entry that was given back could not be consumed")
    expect_equal(len(queue), 0, "the length")
    expect_equal(queue.get(timeout=0.2), None, "what an empty queue gives")


@check("LockingQueue wakes who waits, and frees the entries of a lost session")
def locking_queue_waits(room):
    client, other = room.client(), room.client()
    waiting = room.run(client.LockingQueue(room.path("queue")).get, 15)
    other.LockingQueue(room.path("queue")).put(b"late")
    expect_equal(waiting.next("the entry that came later"), b"late", "the entry")
    rival = room.run(other.LockingQueue(room.path("queue")).get, 15)
    eventually(lambda: other.get_children(room.path("queue", "taken")) != [], "the entry is marked as taken")
    client.stop()
    expect_equal(rival.next("the entry of the lost session"), b"late", "the entry of the lost session")


@check("Counter adds up what two clients add at the same time")
def counter(room):
    clients = [room.client(), room.client()]

    def add(client):
        total = client.Counter(room.path("counter"))
        for _ in range(20):
            total += 1
        total -= 5

    for finished in [room.run(add, client) for client in clients]:
        expect_equal(finished.next("the additions"), None, "how the additions ended")
    expect_equal(clients[0].Counter(room.path("counter")).value, 30, "the total")


@check("Counter is understood as Curator's SharedCount")
def curator_counter(room):
    client = room.client()
    total = client.Counter(room.path("counter"), support_curator=True)
    total += 258
    expect_equal(client.get(room.path("counter"))[0], b"\x00\x00\x01\x02", "the stored bytes")
