import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;

/** Connections that are cut: what stays, what is repeated, what is lost. */
final class ConnectionChecks {
  static void register(Checks checks) {
    checks.add("a session survives a cut with its ephemeral node and its lock", ConnectionChecks::surviveCut);
    checks.add("a request made while the connection is cut is answered after it", ConnectionChecks::retryRequest);
    checks.add("watches are registered again and fire for what happened meanwhile", ConnectionChecks::catchUp);
    checks.add("persistent watches are registered again after a cut", ConnectionChecks::keepPersistentWatch);
    checks.add("a lost session takes its ephemeral node along, PersistentNode makes it anew",
        ConnectionChecks::loseSession);
  }

  private static void surviveCut(Room room) throws Exception {
    CuttableProxy proxy = room.proxy();
    CuratorFramework witness = room.client();
    CuratorFramework client = room.client(room.builder(proxy.address(), Room.SESSION_TIMEOUT_MS));
    BlockingQueue<ConnectionState> states = room.states(client);
    long session = client.getZookeeperClient().getZooKeeper().getSessionId();
    client.create().creatingParentsIfNeeded().withMode(CreateMode.EPHEMERAL).forPath(room.path("mine"));
    InterProcessMutex mutex = new InterProcessMutex(client, room.path("lock"));
    mutex.acquire();
    Room.cut(proxy, states);
    Room.mend(proxy, states);
    Checks.expectEqual(session, client.getZookeeperClient().getZooKeeper().getSessionId(), "the session");
    Checks.expect(witness.checkExists().forPath(room.path("mine")) != null, "the ephemeral node is gone");
    InterProcessMutex next = new InterProcessMutex(witness, room.path("lock"));
    Checks.expectEqual(1, next.getParticipantNodes().size(), "how many stand in line");
    mutex.release();
    Checks.expect(next.acquire(Checks.WAIT_SECONDS, TimeUnit.SECONDS), "the lock was not passed on");
  }

  private static void retryRequest(Room room) throws Exception {
    CuttableProxy proxy = room.proxy();
    CuratorFramework client = room.client(room.builder(proxy.address(), Room.SESSION_TIMEOUT_MS));
    BlockingQueue<ConnectionState> states = room.states(client);
    client.create().creatingParentsIfNeeded().forPath(room.path("node"), NodeChecks.bytes("x"));
    Room.cut(proxy, states);
    Future<byte[]> answer = room.run(() -> client.getData().forPath(room.path("node")));
    Room.mend(proxy, states);
    Checks.expectEqual("x", NodeChecks.text(Checks.result(answer, "the answer")), "the data");
  }

  private static void catchUp(Room room) throws Exception {
    CuttableProxy proxy = room.proxy();
    CuratorFramework writer = room.client();
    CuratorFramework client = room.client(room.builder(proxy.address(), Room.SESSION_TIMEOUT_MS));
    BlockingQueue<ConnectionState> states = room.states(client);
    for (String name : new String[] {"changed", "deleted", "parent", "untouched"})
      writer.create().creatingParentsIfNeeded().forPath(room.path(name), NodeChecks.bytes("before"));
    BlockingQueue<WatchedEvent> changed = new LinkedBlockingQueue<>();
    BlockingQueue<WatchedEvent> deleted = new LinkedBlockingQueue<>();
    BlockingQueue<WatchedEvent> created = new LinkedBlockingQueue<>();
    BlockingQueue<WatchedEvent> children = new LinkedBlockingQueue<>();
    BlockingQueue<WatchedEvent> untouched = new LinkedBlockingQueue<>();
    client.getData().usingWatcher(into(changed)).forPath(room.path("changed"));
    client.getData().usingWatcher(into(deleted)).forPath(room.path("deleted"));
    client.checkExists().usingWatcher(into(created)).forPath(room.path("created"));
    client.getChildren().usingWatcher(into(children)).forPath(room.path("parent"));
    client.getData().usingWatcher(into(untouched)).forPath(room.path("untouched"));
    Room.cut(proxy, states);
    writer.setData().forPath(room.path("changed"), NodeChecks.bytes("after"));
    writer.delete().forPath(room.path("deleted"));
    writer.create().forPath(room.path("created"));
    writer.create().forPath(room.path("parent/child"));
    Room.mend(proxy, states);
    Checks.expectEvent(changed, EventType.NodeDataChanged, room.path("changed"));
    Checks.expectEvent(deleted, EventType.NodeDeleted, room.path("deleted"));
    Checks.expectEvent(created, EventType.NodeCreated, room.path("created"));
    Checks.expectEvent(children, EventType.NodeChildrenChanged, room.path("parent"));
    Checks.expect(untouched.isEmpty(), "a watch fired though its node did not change");
    writer.setData().forPath(room.path("untouched"), NodeChecks.bytes("after"));
    Checks.expectEvent(untouched, EventType.NodeDataChanged, room.path("untouched"));
  }

  private static void keepPersistentWatch(Room room) throws Exception {
    CuttableProxy proxy = room.proxy();
    CuratorFramework writer = room.client();
    CuratorFramework client = room.client(room.builder(proxy.address(), Room.SESSION_TIMEOUT_MS));
    BlockingQueue<ConnectionState> states = room.states(client);
    BlockingQueue<WatchedEvent> events = new LinkedBlockingQueue<>();
    writer.create().forPath(room.root);
    client.watchers().add().withMode(AddWatchMode.PERSISTENT_RECURSIVE)
        .usingWatcher(into(events)).forPath(room.root);
    Room.cut(proxy, states);
    Room.mend(proxy, states);
    // What happens before the server has the watch again is lost; the answer to a request says that it has.
    client.checkExists().forPath(room.root);
    writer.create().forPath(room.path("child"));
    Checks.expectEvent(events, EventType.NodeCreated, room.path("child"));
    writer.delete().forPath(room.path("child"));
    Checks.expectEvent(events, EventType.NodeDeleted, room.path("child"));
  }

  /** Curator tells every watcher of lost and regained connections as well; here only nodes matter. */
  private static Watcher into(BlockingQueue<WatchedEvent> events) {
    return event -> {
      if (event.getType() != EventType.None) events.add(event);
    };
  }

  private static void loseSession(Room room) throws Exception {
    CuttableProxy proxy = room.proxy();
    CuratorFramework witness = room.client();
    CuratorFramework client = room.client(room.builder(proxy.address(), Room.BRIEF_TIMEOUT_MS));
    BlockingQueue<ConnectionState> states = room.states(client);
    PersistentNode node = room.open(
        new PersistentNode(client, CreateMode.EPHEMERAL, false, room.path("node"), NodeChecks.bytes("x")));
    node.start();
    Checks.expect(node.waitForInitialCreate(Checks.WAIT_SECONDS, TimeUnit.SECONDS), "the node was not made");
    long owner = witness.checkExists().forPath(room.path("node")).getEphemeralOwner();
    Room.cut(proxy, states);
    Checks.eventually(() -> witness.checkExists().forPath(room.path("node")) == null, "the ephemeral node goes");
    Room.await(ConnectionState.LOST, states);
    Room.mend(proxy, states);
    Checks.eventually(() -> witness.checkExists().forPath(room.path("node")) != null, "the node is made again");
    long newOwner = witness.checkExists().forPath(room.path("node")).getEphemeralOwner();
    Checks.expect(newOwner != owner, "the owner is the lost session");
  }
}
