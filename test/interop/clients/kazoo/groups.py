"""Recipes by which processes meet: barriers, parties, the partitioner."""

from checks import check, eventually, expect, expect_equal


@check("Barrier holds everyone back until it is removed")
def barrier(room):
    client, other = room.client(), room.client()
    gate = client.Barrier(room.path("barrier"))
    gate.create()
    passed = [room.run(each.Barrier(room.path("barrier")).wait, 15) for each in (client, other)]
    expect(not other.Barrier(room.path("barrier")).wait(0.2), "the barrier let someone pass")
    expect(all(each.is_empty() for each in passed), "the barrier let someone pass")
    expect(gate.remove(), "there was no barrier to remove")
    for each in passed:
        expect_equal(each.next("someone passes the barrier"), True, "the result of wait")
    expect(client.Barrier(room.path("barrier")).wait(15), "a barrier that is not there held someone back")


@check("DoubleBarrier lets everyone in together and out together")
def double_barrier(room):
    clients = [room.client() for _ in range(3)]
    barriers = [client.DoubleBarrier(room.path("barrier"), 3, f"c{n}") for n, client in enumerate(clients)]
    clients[0].ensure_path(room.path("barrier"))
    entered = [room.run(each.enter) for each in barriers[:2]]
    eventually(lambda: len(clients[2].get_children(room.path("barrier"))) == 2, "two wait at the entrance")
    expect(all(each.is_empty() for each in entered), "two entered a barrier for three")
    entered.append(room.run(barriers[2].enter))
    for each in entered:
        expect_equal(each.next("someone enters"), None, "the result of enter")
    left = [room.run(each.leave) for each in barriers]
    for each in left:
        expect_equal(each.next("someone leaves"), None, "the result of leave")
    expect_equal(clients[0].get_children(room.path("barrier")), [], "who is left in the barrier")


@check("Party and ShallowParty know who is there")
def parties(room):
    for kind in ("Party", "ShallowParty"):
        first, second = room.client(), room.client()
        path = room.path(kind)
        one, two = getattr(first, kind)(path, "one"), getattr(second, kind)(path, "two")
        one.join()
        two.join()
        expect_equal(sorted(one), ["one", "two"], f"who is at the {kind}")
        two.leave()
        expect_equal(list(one), ["one"], f"who is at the {kind} after one has left")
        two.join()
        second.stop()
        eventually(lambda: len(one) == 1, f"the member of the {kind} whose session has ended is gone")


@check("SetPartitioner divides a set among its members")
def partitioner(room):
    clients = [room.client(), room.client()]
    members = [
        client.SetPartitioner(room.path("partition"), set=range(4), identifier=f"m{n}", time_boundary=0.3)
        for n, client in enumerate(clients)
    ]

    def is_settled():
        for member in members:
            if member.release:
                member.release_set()
        return all(member.acquired for member in members) and sorted(members[0]) != sorted(members[1])

    eventually(is_settled, "both members have their part")
    expect_equal(sorted([*members[0], *members[1]]), [0, 1, 2, 3], "the parts together")
    for member in members:
        member.finish()
