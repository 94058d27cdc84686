import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.retry.RetryForever;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.data.Stat;

/**
 * `CuratorPeer contend HOST:PORT ROOT ROUNDS`: a Java process that contends with a Node process for the same
 * recipes, each in a thread of its own. `CuratorPeer hold HOST:PORT ROOT`: takes the lock, says so, and keeps it.
 *
 * Whoever holds something goes through a room: the node `room` can be there once, so that two at once fail; its
 * log has a line for each visit, in their order, with the zxid at which the visitor's node was made.
 */
public final class CuratorPeer {
  private static final int SESSION_TIMEOUT_MS = 10_000;
  /** Of one that is killed: its lock is passed on when its session ends. */
  private static final int BRIEF_TIMEOUT_MS = 3000;

  private final CuratorFramework client;
  private final String root;
  private final int rounds;
  private final LeaderSelector selector;
  private final Semaphore terms = new Semaphore(0);
  private final Map<String, Integer> visits = new ConcurrentHashMap<>();
  private boolean isStanding;

  private CuratorPeer(CuratorFramework client, String root, int rounds) {
    this.client = client;
    this.root = root;
    this.rounds = rounds;
    this.selector = new LeaderSelector(client, root + "/election/line", new LeaderSelectorListenerAdapter() {
      @Override
      public void takeLeadership(CuratorFramework leader) throws Exception {
        visit("election", "line", "lock-");
        terms.release();
      }
    });
  }

  public static void main(String[] args) throws Exception {
    boolean isToHold = args[0].equals("hold");
    CuratorFramework client = CuratorFrameworkFactory.newClient(
        args[1], isToHold ? BRIEF_TIMEOUT_MS : SESSION_TIMEOUT_MS, SESSION_TIMEOUT_MS, new RetryForever(50));
    client.start();
    client.blockUntilConnected();
    if (isToHold) {
      new InterProcessMutex(client, args[2] + "/mutex/line").acquire();
      System.out.println("held");
      new CountDownLatch(1).await();
    }
    new CuratorPeer(client, args[2], Integer.parseInt(args[3])).contend();
    client.close();
  }

  private interface Task {
    void run() throws Exception;
  }

  private void contend() throws Exception {
    GroupMember member = new GroupMember(client, root + "/group", "curator");
    member.start();
    new DistributedBarrier(client, root + "/gate").waitOnBarrier();
    List<Task> tasks = List.of(
        this::mutex, this::write, this::read, this::semaphore, this::latch, this::stand, this::numbers, this::queue);
    DistributedDoubleBarrier together = new DistributedDoubleBarrier(client, root + "/together", 2);
    ExecutorService threads = Executors.newCachedThreadPool(task -> {
      Thread thread = new Thread(task);
      thread.setDaemon(true); // a failure of one ends the process
      return thread;
    });
    List<Future<?>> running = new ArrayList<>();
    together.enter();
    for (Task task : tasks) {
      running.add(threads.submit(() -> {
        for (int round = 0; round < rounds; round++) task.run();
        return null;
      }));
    }
    for (Future<?> each : running) each.get(60, TimeUnit.SECONDS);
    together.leave();
    for (int round = 0; round < 3; round++) {
      together.enter();
      together.leave();
    }
    if (!member.getCurrentMembers().containsKey("node")) throw new IllegalStateException("the group has no member node");
    member.close();
  }

  private void mutex() throws Exception {
    InterProcessMutex mutex = new InterProcessMutex(client, root + "/mutex/line");
    mutex.acquire();
    mutex.acquire();
    visit("mutex", "line", "lock-");
    mutex.release();
    mutex.release();
  }

  private void write() throws Exception {
    InterProcessReadWriteLock lock = new InterProcessReadWriteLock(client, root + "/read-write/line");
    lock.writeLock().acquire();
    visit("read-write", "line", "__WRIT__");
    lock.writeLock().release();
  }

  private void read() throws Exception {
    InterProcessReadWriteLock lock = new InterProcessReadWriteLock(client, root + "/read-write/line");
    lock.readLock().acquire();
    if (client.checkExists().forPath(root + "/read-write/room") != null)
      throw new IllegalStateException("a reader beside a writer");
    lock.readLock().release();
  }

  private void semaphore() throws Exception {
    InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(client, root + "/semaphore/line", 2);
    Lease lease = semaphore.acquire();
    String path = client.create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath(root + "/semaphore/inside/curator-");
    int inside = client.getChildren().forPath(root + "/semaphore/inside").size();
    if (inside > 2) throw new IllegalStateException(inside + " with two leases");
    client.delete().forPath(path);
    semaphore.returnLease(lease);
  }

  private void latch() throws Exception {
    try (LeaderLatch latch = new LeaderLatch(client, root + "/latch/line", "curator")) {
      latch.start();
      latch.await();
      visit("latch", "line", "latch-");
    }
  }

  /** The selector is never closed here: that would interrupt it while it gives leadership back. */
  private void stand() throws Exception {
    if (!isStanding) selector.start();
    else while (!selector.requeue()) Thread.sleep(1);
    isStanding = true;
    terms.acquire();
  }

  private void numbers() throws Exception {
    DistributedAtomicLong total = new DistributedAtomicLong(client, root + "/int64", new RetryNTimes(200, 2));
    if (!total.add(3L).succeeded()) throw new IllegalStateException("an addition did not succeed");
    try (SharedCount count = new SharedCount(client, root + "/int32", 0)) {
      count.start();
      while (!count.trySetCount(count.getVersionedValue(), count.getVersionedValue().getValue() + 1)) continue;
    }
  }

  private void queue() throws Exception {
    new SimpleDistributedQueue(client, root + "/to-node").offer("from curator".getBytes());
    String taken = new String(new SimpleDistributedQueue(client, root + "/to-curator").take());
    if (!taken.equals("from node")) throw new IllegalStateException("took " + taken);
  }

  /** Alone in the room, or it throws. */
  private void visit(String recipe, String line, String kind) throws Exception {
    String at = root + "/" + recipe;
    client.create().forPath(at + "/room");
    String holder = client.getChildren().forPath(at + "/" + line).stream()
        .filter(name -> name.contains(kind) || kind.equals("__WRIT__"))
        .min(Comparator.comparing(name -> name.substring(name.length() - 10)))
        .orElseThrow();
    long token = client.checkExists().forPath(at + "/" + line + "/" + holder).getCzxid();
    String visit = "curator " + token;
    client.create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath(at + "/log/visit-", visit.getBytes());
    if (ThreadLocalRandom.current().nextBoolean()) Thread.sleep(1);
    boolean isThird = visits.merge(recipe, 1, Integer::sum) % 3 == 0;
    while (isThird && !otherIsInLineOrDone(recipe, at, line)) Thread.sleep(5);
    client.delete().forPath(at + "/room");
  }

  /**
   * Every third visit ends when the other process waits for its turn, and so do the other's: whatever share of the
   * machine each is given, neither makes all of its visits before the other's first.
   */
  private boolean otherIsInLineOrDone(String recipe, String at, String line) throws Exception {
    if (client.getChildren().forPath(at + "/log").size() >= visits.get(recipe) + rounds) return true;
    long own = client.getZookeeperClient().getZooKeeper().getSessionId();
    for (String name : client.getChildren().forPath(at + "/" + line)) {
      if (name.contains("__READ__")) continue;
      Stat stat = client.checkExists().forPath(at + "/" + line + "/" + name);
      if (stat != null && stat.getEphemeralOwner() != own) return true;
    }
    return false;
  }
}
