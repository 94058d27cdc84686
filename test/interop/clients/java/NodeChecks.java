import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Collectors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.CuratorEvent;
import org.apache.curator.framework.api.transaction.CuratorOp;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ClientInfo;
import org.apache.zookeeper.data.Stat;

/** Nodes, transactions and access rights, through Curator and through Apache's Java client below it. */
final class NodeChecks {
  static void register(Checks checks) {
    checks.add("create, getData, setData and delete follow the node's version", NodeChecks::followVersions);
    checks.add("creating parents as containers works", NodeChecks::createContainers);
    checks.add("a protected create finds its node by its mark", NodeChecks::createProtected);
    checks.add("nodes with a time to live are made", NodeChecks::createTtl);
    checks.add("operations in the background are answered in order", NodeChecks::runInBackground);
    checks.add("a transaction applies everything and answers each operation", NodeChecks::commit);
    checks.add("a failed transaction applies nothing and names the operation", NodeChecks::rollBack);
    checks.add("a credential opens what its ACL protects", NodeChecks::authenticate);
    checks.add("a namespace is put on and taken off paths", NodeChecks::useNamespace);
    checks.add("a multi of reads answers each of them", NodeChecks::readMany);
    checks.add("whoAmI, getEphemerals and getAllChildrenNumber answer", NodeChecks::askAboutTheSession);
  }

  static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  static String text(byte[] data) {
    return data == null ? null : new String(data, UTF_8);
  }

  private static void followVersions(Room room) throws Exception {
    CuratorFramework client = room.client();
    String path = room.path("node");
    Stat created = new Stat();
    Stat read = new Stat();
    client.create().storingStatIn(created).creatingParentsIfNeeded().forPath(path, bytes("one"));
    Checks.expectEqual("one", text(client.getData().storingStatIn(read).forPath(path)), "the data");
    Checks.expectEqual(created, read, "the Stat of getData");
    Checks.expectEqual(1, client.setData().withVersion(0).forPath(path, bytes("two")).getVersion(), "the version");
    Checks.expectThrows(KeeperException.BadVersionException.class,
        () -> client.setData().withVersion(0).forPath(path, bytes("stale")));
    Checks.expectThrows(KeeperException.NodeExistsException.class, () -> client.create().forPath(path));
    Checks.expectThrows(KeeperException.NotEmptyException.class, () -> client.delete().forPath(room.root));
    client.delete().guaranteed().withVersion(1).forPath(path);
    Checks.expectEqual(null, client.checkExists().forPath(path), "what is left of the node");
    client.delete().deletingChildrenIfNeeded().forPath(room.root);
  }

  private static void createContainers(Room room) throws Exception {
    CuratorFramework client = room.client();
    client.create().creatingParentContainersIfNeeded().forPath(room.path("a/b"));
    Checks.expectEqual(List.of("b"), client.getChildren().forPath(room.path("a")), "the children of the container");
    Checks.expectEqual(0L, client.checkExists().forPath(room.path("a")).getEphemeralOwner(), "the container's owner");
  }

  private static void createProtected(Room room) throws Exception {
    CuratorFramework client = room.client();
    String path = client.create().creatingParentsIfNeeded().withProtection()
        .withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(room.path("lock-"));
    Checks.expect(path.matches(room.root + "/_c_[0-9a-f-]{36}-lock-0000000000"), "the node is called " + path);
    long session = client.getZookeeperClient().getZooKeeper().getSessionId();
    Checks.expectEqual(session, client.checkExists().forPath(path).getEphemeralOwner(), "the owner");
  }

  private static void createTtl(Room room) throws Exception {
    CuratorFramework client = room.client();
    Stat stat = new Stat();
    client.create().withTtl(600_000).storingStatIn(stat).creatingParentsIfNeeded()
        .withMode(CreateMode.PERSISTENT_WITH_TTL).forPath(room.path("ttl"), bytes("x"));
    Checks.expectEqual(0L, stat.getEphemeralOwner(), "the owner");
    Checks.expectEqual("x", text(client.getData().forPath(room.path("ttl"))), "the data");
  }

  private static void runInBackground(Room room) throws Exception {
    CuratorFramework client = room.client();
    BlockingQueue<CuratorEvent> answers = new LinkedBlockingQueue<>();
    client.create().creatingParentsIfNeeded().forPath(room.path("node"), bytes("0"));
    for (int version = 0; version < 100; version++)
      client.setData().withVersion(version).inBackground((asked, event) -> answers.add(event))
          .forPath(room.path("node"), bytes("x"));
    for (int version = 1; version <= 100; version++) {
      CuratorEvent event = Checks.next(answers, "an answer");
      Checks.expectEqual(KeeperException.Code.OK.intValue(), event.getResultCode(), "the code");
      Checks.expectEqual(version, event.getStat().getVersion(), "the version");
    }
    client.sync().inBackground((asked, event) -> answers.add(event)).forPath(room.root);
    Checks.expectEqual(room.root, Checks.next(answers, "the answer to sync").getPath(), "the path of sync");
  }

  private static void commit(Room room) throws Exception {
    CuratorFramework client = room.client();
    client.create().forPath(room.root, bytes("old"));
    CuratorOp check = client.transactionOp().check().withVersion(0).forPath(room.root);
    CuratorOp create = client.transactionOp().create().withMode(CreateMode.PERSISTENT_SEQUENTIAL)
        .forPath(room.path("n-"), bytes("x"));
    CuratorOp set = client.transactionOp().setData().withVersion(0).forPath(room.root, bytes("new"));
    CuratorOp delete = client.transactionOp().delete().forPath(room.path("n-0000000000"));
    List<CuratorTransactionResult> results = client.transaction().forOperations(check, create, set, delete);
    List<Integer> errors = results.stream().map(CuratorTransactionResult::getError).collect(Collectors.toList());
    Checks.expectEqual(List.of(0, 0, 0, 0), errors, "the codes");
    Checks.expectEqual(room.path("n-0000000000"), results.get(1).getResultPath(), "the path of the created node");
    Checks.expectEqual(1, results.get(2).getResultStat().getVersion(), "the version after setData");
    Checks.expectEqual(List.of(), client.getChildren().forPath(room.root), "the children afterwards");
  }

