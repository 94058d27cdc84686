import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.locks.InterProcessMultiLock;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreMutex;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;

/** Locks and semaphores. */
final class LockChecks {
  static void register(Checks checks) {
    checks.add("InterProcessMutex is held by one of two contenders and passed on", LockChecks::passMutexOn);
    checks.add("InterProcessMutex is passed on when its holder's client closes", LockChecks::freeMutexOfClosedClient);
    checks.add("eight contenders hold an InterProcessMutex one at a time", LockChecks::crowdMutex);
    checks.add("InterProcessReadWriteLock is shared by readers only", LockChecks::shareAmongReaders);
    checks.add("InterProcessSemaphoreMutex is not reentrant and is passed on", LockChecks::passSemaphoreMutexOn);
    checks.add("InterProcessSemaphoreV2 gives out as many leases as it has", LockChecks::giveOutLeases);
    checks.add("InterProcessMultiLock takes all of its locks or none", LockChecks::takeAllOrNone);
  }

  private static boolean acquire(InterProcessMutex mutex) throws Exception {
    return mutex.acquire(Checks.WAIT_SECONDS, TimeUnit.SECONDS);
  }

  private static void passMutexOn(Room room) throws Exception {
    InterProcessMutex held = new InterProcessMutex(room.client(), room.path("lock"));
    InterProcessMutex wanted = new InterProcessMutex(room.client(), room.path("lock"));
    Checks.expect(acquire(held), "the free lock was not acquired");
    Checks.expect(acquire(held), "the holder could not enter again");
    Future<Boolean> acquired = room.run(() -> acquire(wanted));
    Checks.eventually(() -> held.getParticipantNodes().size() == 2, "the second contender waits in line");
    held.release();
    Checks.expect(!acquired.isDone(), "the lock was passed on before it was released as often as acquired");
    held.release();
    Checks.expect(Checks.result(acquired, "the second contender gets the lock"), "the lock was not passed on");
  }

  private static void freeMutexOfClosedClient(Room room) throws Exception {
    CuratorFramework holder = room.client();
    Checks.expect(acquire(new InterProcessMutex(holder, room.path("lock"))), "the free lock was not acquired");
    InterProcessMutex wanted = new InterProcessMutex(room.client(), room.path("lock"));
    Future<Boolean> acquired = room.run(() -> acquire(wanted));
    Checks.eventually(() -> wanted.getParticipantNodes().size() == 2, "the second contender waits in line");
    holder.close();
    Checks.expect(Checks.result(acquired, "the second contender gets the lock"), "the lock was not passed on");
  }

  private static void crowdMutex(Room room) throws Exception {
    CuratorFramework[] clients = {room.client(), room.client()};
    AtomicInteger inside = new AtomicInteger();
    List<Future<Integer>> entered = new ArrayList<>();
    for (int number = 0; number < 8; number++) {
      InterProcessMutex mutex = new InterProcessMutex(clients[number % 2], room.path("lock"));
      entered.add(room.run(() -> {
        mutex.acquire();
        int together = inside.incrementAndGet();
        inside.decrementAndGet();
        mutex.release();
        return together;
      }));
    }
    for (Future<Integer> each : entered)
      Checks.expectEqual(1, Checks.result(each, "a contender gets in"), "how many were inside");
  }

  private static void shareAmongReaders(Room room) throws Exception {
    InterProcessReadWriteLock first = new InterProcessReadWriteLock(room.client(), room.path("lock"));
    InterProcessReadWriteLock second = new InterProcessReadWriteLock(room.client(), room.path("lock"));
    Checks.expect(acquire(first.readLock()) && acquire(second.readLock()), "two readers did not get in together");
    Future<Boolean> written = room.run(() -> {
      boolean acquired = acquire(second.writeLock());
      if (acquired) second.writeLock().release();
      return acquired;
    });
    Checks.eventually(() -> second.writeLock().getParticipantNodes().size() == 1, "the writer waits in line");
    first.readLock().release();
    Checks.expect(!written.isDone(), "the writer got in beside a reader");
    second.readLock().release();
    Checks.expect(Checks.result(written, "the writer gets in"), "the writer did not get in");
  }

  private static void passSemaphoreMutexOn(Room room) throws Exception {
    InterProcessSemaphoreMutex held = new InterProcessSemaphoreMutex(room.client(), room.path("lock"));
    InterProcessSemaphoreMutex wanted = new InterProcessSemaphoreMutex(room.client(), room.path("lock"));
    Checks.expect(held.acquire(Checks.WAIT_SECONDS, TimeUnit.SECONDS), "the free lock was not acquired");
    Checks.expect(!held.acquire(100, TimeUnit.MILLISECONDS), "the lock was acquired twice");
    Future<Boolean> acquired = room.run(() -> wanted.acquire(Checks.WAIT_SECONDS, TimeUnit.SECONDS));
    held.release();
    Checks.expect(Checks.result(acquired, "the second contender gets the lock"), "the lock was not passed on");
  }

  private static void giveOutLeases(Room room) throws Exception {
    InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(room.client(), room.path("semaphore"), 2);
    InterProcessSemaphoreV2 other = new InterProcessSemaphoreV2(room.client(), room.path("semaphore"), 2);
    Lease first = semaphore.acquire(Checks.WAIT_SECONDS, TimeUnit.SECONDS);
    Lease second = other.acquire(Checks.WAIT_SECONDS, TimeUnit.SECONDS);
    Checks.expect(first != null && second != null, "two leases were not given out");
    Checks.expect(other.acquire(200, TimeUnit.MILLISECONDS) == null, "a third lease was given out of two");
    Future<Lease> third = room.run(() -> other.acquire(Checks.WAIT_SECONDS, TimeUnit.SECONDS));
    semaphore.returnLease(first);
    Checks.expect(Checks.result(third, "the returned lease") != null, "the returned lease was not given out again");
  }

  private static void takeAllOrNone(Room room) throws Exception {
    CuratorFramework client = room.client();
    List<String> paths = List.of(room.path("one"), room.path("two"));
    InterProcessMultiLock all = new InterProcessMultiLock(client, paths);
    InterProcessMutex rival = new InterProcessMutex(room.client(), room.path("two"));
    Checks.expect(acquire(rival), "the free lock was not acquired");
    Checks.expect(!all.acquire(300, TimeUnit.MILLISECONDS), "all locks were acquired though one is held");
    Checks.eventually(() -> client.getChildren().forPath(room.path("one")).isEmpty(), "the first lock is given back");
    rival.release();
    Checks.expect(all.acquire(Checks.WAIT_SECONDS, TimeUnit.SECONDS), "the free locks were not acquired");
    all.release();
  }
}
