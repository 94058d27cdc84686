import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.admin.ZooKeeperAdmin;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;

/** Makes the official Java client send every request it can. Says "STEP name" before each and waits for a line. */
public class GoldenClient {
    interface Action {
        void run() throws Exception;
    }

    static final BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    static final LinkedBlockingQueue<WatchedEvent> sessionEvents = new LinkedBlockingQueue<>();
    static final LinkedBlockingQueue<WatchedEvent> nodeEvents = new LinkedBlockingQueue<>();
    static final List<ACL> OPEN = Ids.OPEN_ACL_UNSAFE;
    static ZooKeeper zk;

    static void say(String line) throws Exception {
        System.out.println(line);
        System.out.flush();
        in.readLine();
    }

    static void step(String name, Action action) throws Exception {
        say("STEP " + name);
        try {
            action.run();
        } catch (KeeperException e) {
            // An error reply is as good a specimen as any; the proxy has it.
        }
    }

    static void awaitState(KeeperState state) throws Exception {
        while (true) {
            WatchedEvent event = sessionEvents.poll(30, TimeUnit.SECONDS);
            if (event == null) {
                throw new IllegalStateException("no " + state);
            }
            if (event.getState() == state) {
                return;
            }
        }
    }

    static void awaitEvent() throws Exception {
        if (nodeEvents.poll(30, TimeUnit.SECONDS) == null) {
            throw new IllegalStateException("no watch event");
        }
    }

    static Watcher watcher() {
        return new Watcher() {
            public void process(WatchedEvent event) {
                if (event.getType() != Event.EventType.None) {
                    nodeEvents.add(event);
                }
            }
        };
    }

    static ZooKeeper connect(String hosts, int timeout, boolean readOnly) throws Exception {
        ZooKeeper client = new ZooKeeperAdmin(hosts, timeout, sessionEvents::add, readOnly);
        awaitState(readOnly ? KeeperState.ConnectedReadOnly : KeeperState.SyncConnected);
        return client;
    }

    static void sync(String path) throws Exception {
        CountDownLatch done = new CountDownLatch(1);
        zk.sync(path, (rc, p, ctx) -> done.countDown(), null);
        done.await(10, TimeUnit.SECONDS);
    }

    public static void main(String[] args) throws Exception {
        String hosts = args[1];
        switch (args[0]) {
            case "plain":
                plain(hosts);
                break;
            case "reconfig":
                reconfig(hosts, args[2]);
                break;
            case "sasl":
                sasl(hosts);
                break;
            default:
                readOnly(hosts);
        }
        System.out.println("DONE");
        System.exit(0);
    }

    static void plain(String hosts) throws Exception {
        say("STEP new-session");
        zk = connect(hosts, 12000, false);
        creates();
        reads();
        writes();
        multis();
        auth();
        events();
        removals();
        reconnects(hosts);
        step("close", () -> zk.close());
    }

