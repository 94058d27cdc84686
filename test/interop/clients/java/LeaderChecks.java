import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.state.ConnectionState;

/** Elections. */
final class LeaderChecks {
  static void register(Checks checks) {
    checks.add("LeaderLatch passes leadership on when the leader closes", LeaderChecks::failOver);
    checks.add("LeaderLatch gives leadership up when its session is lost", LeaderChecks::loseLeadership);
    checks.add("LeaderSelector lets candidates lead in turn", LeaderChecks::takeTurns);
  }

  private static LeaderLatch latch(Room room, CuratorFramework client, String id) throws Exception {
    LeaderLatch latch = new LeaderLatch(client, room.path("leader"), id);
    latch.start();
    return latch;
  }

  private static void failOver(Room room) throws Exception {
    LeaderLatch first = latch(room, room.client(), "first");
    Checks.expect(first.await(Checks.WAIT_SECONDS, TimeUnit.SECONDS), "the only candidate does not lead");
    LeaderLatch second = room.open(latch(room, room.client(), "second"));
    Checks.eventually(() -> second.getParticipants().size() == 2, "both are candidates");
    Checks.expect(!second.hasLeadership(), "there are two leaders");
    Checks.expectEqual("first", second.getLeader().getId(), "the leader");
    first.close();
    Checks.expect(second.await(Checks.WAIT_SECONDS, TimeUnit.SECONDS), "leadership was not passed on");
  }

  private static void loseLeadership(Room room) throws Exception {
    CuttableProxy proxy = room.proxy();
    CuratorFramework client = room.client(room.builder(proxy.address(), Room.BRIEF_TIMEOUT_MS));
    BlockingQueue<ConnectionState> states = room.states(client);
    LeaderLatch first = room.open(latch(room, client, "first"));
    Checks.expect(first.await(Checks.WAIT_SECONDS, TimeUnit.SECONDS), "the only candidate does not lead");
    LeaderLatch second = latch(room, room.client(), "second");
    proxy.cut();
    Checks.expect(second.await(Checks.WAIT_SECONDS, TimeUnit.SECONDS), "leadership was not passed on");
    Checks.expect(!first.hasLeadership(), "the lost leader believes that it still leads");
    Room.await(ConnectionState.LOST, states);
    Room.mend(proxy, states);
    second.close();
    Checks.expect(first.await(Checks.WAIT_SECONDS, TimeUnit.SECONDS), "the returned candidate does not lead");
  }

  private static void takeTurns(Room room) throws Exception {
    BlockingQueue<String> leads = new LinkedBlockingQueue<>();
    CountDownLatch[] resign = {new CountDownLatch(1), new CountDownLatch(1)};
    for (int number = 0; number < 2; number++) {
      CountDownLatch told = resign[number];
      String name = "candidate " + number;
      LeaderSelectorListenerAdapter candidate = new LeaderSelectorListenerAdapter() {
        @Override
        public void takeLeadership(CuratorFramework client) throws Exception {
          leads.add(name);
          told.await();
        }
      };
      LeaderSelector selector = room.open(new LeaderSelector(room.client(), room.path("leader"), candidate));
      selector.start();
      if (number == 0) Checks.expectEqual(name, Checks.next(leads, "the first leader"), "the first leader");
      else Checks.eventually(() -> selector.getParticipants().size() == 2, "both are candidates");
    }
    Checks.expect(leads.isEmpty(), "there are two leaders");
    resign[0].countDown();
    Checks.expectEqual("candidate 1", Checks.next(leads, "the second leader"), "the second leader");
    resign[1].countDown();
  }
}
