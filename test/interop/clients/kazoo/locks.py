"""Recipes by which processes exclude one another: locks, semaphore, leases, election."""

import datetime

from kazoo.exceptions import LockTimeout

from checks import Inbox, check, eventually, expect, expect_equal, expect_raises


@check("Lock is held by one of two contenders and passed on")
def lock(room):
    first, second = room.client(), room.client()
    held, wanted = first.Lock(room.path("lock"), "first"), second.Lock(room.path("lock"), "second")
    expect(held.acquire(timeout=15), "the first contender did not get the free lock")
    expect(not wanted.acquire(blocking=False), "the second contender got the lock without waiting")
    acquired = room.run(wanted.acquire)
    eventually(lambda: held.contenders() == ["first", "second"], "the second contender waits in line")
    expect(acquired.is_empty(), "the second contender got a lock that is held")
    held.release()
    expect_equal(acquired.next("the second contender gets the lock"), True, "the result of acquire")
    expect_raises(LockTimeout, first.Lock(room.path("lock"), "third").acquire, timeout=0.2)
    wanted.release()
    eventually(lambda: held.contenders() == [], "the line is empty")


@check("Lock is passed on when its holder's session ends")
def lock_of_a_lost_holder(room):
    holder, waiter = room.client(), room.client()
    expect(holder.Lock(room.path("lock")).acquire(timeout=15), "the free lock was not acquired")
    waiting = waiter.Lock(room.path("lock"), "waiter")
    acquired = room.run(waiting.acquire)
    eventually(lambda: len(waiting.contenders()) == 2, "the waiter waits in line")
    holder.stop()
    expect_equal(acquired.next("the waiter gets the lock"), True, "the result of acquire")


@check("ten contenders hold a Lock one at a time")
def crowded_lock(room):
    clients = [room.client() for _ in range(3)]
    inside, most = [], []

    def enter(number):
        with clients[number % 3].Lock(room.path("lock")):
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)

    for finished in [room.run(enter, number) for number in range(10)]:
        expect_equal(finished.next("a contender is done"), None, "the result of a contender")
    expect_equal(most, [1] * 10, "how many were inside")


@check("ReadLock is shared, WriteLock is not")
def read_write_lock(room):
    client, other = room.client(), room.client()
    reader, second_reader = client.ReadLock(room.path("lock")), other.ReadLock(room.path("lock"))
    expect(reader.acquire(timeout=15) and second_reader.acquire(timeout=15), "two readers did not get in together")
    writer = other.WriteLock(room.path("lock"))
    expect(not writer.acquire(blocking=False), "a writer got in beside readers")
    acquired = room.run(writer.acquire)
    reader.release()
    second_reader.release()
    expect_equal(acquired.next("the writer gets in"), True, "the result of acquire")
    expect(not client.ReadLock(room.path("lock")).acquire(blocking=False), "a reader got in beside a writer")
    writer.release()


@check("Semaphore lets in as many as it has leases")
def semaphore(room):
    clients = [room.client() for _ in range(3)]
    semaphores = [client.Semaphore(room.path("semaphore"), max_leases=2) for client in clients]
    expect(semaphores[0].acquire(timeout=15) and semaphores[1].acquire(timeout=15), "two leases were not given")
    expect(not semaphores[2].acquire(blocking=False), "a third lease was given out of two")
    acquired = room.run(semaphores[2].acquire)
    semaphores[0].release()
    expect_equal(acquired.next("the third gets the lease given back"), True, "the result of acquire")
    semaphores[1].release()
    semaphores[2].release()


@check("Election makes one leader at a time, and the next when it is gone")
def election(room):
    first, second = room.client(), room.client()
    leads, resign = Inbox(), Inbox()

    def lead(name):
        leads.put(name)
        resign.next(f"{name} is told to resign")

    first_done = room.run(first.Election(room.path("election"), "first").run, lead, "first")
    expect_equal(leads.next("the first leader"), "first", "the first leader")
    second_election = second.Election(room.path("election"), "second")
    second_done = room.run(second_election.run, lead, "second")
    eventually(lambda: second_election.contenders() == ["first", "second"], "both are candidates")
    expect(leads.is_empty(), "there are two leaders")
    resign.put(True)
    expect_equal(leads.next("the second leader"), "second", "the second leader")
    resign.put(True)
    expect_equal(first_done.next("the first is done"), None, "how the first candidacy ended")
    expect_equal(second_done.next("the second is done"), None, "how the second candidacy ended")


@check("NonBlockingLease is given to one holder until it runs out")
def lease(room):
    first, second = room.client(), room.client()
    now = [datetime.datetime(2020, 1, 1)]

    def ask(client, name):
        minute = datetime.timedelta(minutes=1)
        return bool(client.NonBlockingLease(room.path("lease"), minute, identifier=name, utcnow=lambda: now[0]))

    expect(ask(first, "first"), "the free lease was not given")
    expect(not ask(second, "second"), "the lease was given twice")
    expect(ask(first, "first"), "the holder could not renew its lease")
    now[0] += datetime.timedelta(minutes=2)
    expect(ask(second, "second"), "the lease did not run out")
