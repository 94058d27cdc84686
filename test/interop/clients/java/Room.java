import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryForever;

/** What one check works with: a root node of its own, and clients and proxies that end with it. */
final class Room implements AutoCloseable {
  static final int SESSION_TIMEOUT_MS = 8000;
  static final int BRIEF_TIMEOUT_MS = 3000;

  final String server;
  final String root;
  private final ExecutorService threads;
  private final Deque<AutoCloseable> toClose = new ArrayDeque<>();
  private final List<CuttableProxy> proxies = new ArrayList<>();

  Room(String server, String root, ExecutorService threads) {
    this.server = server;
    this.root = root;
    this.threads = threads;
  }

  String path(String name) {
    return root + "/" + name;
  }

  /** Closes this with the room, before whatever was opened earlier. */
  <T extends AutoCloseable> T open(T resource) {
    toClose.push(resource);
    return resource;
  }

  CuratorFrameworkFactory.Builder builder(String address, int sessionTimeoutMs) {
    return CuratorFrameworkFactory.builder()
        .connectString(address)
        .sessionTimeoutMs(sessionTimeoutMs)
        .connectionTimeoutMs(SESSION_TIMEOUT_MS)
        .retryPolicy(new RetryForever(50));
  }

  CuratorFramework client() throws Exception {
    return client(builder(server, SESSION_TIMEOUT_MS));
  }

  /** A started client, connected. */
  CuratorFramework client(CuratorFrameworkFactory.Builder builder) throws Exception {
    CuratorFramework client = open(builder.build());
    client.start();
    boolean connected = client.blockUntilConnected((int) Checks.WAIT_SECONDS, TimeUnit.SECONDS);
    Checks.expect(connected, "the client did not connect within " + Checks.WAIT_SECONDS + " s");
    return client;
  }

  CuttableProxy proxy() throws Exception {
    CuttableProxy proxy = open(new CuttableProxy(server));
    proxies.add(proxy);
    return proxy;
  }

  BlockingQueue<ConnectionState> states(CuratorFramework client) {
    BlockingQueue<ConnectionState> states = new LinkedBlockingQueue<>();
    client.getConnectionStateListenable().addListener((changed, state) -> states.add(state));
    return states;
  }

  /** Cuts the proxy and waits until the client behind it has noticed. */
  static void cut(CuttableProxy proxy, BlockingQueue<ConnectionState> states) throws Exception {
    proxy.cut();
    await(ConnectionState.SUSPENDED, states);
  }

  /** Mends the proxy and waits until the client behind it is back. */
  static void mend(CuttableProxy proxy, BlockingQueue<ConnectionState> states) throws Exception {
    proxy.mend();
    await(ConnectionState.RECONNECTED, states);
  }

  /** Waits for a state, discarding the ones before it. */
  static void await(ConnectionState state, BlockingQueue<ConnectionState> states) throws Exception {
    while (Checks.next(states, "the state " + state) != state) continue;
  }

  <T> Future<T> run(Callable<T> task) {
    return threads.submit(task);
  }

  @Override
  public void close() throws Exception {
    // Recipes clean up behind themselves, and wait for ever for a connection to do it by.
    proxies.forEach(CuttableProxy::mend);
    for (AutoCloseable resource : toClose) resource.close();
  }
}
