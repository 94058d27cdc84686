"""kazoo-peer.py HOST:PORT ROOT ROUNDS: a kazoo process that contends with a Node process for the same recipes.

Under the lock it adds to a plain node without comparing versions: additions are lost unless the lock excludes.
"""

import sys

from kazoo.client import KazooClient

server, root, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = KazooClient(hosts=server)
client.start(timeout=15)


def add_unguarded(path):
    client.set(path, str(int(client.get(path)[0]) + 1).encode())


for _ in range(rounds):
    with client.Lock(root + "/lock"):
        add_unguarded(root + "/by-lock")
    with client.Lock(root + "/curator-lock", extra_lock_patterns=("lock-",)):
        add_unguarded(root + "/by-curator-lock")
    client.Election(root + "/election").run(add_unguarded, root + "/by-election")
    counter = client.Counter(root + "/text")
    counter += 1
    shared = client.Counter(root + "/int32", support_curator=True)
    shared += 1
    client.Queue(root + "/queue").put(b"from kazoo")
    work = client.LockingQueue(root + "/work")
    work.get()
    work.consume()
client.stop()
