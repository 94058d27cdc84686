import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.curator.RetryPolicy;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.atomic.AtomicValue;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.queue.DistributedPriorityQueue;
import org.apache.curator.framework.recipes.queue.DistributedQueue;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.shared.VersionedValue;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;

/** Queues and counters. */
final class QueueChecks {
  static void register(Checks checks) {
    checks.add("DistributedQueue delivers every message once and in order", QueueChecks::deliverInOrder);
    checks.add("DistributedPriorityQueue delivers by priority", QueueChecks::deliverByPriority);
    checks.add("SimpleDistributedQueue gives to who waits", QueueChecks::giveToWhoWaits);
    checks.add("DistributedAtomicLong adds up what two clients add at the same time", QueueChecks::addUp);
    checks.add("SharedCount is changed by one client and seen by another", QueueChecks::shareCount);
  }

  private static final QueueSerializer<String> AS_TEXT = new QueueSerializer<>() {
    @Override
    public byte[] serialize(String item) {
      return NodeChecks.bytes(item);
    }

    @Override
    public String deserialize(byte[] bytes) {
      return NodeChecks.text(bytes);
    }
  };

  private static QueueConsumer<String> into(BlockingQueue<String> received) {
    return new QueueConsumer<>() {
      @Override
      public void consumeMessage(String message) {
        received.add(message);
      }

      @Override
      public void stateChanged(CuratorFramework client, ConnectionState state) {}
    };
  }

  private static QueueBuilder<String> builder(Room room, CuratorFramework client, QueueConsumer<String> consumer) {
    return QueueBuilder.builder(client, consumer, AS_TEXT, room.path("queue"));
  }

  private static void deliverInOrder(Room room) throws Exception {
    BlockingQueue<String> received = new LinkedBlockingQueue<>();
    CuratorFramework putter = room.client();
    DistributedQueue<String> in = room.open(builder(room, putter, null).buildQueue());
    in.start();
    in.put("0");
    in.put("1");
    DistributedQueue<String> out = room.open(builder(room, room.client(), into(received)).buildQueue());
    out.start();
    for (int number = 2; number < 20; number++) in.put(Integer.toString(number));
    for (int number = 0; number < 20; number++)
      Checks.expectEqual(Integer.toString(number), Checks.next(received, "message " + number), "the message");
    Checks.eventually(() -> putter.getChildren().forPath(room.path("queue")).isEmpty(), "the queue is empty");
    Checks.expect(received.isEmpty(), "a message was delivered twice");
  }

  private static void deliverByPriority(Room room) throws Exception {
    BlockingQueue<String> received = new LinkedBlockingQueue<>();
    DistributedPriorityQueue<String> in = room.open(builder(room, room.client(), null).buildPriorityQueue(0));
    in.start();
    in.put("late", 20);
    in.put("early", 1);
    in.put("middle", 10);
    DistributedPriorityQueue<String> out =
        room.open(builder(room, room.client(), into(received)).buildPriorityQueue(0));
    out.start();
    List<String> order = new ArrayList<>();
    for (int number = 0; number < 3; number++) order.add(Checks.next(received, "a message"));
    Checks.expectEqual(List.of("early", "middle", "late"), order, "the order");
  }

  private static void giveToWhoWaits(Room room) throws Exception {
    SimpleDistributedQueue queue = new SimpleDistributedQueue(room.client(), room.path("queue"));
    SimpleDistributedQueue other = new SimpleDistributedQueue(room.client(), room.path("queue"));
    Checks.expectEqual(null, queue.poll(), "what an empty queue gives");
    Future<byte[]> taken = room.run(other::take);
    queue.offer(NodeChecks.bytes("x"));
    Checks.expectEqual("x", NodeChecks.text(Checks.result(taken, "the item")), "the item");
  }

  private static DistributedAtomicLong total(Room room, RetryPolicy policy) throws Exception {
    return new DistributedAtomicLong(room.client(), room.path("total"), policy);
  }

  private static void addUp(Room room) throws Exception {
    List<Future<Boolean>> done = new ArrayList<>();
    for (int number = 0; number < 2; number++) {
      DistributedAtomicLong total = total(room, new RetryNTimes(200, 2));
      done.add(room.run(() -> {
        boolean allSucceeded = true;
        for (int time = 0; time < 25; time++) allSucceeded &= total.add(2L).succeeded();
        return allSucceeded;
      }));
    }
    for (Future<Boolean> each : done)
      Checks.expect(Checks.result(each, "the additions"), "an addition did not succeed");
    DistributedAtomicLong total = total(room, new RetryNTimes(5, 10));
    AtomicValue<Long> value = total.get();
    Checks.expectEqual(100L, value.postValue(), "the total");
    Checks.expect(!total.compareAndSet(99L, 0L).succeeded(), "compareAndSet succeeded with a wrong value");
    Checks.expect(total.compareAndSet(100L, 7L).succeeded(), "compareAndSet failed with the right value");
  }

  private static void shareCount(Room room) throws Exception {
    SharedCount mine = room.open(new SharedCount(room.client(), room.path("count"), 5));
    SharedCount theirs = room.open(new SharedCount(room.client(), room.path("count"), 5));
    mine.start();
    theirs.start();
    Checks.expect(mine.trySetCount(mine.getVersionedValue(), 258), "the count could not be set");
    Checks.eventually(() -> theirs.getCount() == 258, "the other client sees the count");
    VersionedValue<Integer> stale = mine.getVersionedValue();
    Checks.expect(theirs.trySetCount(theirs.getVersionedValue(), 6), "the other client could not set the count");
    Checks.expect(!mine.trySetCount(stale, 7), "a count was set over a newer one");
    Checks.eventually(() -> mine.getCount() == 6, "the first client sees the count");
  }
}