  private static void rollBack(Room room) throws Exception {
    CuratorFramework client = room.client();
    client.create().forPath(room.root);
    CuratorOp create = client.transactionOp().create().forPath(room.path("never"));
    CuratorOp wrong = client.transactionOp().setData().withVersion(9).forPath(room.root, bytes("x"));
    CuratorOp unattempted = client.transactionOp().delete().forPath(room.root);
    try {
      client.transaction().forOperations(create, wrong, unattempted);
      throw new Checks.Unexpected("the transaction was committed");
    } catch (KeeperException.BadVersionException expected) {
      List<Integer> errors = new ArrayList<>();
      for (OpResult result : expected.getResults()) errors.add(((OpResult.ErrorResult) result).getErr());
      Checks.expectEqual(List.of(0, KeeperException.Code.BADVERSION.intValue(),
          KeeperException.Code.RUNTIMEINCONSISTENCY.intValue()), errors, "the codes");
    }
    Checks.expectEqual(null, client.checkExists().forPath(room.path("never")), "what the transaction created");
  }

  private static void authenticate(Room room) throws Exception {
    CuratorFramework owner = room.client(
        room.builder(room.server, Room.SESSION_TIMEOUT_MS).authorization("digest", bytes("anna:secret")));
    CuratorFramework stranger = room.client();
    owner.create().creatingParentsIfNeeded().withACL(ZooDefs.Ids.CREATOR_ALL_ACL)
        .forPath(room.path("mine"), bytes("x"));
    Checks.expectEqual("x", text(owner.getData().forPath(room.path("mine"))), "the data");
    Checks.expectEqual("anna:Wap/fLaD11BLJBT+7fkDcVxaT7c=",
        owner.getACL().forPath(room.path("mine")).get(0).getId().getId(), "the id in the ACL");
    Checks.expectThrows(KeeperException.NoAuthException.class, () -> stranger.getData().forPath(room.path("mine")));
    Checks.expectThrows(KeeperException.InvalidACLException.class,
        () -> stranger.create().withACL(ZooDefs.Ids.CREATOR_ALL_ACL).forPath(room.path("nobody")));
    owner.setACL().withVersion(0).withACL(ZooDefs.Ids.OPEN_ACL_UNSAFE).forPath(room.path("mine"));
    Checks.expectEqual("x", text(stranger.getData().forPath(room.path("mine"))), "what the stranger reads now");
  }

  private static void useNamespace(Room room) throws Exception {
    CuratorFramework client = room.client();
    CuratorFramework inner = client.usingNamespace(room.root.substring(1));
    Checks.expectEqual("/node", inner.create().forPath("/node", bytes("x")), "the path that create answered");
    Checks.expectEqual("x", text(client.getData().forPath(room.path("node"))), "the data");
    CuratorFramework rooted = room.client(room.builder(room.server + room.root, Room.SESSION_TIMEOUT_MS));
    Checks.expectEqual(List.of("node"), rooted.getChildren().forPath("/"), "the children of the chroot");
  }

  private static void readMany(Room room) throws Exception {
    CuratorFramework client = room.client();
    client.create().creatingParentsIfNeeded().forPath(room.path("node"), bytes("x"));
    ZooKeeper zooKeeper = client.getZookeeperClient().getZooKeeper();
    List<OpResult> results = zooKeeper.multi(
        List.of(Op.getData(room.path("node")), Op.getChildren(room.root), Op.getData(room.path("missing"))));
    Checks.expectEqual("x", text(((OpResult.GetDataResult) results.get(0)).getData()), "the data");
    Checks.expectEqual(List.of("node"), ((OpResult.GetChildrenResult) results.get(1)).getChildren(), "the children");
    int code = ((OpResult.ErrorResult) results.get(2)).getErr();
    Checks.expectEqual(KeeperException.Code.NONODE.intValue(), code, "the code");
  }

  private static void askAboutTheSession(Room room) throws Exception {
    CuratorFramework client = room.client();
    client.create().creatingParentsIfNeeded().withMode(CreateMode.EPHEMERAL).forPath(room.path("mine"));
    client.create().creatingParentsIfNeeded().forPath(room.path("a/b"));
    ZooKeeper zooKeeper = client.getZookeeperClient().getZooKeeper();
    zooKeeper.addAuthInfo("digest", bytes("anna:secret"));
    List<String> users = zooKeeper.whoAmI().stream().map(NodeChecks::nameOf).sorted().collect(Collectors.toList());
    Checks.expectEqual(List.of("digest anna", "ip 127.0.0.1"), users, "whoAmI");
    Checks.expectEqual(List.of(room.path("mine")), zooKeeper.getEphemerals(), "getEphemerals");
    Checks.expectEqual(List.of(), zooKeeper.getEphemerals(room.path("a")), "getEphemerals of another branch");
    Checks.expectEqual(3, zooKeeper.getAllChildrenNumber(room.root), "getAllChildrenNumber");
  }

  private static String nameOf(ClientInfo client) {
    return client.getAuthScheme() + " " + client.getUser();
  }
}
