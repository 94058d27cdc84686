import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher.Event.EventType;

/**
 * The frame of the program: checks with a name, and the expectations they are made of. A check passes by
 * returning and fails by throwing; one that hangs fails after a while and is left behind.
 */
final class Checks {
  static final long WAIT_SECONDS = 15;
  private static final long CHECK_SECONDS = 40;

  interface Check {
    void run(Room room) throws Exception;
  }

  private record Named(String name, Check check) {}

  private final List<Named> all = new ArrayList<>();

  void add(String name, Check check) {
    all.add(new Named(name, check));
  }

  /** Runs every check, prints a line for each and the summary; returns how many failed. */
  int run(String server, ExecutorService threads) {
    int failed = 0;
    int number = 0;
    for (Named named : all) {
      String why = outcome(named.check, server, ++number, threads);
      if (why != null) failed++;
      System.out.println(why == null ? "ok " + named.name : "not ok " + named.name + ": " + oneLine(why));
    }
    System.out.println(all.size() - failed + " passed, " + failed + " failed");
    return failed;
  }

  private static String outcome(Check check, String server, int number, ExecutorService threads) {
    String root = "/interop-curator-" + System.currentTimeMillis() + "-";
    Future<?> ended = threads.submit(() -> {
      try (Room room = new Room(server, root + number, threads)) {
        check.run(room);
      }
      return null;
    });
    try {
      ended.get(CHECK_SECONDS, TimeUnit.SECONDS);
      return null;
    } catch (ExecutionException failure) {
      Throwable cause = failure.getCause();
      return cause instanceof Unexpected ? cause.getMessage() : describe(cause);
    } catch (TimeoutException late) {
      ended.cancel(true);
      return "not finished after " + CHECK_SECONDS + " s";
    } catch (InterruptedException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** The error and the line of the check it came from. */
  private static String describe(Throwable error) {
    return Arrays.stream(error.getStackTrace())
        .filter(frame -> frame.getClassName().endsWith("Checks"))
        .findFirst()
        .map(frame -> error + " (" + frame.getFileName() + ":" + frame.getLineNumber() + ")")
        .orElse(error.toString());
  }

  private static String oneLine(String text) {
    return text.replaceAll("\\s+", " ").trim();
  }

  /** An expectation that did not hold. */
  static final class Unexpected extends RuntimeException {
    Unexpected(String message) {
      super(message);
    }
  }

  static void expect(boolean condition, String sentence) {
    if (!condition) throw new Unexpected(sentence);
  }

  static void expectEqual(Object expected, Object actual, String what) {
    expect(Objects.equals(expected, actual), what + " is " + actual + ", expected " + expected);
  }

  static void expectThrows(Class<? extends Exception> expected, Callable<?> call) {
    try {
      call.call();
    } catch (Exception error) {
      expect(expected.isInstance(error), error + " was thrown, expected " + expected.getSimpleName());
      return;
    }
    throw new Unexpected(expected.getSimpleName() + " was expected, nothing was thrown");
  }

  /** The next item of a queue that callbacks fill. */
  static <T> T next(BlockingQueue<T> queue, String what) throws InterruptedException {
    T item = queue.poll(WAIT_SECONDS, TimeUnit.SECONDS);
    expect(item != null, what + ": not within " + WAIT_SECONDS + " s");
    return item;
  }

  static void expectEvent(BlockingQueue<WatchedEvent> events, EventType type, String path) throws Exception {
    WatchedEvent event = next(events, type + " at " + path);
    expectEqual(type + " " + path, event.getType() + " " + event.getPath(), "the event");
  }

  static <T> T result(Future<T> future, String what) throws Exception {
    try {
      return future.get(WAIT_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException late) {
      throw new Unexpected(what + ": not within " + WAIT_SECONDS + " s");
    }
  }

  /** Waits until a condition holds that nobody will announce. */
  static void eventually(Callable<Boolean> condition, String what) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
    while (!condition.call()) {
      expect(System.nanoTime() < deadline, what + ": not within " + WAIT_SECONDS + " s");
      Thread.sleep(10);
    }
  }
}
