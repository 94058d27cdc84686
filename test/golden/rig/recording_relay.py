"""Relays between the servers of an ensemble that keep every byte, in both directions.

All servers name one another zk1, zk2, ...; each has a hosts file of its own, in which its own name is where it listens
and every other name is a relay that nobody else uses. So the configuration is the same text everywhere, as it must be,
and still each byte between two servers passes a relay that knows who sent it.
"""
import socket
import threading


class Conversation:
    """One connection: what the server that opened it sent, and what came back."""

    def __init__(self, dialer, listener, kind):
        self.dialer = dialer
        self.listener = listener
        self.kind = kind
        self.sent = b""
        self.answered = b""


class RecordingRelay:
    def __init__(self, dialer, listener, kind, address, port, conversations):
        self.place = (dialer, listener, kind)
        self.target_port = port
        self.conversations = conversations
        self.listening = socket.create_server((address, port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listening.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                near.close()
                continue
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            conversation = Conversation(*self.place)
            self.conversations.append(conversation)
            threading.Thread(target=self._pump, args=(near, far, conversation, "sent"), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, conversation, "answered"), daemon=True).start()

    def _pump(self, source, sink, conversation, direction):
        try:
            while True:
                chunk = source.recv(65536)
                if not chunk:
                    break
                setattr(conversation, direction, getattr(conversation, direction) + chunk)
                sink.sendall(chunk)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listening.close()
