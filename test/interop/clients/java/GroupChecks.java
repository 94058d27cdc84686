import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.zookeeper.CreateMode;

/** Barriers, groups and nodes that are kept alive. */
final class GroupChecks {
  static void register(Checks checks) {
    checks.add("DistributedBarrier holds everyone back until it is removed", GroupChecks::holdBack);
    checks.add("DistributedDoubleBarrier lets everyone in together and out together", GroupChecks::enterTogether);
    checks.add("GroupMember knows who is there", GroupChecks::knowMembers);
    checks.add("PersistentNode is made again when it is deleted", GroupChecks::remakeNode);
  }

  private static void holdBack(Room room) throws Exception {
    DistributedBarrier gate = new DistributedBarrier(room.client(), room.path("barrier"));
    gate.setBarrier();
    DistributedBarrier other = new DistributedBarrier(room.client(), room.path("barrier"));
    Checks.expect(!other.waitOnBarrier(200, TimeUnit.MILLISECONDS), "the barrier let someone pass");
    Future<Boolean> passed = room.run(() -> other.waitOnBarrier(Checks.WAIT_SECONDS, TimeUnit.SECONDS));
    gate.removeBarrier();
    Checks.expect(Checks.result(passed, "someone passes the barrier"), "the barrier was not lifted");
  }

  private static void enterTogether(Room room) throws Exception {
    CuratorFramework witness = room.client();
    List<DistributedDoubleBarrier> barriers = new ArrayList<>();
    for (int number = 0; number < 3; number++)
      barriers.add(new DistributedDoubleBarrier(room.client(), room.path("barrier"), 3));
    List<Future<Boolean>> entered = new ArrayList<>();
    for (DistributedDoubleBarrier barrier : barriers.subList(0, 2)) entered.add(room.run(() -> enter(barrier)));
    Checks.eventually(() -> witness.checkExists().forPath(room.path("barrier")) != null
        && witness.getChildren().forPath(room.path("barrier")).size() == 2, "two wait at the entrance");
    for (Future<Boolean> each : entered) Checks.expect(!each.isDone(), "someone entered a barrier for three alone");
    entered.add(room.run(() -> enter(barriers.get(2))));
    for (Future<Boolean> each : entered) Checks.expect(Checks.result(each, "someone enters"), "not everyone entered");
    List<Future<Boolean>> left = new ArrayList<>();
    for (DistributedDoubleBarrier barrier : barriers)
      left.add(room.run(() -> barrier.leave(Checks.WAIT_SECONDS, TimeUnit.SECONDS)));
    for (Future<Boolean> each : left) Checks.expect(Checks.result(each, "someone leaves"), "not everyone left");
  }

  private static boolean enter(DistributedDoubleBarrier barrier) throws Exception {
    return barrier.enter(Checks.WAIT_SECONDS, TimeUnit.SECONDS);
  }

  private static void knowMembers(Room room) throws Exception {
    CuratorFramework leaving = room.client();
    GroupMember first = room.open(new GroupMember(room.client(), room.path("group"), "first"));
    GroupMember second = new GroupMember(leaving, room.path("group"), "second");
    first.start();
    second.start();
    Checks.eventually(() -> first.getCurrentMembers().keySet().equals(Set.of("first", "second")), "both are members");
    leaving.close();
    Checks.eventually(() -> first.getCurrentMembers().keySet().equals(Set.of("first")), "one member is left");
  }

  private static void remakeNode(Room room) throws Exception {
    CuratorFramework witness = room.client();
    PersistentNode node = room.open(
        new PersistentNode(room.client(), CreateMode.EPHEMERAL, false, room.path("node"), NodeChecks.bytes("x")));
    node.start();
    Checks.expect(node.waitForInitialCreate(Checks.WAIT_SECONDS, TimeUnit.SECONDS), "the node was not made");
    long created = witness.checkExists().forPath(room.path("node")).getCzxid();
    witness.delete().forPath(room.path("node"));
    Checks.eventually(() -> witness.checkExists().forPath(room.path("node")) != null, "the node is made again");
    Checks.expect(witness.checkExists().forPath(room.path("node")).getCzxid() > created, "the node was never deleted");
  }
}
