"""A TCP proxy that keeps every frame that passes, with the label that was current when it was sent.

A request is kept before it is passed on, so that its reply can never be in the record ahead of it.
"""
import socket
import struct
import threading


class Connection:
    def __init__(self, label):
        self.first_label = label
        self.frames = []  # (from_client, label, payload), in the order seen
        self.lock = threading.Lock()

    def keep(self, from_client, label, payload):
        with self.lock:
            self.frames.append((from_client, label, payload))


class RecordingProxy:
    def __init__(self, client, target_port, setup="standalone"):
        self.client = client
        self.setup = setup
        self.target_port = target_port
        self.label = "start"
        self.connections = []
        self.sockets = []
        self.refusing = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.refusing:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.target_port))
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            record = Connection(self.label)
            self.connections.append(record)
            self.sockets.append((near, far))
            threading.Thread(target=self._pump, args=(near, far, record, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, record, False), daemon=True).start()

    def _pump(self, source, sink, record, from_client):
        pending = b""
        try:
            while True:
                chunk = source.recv(65536)
                if not chunk:
                    break
                pending += chunk
                while len(pending) >= 4:
                    length = struct.unpack(">i", pending[:4])[0]
                    if length < 0 or len(pending) < 4 + length:
                        break
                    record.keep(from_client, self.label, pending[4:4 + length])
                    pending = pending[4 + length:]
                sink.sendall(chunk)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """Breaks every connection and refuses new ones until `mend`."""
        self.refusing = True
        for pair in self.sockets:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.sockets = []

    def mend(self):
        self.refusing = False

    def close(self):
        self.cut()
        self.listener.close()