    static void creates() throws Exception {
        byte[] data = "hi".getBytes();
        step("create-persistent", () -> zk.create("/java/p", data, OPEN, CreateMode.PERSISTENT));
        step("create-null-data", () -> zk.create("/java/null", null, OPEN, CreateMode.PERSISTENT));
        step("create-empty-data", () -> zk.create("/java/empty", new byte[0], OPEN, CreateMode.PERSISTENT));
        step("create-sequential", () -> zk.create("/java/s-", data, OPEN, CreateMode.PERSISTENT_SEQUENTIAL));
        step("create-ephemeral", () -> zk.create("/java/e", data, OPEN, CreateMode.EPHEMERAL));
        step("create-ephemeral-sequential",
            () -> zk.create("/java/es-", data, OPEN, CreateMode.EPHEMERAL_SEQUENTIAL));
        step("create-node-exists", () -> zk.create("/java/p", data, OPEN, CreateMode.PERSISTENT));
        step("create-no-node", () -> zk.create("/java/none/x", data, OPEN, CreateMode.PERSISTENT));
        step("create-under-ephemeral", () -> zk.create("/java/e/x", data, OPEN, CreateMode.PERSISTENT));
        step("persistent", () -> zk.create("/java/p2", data, OPEN, CreateMode.PERSISTENT, new Stat()));
        step("ephemeral", () -> zk.create("/java/e2", data, OPEN, CreateMode.EPHEMERAL, new Stat()));
        step("sequential", () -> zk.create("/java/s2-", data, OPEN, CreateMode.PERSISTENT_SEQUENTIAL, new Stat()));
        step("ephemeral-sequential",
            () -> zk.create("/java/es2-", data, OPEN, CreateMode.EPHEMERAL_SEQUENTIAL, new Stat()));
        step("node-exists", () -> zk.create("/java/p2", data, OPEN, CreateMode.PERSISTENT, new Stat()));
        step("without-stat", () -> zk.create("/java/c", data, OPEN, CreateMode.CONTAINER));
        step("with-stat", () -> zk.create("/java/c2", data, OPEN, CreateMode.CONTAINER, new Stat()));
        step("node-exists", () -> zk.create("/java/c2", data, OPEN, CreateMode.CONTAINER, new Stat()));
        step("persistent", () -> zk.create("/java/t", data, OPEN, CreateMode.PERSISTENT_WITH_TTL, new Stat(), 600000));
        step("sequential",
            () -> zk.create("/java/ts-", data, OPEN, CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, new Stat(), 1));
        step("node-exists",
            () -> zk.create("/java/t", data, OPEN, CreateMode.PERSISTENT_WITH_TTL, new Stat(), 600000));
    }

    static void reads() throws Exception {
        step("found", () -> zk.exists("/java/p", false));
        step("no-node", () -> zk.exists("/java/none", false));
        step("found", () -> zk.getData("/java/p", false, new Stat()));
        step("null-data", () -> zk.getData("/java/null", false, new Stat()));
        step("empty-data", () -> zk.getData("/java/empty", false, new Stat()));
        step("ephemeral", () -> zk.getData("/java/e", false, new Stat()));
        step("container", () -> zk.getData("/java/c", false, new Stat()));
        step("no-node", () -> zk.getData("/java/none", false, new Stat()));
        step("config", () -> zk.getConfig(false, new Stat()));
        step("found", () -> zk.getACL("/java/p", new Stat()));
        step("no-node", () -> zk.getACL("/java/none", new Stat()));
        step("some", () -> zk.getChildren("/java", false));
        step("none", () -> zk.getChildren("/java/p", false));
        step("no-node", () -> zk.getChildren("/java/none", false));
        step("some", () -> zk.getChildren("/java", false, new Stat()));
        step("none", () -> zk.getChildren("/java/p", false, new Stat()));
        step("no-node", () -> zk.getChildren("/java/none", false, new Stat()));
        step("some", () -> zk.getAllChildrenNumber("/java"));
        step("no-node", () -> zk.getAllChildrenNumber("/java/none"));
        step("all", () -> zk.getEphemerals());
        step("below-prefix", () -> zk.getEphemerals("/java/e2"));
        step("none", () -> zk.getEphemerals("/elsewhere"));
        step("any", () -> sync("/java"));
    }

