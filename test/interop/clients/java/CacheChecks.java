import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.cache.ChildData;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.cache.NodeCache;
import org.apache.curator.framework.recipes.cache.PathChildrenCache;
import org.apache.curator.framework.recipes.cache.PathChildrenCacheEvent;
import org.apache.curator.framework.recipes.cache.PathChildrenCacheEvent.Type;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.curator.framework.recipes.watch.PersistentWatcher;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;

/** Caches and watchers: CuratorCache rests on persistent recursive watches, the older ones on one-shot watches. */
@SuppressWarnings("deprecation")
final class CacheChecks {
  static void register(Checks checks) {
    checks.add("CuratorCache follows a tree by a persistent recursive watch", CacheChecks::curatorCache);
    checks.add("PathChildrenCache follows the children of a node", CacheChecks::pathChildrenCache);
    checks.add("NodeCache follows a node that comes, changes and goes", CacheChecks::nodeCache);
    checks.add("TreeCache follows a tree by one-shot watches", CacheChecks::treeCache);
    checks.add("PersistentWatcher sees every change, exact and recursive", CacheChecks::persistentWatcher);
    checks.add("a one-shot watch is removed", CacheChecks::removeWatch);
  }

  private static byte[] bytes(String text) {
    return NodeChecks.bytes(text);
  }

  private static void curatorCache(Room room) throws Exception {
    CuratorFramework writer = room.client();
    writer.create().creatingParentsIfNeeded().forPath(room.path("a/b"), bytes("1"));
    CuratorCache cache = room.open(CuratorCache.build(room.client(), room.root));
    BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    cache.listenable().addListener(CuratorCacheListener.builder()
        .forInitialized(() -> seen.add("initialized")).afterInitialized()
        .forCreates(node -> seen.add("created " + node.getPath()))
        .forChanges((before, node) -> seen.add("changed " + node.getPath() + " to " + NodeChecks.text(node.getData())))
        .forDeletes(node -> seen.add("deleted " + node.getPath()))
        .build());
    cache.start();
    Checks.expectEqual("initialized", Checks.next(seen, "the cache is filled"), "the first event");
    String cached = cache.get(room.path("a/b")).map(node -> NodeChecks.text(node.getData())).orElse(null);
    Checks.expectEqual("1", cached, "the cached data");
    writer.setData().forPath(room.path("a/b"), bytes("2"));
    Checks.expectEqual("changed " + room.path("a/b") + " to 2", Checks.next(seen, "the change"), "the event");
    writer.create().forPath(room.path("a/c"));
    Checks.expectEqual("created " + room.path("a/c"), Checks.next(seen, "the creation"), "the event");
    writer.delete().forPath(room.path("a/c"));
    Checks.expectEqual("deleted " + room.path("a/c"), Checks.next(seen, "the deletion"), "the event");
  }

  private static void pathChildrenCache(Room room) throws Exception {
    CuratorFramework writer = room.client();
    writer.create().creatingParentsIfNeeded().forPath(room.path("there"), bytes("1"));
    PathChildrenCache cache = room.open(new PathChildrenCache(room.client(), room.root, true));
    BlockingQueue<PathChildrenCacheEvent> events = new LinkedBlockingQueue<>();
    cache.getListenable().addListener((client, event) -> events.add(event));
    cache.start(PathChildrenCache.StartMode.BUILD_INITIAL_CACHE);
    Checks.expectEqual(1, cache.getCurrentData().size(), "how many children are cached");
    writer.create().forPath(room.path("new"), bytes("x"));
    expectEvent(events, Type.CHILD_ADDED, room.path("new"));
    writer.setData().forPath(room.path("there"), bytes("2"));
    expectEvent(events, Type.CHILD_UPDATED, room.path("there"));
    writer.delete().forPath(room.path("new"));
    expectEvent(events, Type.CHILD_REMOVED, room.path("new"));
  }

  private static void expectEvent(BlockingQueue<PathChildrenCacheEvent> events, Type type, String path)
      throws Exception {
    PathChildrenCacheEvent event = Checks.next(events, type + " at " + path);
    Checks.expectEqual(type + " " + path, event.getType() + " " + event.getData().getPath(), "the event");
  }

