"""A kazoo client that stays connected while servers come and go.

Takes the connect string and a path for its ephemeral node. For each line on its standard input it writes and
reads once and answers with one line of JSON: its session, the states it went through, what it read.
"""
import json
import logging
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import ConnectionLoss, SessionExpiredError
from kazoo.retry import KazooRetry

logging.basicConfig(level=logging.CRITICAL)


def main():
    hosts, path = sys.argv[1:3]
    states = []
    retry = KazooRetry(max_tries=-1, max_delay=0.2, delay=0.05)
    client = KazooClient(hosts=hosts, timeout=10.0, connection_retry=retry, command_retry=retry)
    client.add_listener(lambda state: states.append(str(state)))
    client.start(timeout=20)
    client.create(path, b"0", ephemeral=True)
    seen = []
    client.DataWatch(path, lambda data, stat: seen.append(data.decode() if data else None))
    answer(client, states, seen, path)
    for count, _ in enumerate(sys.stdin, 1):
        client.retry(client.set, path, str(count).encode())
        answer(client, states, seen, path)
    client.stop()


def answer(client, states, seen, path):
    data, stat = client.retry(client.get, path)
    session = client.client_id[0] if client.client_id else None
    print(json.dumps({"session": str(session), "owner": str(stat.ephemeralOwner), "states": states,
                      "data": data.decode(), "seen": seen}), flush=True)


try:
    main()
except (ConnectionLoss, SessionExpiredError) as error:
    print(json.dumps({"error": repr(error)}), flush=True)
    sys.exit(1)