    static void writes() throws Exception {
        step("any-version", () -> zk.setData("/java/p", "new".getBytes(), -1));
        step("right-version", () -> zk.setData("/java/p", "newer".getBytes(), 1));
        step("null-data", () -> zk.setData("/java/p", null, 2));
        step("bad-version", () -> zk.setData("/java/p", "x".getBytes(), 99));
        step("no-node", () -> zk.setData("/java/none", "x".getBytes(), -1));
        List<ACL> mixed = Arrays.asList(new ACL(Perms.READ, Ids.ANYONE_ID_UNSAFE),
            new ACL(Perms.ALL, new Id("digest", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=")),
            new ACL(Perms.ALL, new Id("ip", "127.0.0.0/8")));
        step("several-schemes", () -> zk.setACL("/java/p2", mixed, 0));
        step("several-schemes", () -> zk.getACL("/java/p2", new Stat()));
        step("bad-version", () -> zk.setACL("/java/p2", mixed, 99));
        step("no-node", () -> zk.setACL("/java/none", mixed, -1));
        step("invalid-acl", () -> zk.setACL("/java/p2",
            Collections.singletonList(new ACL(Perms.ALL, new Id("auth", ""))), -1));
        step("done", () -> zk.delete("/java/empty", 0));
        step("no-node", () -> zk.delete("/java/none", -1));
        step("not-empty", () -> zk.delete("/java", -1));
        step("bad-version", () -> zk.delete("/java/p", 99));
    }

    static void multis() throws Exception {
        byte[] data = "m".getBytes();
        step("every-op", () -> zk.multi(Arrays.asList(
            Op.check("/java/p", 3),
            Op.create("/java/m", data, OPEN, CreateMode.PERSISTENT),
            Op.create("/java/m-", data, OPEN, CreateMode.PERSISTENT_SEQUENTIAL),
            Op.create("/java/me", data, OPEN, CreateMode.EPHEMERAL),
            Op.create("/java/mc", data, OPEN, CreateMode.CONTAINER),
            Op.create("/java/mt", data, OPEN, CreateMode.PERSISTENT_WITH_TTL, 600000),
            Op.setData("/java/m", "n".getBytes(), 0),
            Op.delete("/java/m", 1))));
        step("second-fails", () -> zk.multi(Arrays.asList(
            Op.create("/java/m2", data, OPEN, CreateMode.PERSISTENT),
            Op.check("/java/p", 99),
            Op.setData("/java/p", data, -1))));
        step("first-fails", () -> zk.multi(Arrays.asList(Op.delete("/java/none", -1), Op.check("/java/p", -1))));
        step("some-missing", () -> zk.multi(Arrays.asList(
            Op.getData("/java/p2"), Op.getData("/java/none"), Op.getChildren("/java"), Op.getData("/java/null"))));
    }

    static void auth() throws Exception {
        step("before-auth", () -> zk.whoAmI());
        step("digest", () -> {
            zk.addAuthInfo("digest", "bob:pw".getBytes());
            zk.whoAmI();
        });
        step("super", () -> {
            zk.addAuthInfo("digest", "super:secret".getBytes());
            zk.whoAmI();
        });
        step("expanded-auth", () -> zk.setACL("/java/s-0000000003", Ids.CREATOR_ALL_ACL, -1));
        step("expanded-auth", () -> zk.getACL("/java/s-0000000003", new Stat()));
        step("disabled", () -> ((ZooKeeperAdmin) zk).reconfigure("server.2=127.0.0.1:2889:3889;2182", null, null, -1,
            new Stat()));
    }

    static void events() throws Exception {
        Watcher w = watcher();
        step("watched", () -> zk.getData("/java/p", w, new Stat()));
        step("data-changed", () -> { zk.setData("/java/p", "1".getBytes(), -1); awaitEvent(); });
        step("watched-missing", () -> zk.exists("/java/x", w));
        step("created", () -> { zk.create("/java/x", null, OPEN, CreateMode.PERSISTENT); awaitEvent(); });
        step("watched", () -> zk.exists("/java/x", w));
        step("deleted", () -> { zk.delete("/java/x", -1); awaitEvent(); });
        step("watched", () -> zk.getChildren("/java/p", w));
        step("children-changed", () -> { zk.create("/java/p/k", null, OPEN, CreateMode.PERSISTENT); awaitEvent(); });
        step("watched", () -> zk.getChildren("/java/p", w, new Stat()));
        step("children-changed-again", () -> { zk.delete("/java/p/k", -1); awaitEvent(); });
        step("persistent", () -> zk.addWatch("/java/p", w, AddWatchMode.PERSISTENT));
        step("persistent-data", () -> { zk.setData("/java/p", "2".getBytes(), -1); awaitEvent(); });
        step("persistent-child", () -> { zk.create("/java/p/k", null, OPEN, CreateMode.PERSISTENT); awaitEvent(); });
        step("recursive", () -> zk.addWatch("/java/p2", w, AddWatchMode.PERSISTENT_RECURSIVE));
        step("recursive-created", () -> {
            zk.create("/java/p2/k", null, OPEN, CreateMode.PERSISTENT);
            awaitEvent();
        });
        step("recursive-deleted", () -> { zk.delete("/java/p2/k", -1); awaitEvent(); });
        step("persistent-remove", () -> zk.removeAllWatches("/java/p", WatcherType.Any, false));
        step("recursive-remove", () -> zk.removeAllWatches("/java/p2", WatcherType.Any, false));
    }

    static void removals() throws Exception {
        Watcher w = watcher();
        Watcher v = watcher();
        step("watched-1", () -> zk.getData("/java/p", w, new Stat()));
        step("watched-2", () -> zk.getData("/java/p", v, new Stat()));
        step("data", () -> zk.removeWatches("/java/p", w, WatcherType.Data, false));
        step("last-data", () -> zk.removeWatches("/java/p", v, WatcherType.Data, false));
        step("watched-3", () -> zk.getChildren("/java/p", w));
        step("children", () -> zk.removeAllWatches("/java/p", WatcherType.Children, false));
        step("watched-4", () -> zk.getData("/java/p", w, new Stat()));
        step("data", () -> zk.removeAllWatches("/java/p", WatcherType.Data, false));
    }

    static void reconnects(String hosts) throws Exception {
        Watcher w = watcher();
        nodeEvents.clear();
        step("watched-5", () -> zk.getData("/java/p", w, new Stat()));
        step("watched-6", () -> zk.exists("/java/later", w));
        step("watched-7", () -> zk.getChildren("/java", w));
        // The other side sets /java/p and creates /java/later while this client is away.
        sessionEvents.clear();
        say("CUT reattach");
        awaitState(KeeperState.Disconnected);
        awaitState(KeeperState.SyncConnected);
        awaitEvent();
        awaitEvent();
        awaitEvent();
        step("after-reconnect", () -> zk.getData("/java/p", w, new Stat()));
        step("persistent-again", () -> zk.addWatch("/java/p", w, AddWatchMode.PERSISTENT));
        step("recursive-again", () -> zk.addWatch("/java/p2", w, AddWatchMode.PERSISTENT_RECURSIVE));
        sessionEvents.clear();
        say("CUT reattach-with-persistent");
        awaitState(KeeperState.Disconnected);
        awaitState(KeeperState.SyncConnected);
        step("after-second-reconnect", () -> zk.exists("/java/p", false));
        long id = zk.getSessionId();
        say("STEP refused-session");
        ZooKeeper wrong = new ZooKeeper(hosts, 12000, sessionEvents::add, id + 1000, new byte[16]);
        awaitState(KeeperState.Expired);
        wrong.close();
        say("STEP idle");
        Thread.sleep(4500); // the client pings by itself after a third of its timeout
    }

    static void reconfig(String hosts, String member) throws Exception {
        say("STEP new-session");
        zk = connect(hosts, 12000, false);
        zk.addAuthInfo("digest", "super:secret".getBytes());
        step("config", () -> zk.getConfig(watcher(), new Stat()));
        step("new-members", () -> ((ZooKeeperAdmin) zk).reconfigure(null, null, member, -1, new Stat()));
        step("stale-version", () -> ((ZooKeeperAdmin) zk).reconfigure(null, null, member, 1, new Stat()));
        step("bad-arguments", () -> ((ZooKeeperAdmin) zk).reconfigure(null, null, "server.1=nonsense", -1, new Stat()));
        step("close", () -> zk.close());
    }

    static void sasl(String hosts) throws Exception {
        say("STEP digest-md5");
        zk = connect(hosts, 12000, false);
        awaitState(KeeperState.SaslAuthenticated);
        step("sasl", () -> zk.whoAmI());
        step("close", () -> zk.close());
    }

    static void readOnly(String hosts) throws Exception {
        say("STEP read-only");
        zk = connect(hosts, 12000, true);
        step("read-only", () -> zk.getChildren("/", false));
        step("not-read-only", () -> zk.create("/no", null, OPEN, CreateMode.PERSISTENT));
        step("close", () -> zk.close());
    }
}