  private static void nodeCache(Room room) throws Exception {
    CuratorFramework writer = room.client();
    writer.create().forPath(room.root);
    NodeCache cache = room.open(new NodeCache(room.client(), room.path("node")));
    BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    Function<ChildData, String> content = data -> data == null ? "gone" : NodeChecks.text(data.getData());
    cache.getListenable().addListener(() -> seen.add(content.apply(cache.getCurrentData())));
    cache.start(true);
    writer.create().forPath(room.path("node"), bytes("1"));
    Checks.expectEqual("1", Checks.next(seen, "the creation"), "the data");
    writer.setData().forPath(room.path("node"), bytes("2"));
    Checks.expectEqual("2", Checks.next(seen, "the change"), "the data");
    writer.delete().forPath(room.path("node"));
    Checks.expectEqual("gone", Checks.next(seen, "the deletion"), "the data");
  }

  private static void treeCache(Room room) throws Exception {
    CuratorFramework writer = room.client();
    writer.create().creatingParentsIfNeeded().forPath(room.path("a/b"), bytes("1"));
    TreeCache cache = room.open(new TreeCache(room.client(), room.root));
    cache.start();
    Checks.eventually(() -> contentOf(cache, room.path("a/b")).equals("1"), "the data in the cache");
    writer.setData().forPath(room.path("a/b"), bytes("2"));
    Checks.eventually(() -> contentOf(cache, room.path("a/b")).equals("2"), "the change in the cache");
    writer.create().creatingParentsIfNeeded().forPath(room.path("c/d/e"), bytes("3"));
    Checks.eventually(() -> contentOf(cache, room.path("c/d/e")).equals("3"), "the new branch in the cache");
    writer.delete().deletingChildrenIfNeeded().forPath(room.path("a"));
    Checks.eventually(() -> contentOf(cache, room.path("a/b")).equals("gone"), "the deletion in the cache");
  }

  private static String contentOf(TreeCache cache, String path) {
    ChildData data = cache.getCurrentData(path);
    return data == null ? "gone" : NodeChecks.text(data.getData());
  }

  private static void persistentWatcher(Room room) throws Exception {
    CuratorFramework client = room.client();
    client.create().forPath(room.root);
    BlockingQueue<WatchedEvent> exact = watch(room, room.client(), false);
    BlockingQueue<WatchedEvent> recursive = watch(room, room.client(), true);
    for (int round = 0; round < 3; round++) {
      client.create().forPath(room.path("child"));
      client.setData().forPath(room.path("child"), bytes("x"));
      client.delete().forPath(room.path("child"));
      client.setData().forPath(room.root, bytes("x"));
      Checks.expectEvent(exact, EventType.NodeChildrenChanged, room.root);
      Checks.expectEvent(exact, EventType.NodeChildrenChanged, room.root);
      Checks.expectEvent(exact, EventType.NodeDataChanged, room.root);
      Checks.expectEvent(recursive, EventType.NodeCreated, room.path("child"));
      Checks.expectEvent(recursive, EventType.NodeDataChanged, room.path("child"));
      Checks.expectEvent(recursive, EventType.NodeDeleted, room.path("child"));
      Checks.expectEvent(recursive, EventType.NodeDataChanged, room.root);
    }
  }

  /** Starts a persistent watcher on the root and waits until the server has its watch. */
  private static BlockingQueue<WatchedEvent> watch(Room room, CuratorFramework client, boolean isRecursive)
      throws Exception {
    BlockingQueue<WatchedEvent> events = new LinkedBlockingQueue<>();
    BlockingQueue<String> set = new LinkedBlockingQueue<>();
    PersistentWatcher watcher = room.open(new PersistentWatcher(client, room.root, isRecursive));
    watcher.getListenable().addListener(events::add);
    watcher.getResetListenable().addListener(() -> set.add("set"));
    watcher.start();
    Checks.next(set, "the watch is set");
    return events;
  }

  private static void removeWatch(Room room) throws Exception {
    CuratorFramework client = room.client();
    client.create().forPath(room.root);
    BlockingQueue<WatchedEvent> events = new LinkedBlockingQueue<>();
    client.getData().usingWatcher((Watcher) events::add).forPath(room.root);
    client.watches().removeAll().forPath(room.root);
    Checks.expectEqual(EventType.DataWatchRemoved, Checks.next(events, "the removal").getType(), "the event");
    client.setData().forPath(room.root, bytes("x"));
    client.getData().forPath(room.root);
    Checks.expect(events.isEmpty(), "the removed watch fired");
  }
}
