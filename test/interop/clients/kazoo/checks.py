"""The frame of the program: checks with a name, and what each of them is given.

A check is a function that takes a Room: its own root node on the server, clients that are stopped when
the check is over, and waits with a deadline. It passes by returning and fails by raising.
"""

import itertools
import queue
import threading
import time

from kazoo.client import KazooClient

from proxy import Proxy

WAIT_SECONDS = 15
CHECK_SECONDS = 40
SESSION_TIMEOUT_SECONDS = 8.0

_checks = []
_numbers = itertools.count(1)


class CheckFailed(Exception):
    """An expectation that did not hold; its text is the reason that is printed."""


def check(name):
    """Registers a function as the check of this name."""

    def register(function):
        _checks.append((name, function))
        return function

    return register


def expect(condition, sentence):
    if not condition:
        raise CheckFailed(sentence)


def expect_equal(actual, expected, what):
    expect(actual == expected, f"{what} is {actual!r}, expected {expected!r}")


def expect_raises(exception, function, *arguments, **options):
    try:
        function(*arguments, **options)
    except exception:
        return
    except Exception as other:
        raise CheckFailed(f"{type(other).__name__} was raised, expected {exception.__name__}") from other
    raise CheckFailed(f"{exception.__name__} was expected, nothing was raised")


def eventually(condition, what):
    """Waits until a condition holds that nobody will announce."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        expect(time.monotonic() < deadline, f"{what}: not within {WAIT_SECONDS} s")
        time.sleep(0.01)


class Inbox:
    """What callbacks and threads report, in order."""

    def __init__(self):
        self._queue = queue.Queue()

    def put(self, item):
        self._queue.put(item)

    def next(self, what, seconds=WAIT_SECONDS):
        try:
            return self._queue.get(timeout=seconds)
        except queue.Empty:
            raise CheckFailed(f"{what}: not within {seconds} s") from None

    def is_empty(self):
        return self._queue.empty()


class Room:
    """What one check works with."""

    def __init__(self, server):
        self.server = server
        self.root = f"/interop-kazoo-{time.time_ns()}-{next(_numbers)}"
        self._clients = []
        self._proxies = []

    def path(self, *names):
        return "/".join([self.root, *names])

    def client(self, server=None, timeout=SESSION_TIMEOUT_SECONDS, **options):
        """A started client of its own session."""
        client = KazooClient(hosts=server or self.server, timeout=timeout, **options)
        self._clients.append(client)
        client.start(timeout=WAIT_SECONDS)
        return client

    def proxy(self):
        proxy = Proxy(self.server)
        self._proxies.append(proxy)
        return proxy

    def run(self, function, *arguments):
        """Runs a function on a thread; returns the inbox that gets its result, or the exception it raised."""
        inbox = Inbox()

        def body():
            try:
                inbox.put(function(*arguments))
            except Exception as error:
                inbox.put(error)

        threading.Thread(target=body, daemon=True).start()
        return inbox

    def close(self):
        for proxy in self._proxies:
            proxy.mend()
        for client in self._clients:
            client.stop()
            client.close()
        for proxy in self._proxies:
            proxy.close()


def _outcome(server, function):
    """None, or why the check failed. Kazoo waits for answers without a limit, so the check has a thread."""
    room = Room(server)

    def body():
        try:
            function(room)
        finally:
            room.close()

    try:
        error = room.run(body).next("the end of the check", CHECK_SECONDS)
    except CheckFailed as late:
        error = late
    if error is None:
        return None
    return str(error) if isinstance(error, CheckFailed) else f"{type(error).__name__}: {error}"


def run_all(server):
    """Runs every check and prints its line; returns how many passed and how many failed."""
    failed = 0
    for name, function in _checks:
        why = _outcome(server, function)
        if why is None:
            print(f"ok {name}", flush=True)
        else:
            print(f"not ok {name}: {' '.join(why.split())}", flush=True)
            failed += 1
    return len(_checks) - failed, failed
