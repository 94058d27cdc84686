"""A TCP proxy on threads of this process: the way a check cuts its own connection, not the server's.

While it is cut, connections in progress are closed and new ones are accepted and closed at once. While
it holds, what either side sends is kept back, so that a cut can hit a request that is on its way.
"""

import socket
import threading

PING_BYTES = 12


class Proxy:
    def __init__(self, server):
        host, port = server.rsplit(":", 1)
        self._server = (host, int(port))
        self._lock = threading.Lock()  # guards _is_cut and _sockets
        self._is_cut = False
        self._sockets = []
        self._flowing = threading.Event()
        self._flowing.set()
        self.has_held = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self):
        """Keeps bytes back until the next cut; has_held is set once there is a request among them, and not a ping."""
        self.has_held.clear()
        self._flowing.clear()

    def cut(self):
        with self._lock:
            self._is_cut = True
            for each in self._sockets:
                _shut(each)
            self._sockets.clear()
        self._flowing.set()

    def mend(self):
        with self._lock:
            self._is_cut = False

    def close(self):
        self.cut()
        _shut(self._listener)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._admit(client)

    def _admit(self, client):
        # The lock is held while connecting: a cut that comes meanwhile must find the new pair.
        with self._lock:
            if self._is_cut:
                client.close()
                return
            try:
                server = socket.create_connection(self._server)
            except OSError:
                client.close()
                return
            self._sockets += [client, server]
        for source, sink, makes_requests in ((client, server, True), (server, client, False)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pump, args=(source, sink, makes_requests), daemon=True).start()

    def _pump(self, source, sink, makes_requests):
        try:
            while chunk := source.recv(65536):
                if not self._flowing.is_set():
                    if makes_requests and len(chunk) > PING_BYTES:
                        self.has_held.set()
                    self._flowing.wait()
                sink.sendall(chunk)
        except OSError:
            pass
        _shut(source)
        _shut(sink)


def _shut(each):
    try:
        each.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
