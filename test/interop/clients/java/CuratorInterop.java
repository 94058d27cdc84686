import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * CuratorInterop HOST:PORT: what Curator, its recipes and Apache's Java client expect of a server, one
 * check after the other. Each check prints `ok NAME` or `not ok NAME: why`, the last line is
 * `N passed, N failed`, and the exit code is 1 if anything failed.
 */
public final class CuratorInterop {
  public static void main(String[] arguments) {
    if (arguments.length != 1) {
      System.err.println("usage: CuratorInterop HOST:PORT");
      System.exit(2);
    }
    Checks checks = new Checks();
    NodeChecks.register(checks);
    LockChecks.register(checks);
    LeaderChecks.register(checks);
    CacheChecks.register(checks);
    QueueChecks.register(checks);
    GroupChecks.register(checks);
    ConnectionChecks.register(checks);
    ExecutorService threads = Executors.newCachedThreadPool(body -> {
      Thread thread = new Thread(body);
      thread.setDaemon(true);
      return thread;
    });
    int failed = checks.run(arguments[0], threads);
    System.exit(failed == 0 ? 0 : 1);
  }
}
