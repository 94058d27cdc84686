"""kazoo under measurement: the same loop as drive.ts, over its asynchronous calls."""

import json
import resource
import sys
import threading
import time

from kazoo.client import KazooClient


class LoadInProgress:
    """Lanes that each keep one request in flight; the next is sent from the callback of the last."""

    def __init__(self, client, load, paths, value):
        self.call = client.get_async if load["operation"] == "get" else client.set_async
        self.arguments = () if load["operation"] == "get" else (value,)
        self.paths = paths
        self.next = 0
        self.calls = 0
        self.is_over = False
        self.lanes = load["inFlight"]
        self.failure = None
        self.ended = threading.Event()

    def start(self):
        for _ in range(self.lanes):
            self.ask()

    def ask(self):
        path = self.paths[self.next % len(self.paths)]
        self.next += 1
        self.call(path, *self.arguments).rawlink(self.answered)

    # kazoo calls back from one thread alone, so that the counts need no lock.
    def answered(self, result):
        if result.exception is not None:
            self.failure = result.exception
            self.ended.set()
            return
        self.calls += 1
        if not self.is_over:
            self.ask()
            return
        self.lanes -= 1
        if self.lanes == 0:
            self.ended.set()


def cpu_us():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1e6


def measure(client, load, setup):
    progress = LoadInProgress(client, load, setup["paths"], b"v" * setup["valueBytes"])
    progress.start()
    progress.ended.wait(load["warmupSeconds"])
    calls, started, cpu = progress.calls, time.perf_counter(), cpu_us()
    progress.ended.wait(load["seconds"])
    measured = {
        "kind": "measured",
        "calls": progress.calls - calls,
        "seconds": time.perf_counter() - started,
        "cpuUs": cpu_us() - cpu,
    }
    progress.is_over = True
    progress.ended.wait()
    if progress.failure is not None:
        raise progress.failure
    return measured


def answer(message):
    print(json.dumps(message), flush=True)


def main():
    setup = json.loads(sys.argv[1])
    client = KazooClient(hosts="%s:%d" % (setup["host"], setup["port"]), timeout=10.0)
    client.start()
    answer({"kind": "ready"})
    for line in sys.stdin:
        answer(measure(client, json.loads(line), setup))
    client.stop()


main()
