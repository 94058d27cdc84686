"""Starts and stops a real Apache ZooKeeper server in a directory of its own."""
import os
import signal
import socket
import subprocess
import time

CLASSPATH = os.environ.get("ZOOKEEPER_CLASSPATH", "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar")
# digest of super:secret
SUPER_DIGEST = "super:lK75jTNcA+U9vtVEw5vB51mj/w4="


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def four_letter_word(port, word):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(word.encode())
        answer = b""
        while True:
            chunk = sock.recv(65536)
            if not chunk:
                return answer.decode()
            answer += chunk


class ApacheServer:
    def __init__(self, directory, settings=(), properties=(), members=None, server_id=1, port=None):
        self.directory = directory
        self.data = os.path.join(directory, "data")
        self.port = port or free_port()
        self.properties = list(properties)
        os.makedirs(self.data, exist_ok=True)
        lines = ["tickTime=2000", "initLimit=5", "syncLimit=5", "dataDir=" + self.data,
                 "4lw.commands.whitelist=*", "admin.enableServer=false", "maxClientCnxns=0"]
        lines += list(settings)
        if members:
            lines += [member.replace("CLIENT_PORT", str(self.port)) for member in members]
            with open(os.path.join(self.data, "myid"), "w") as file:
                file.write("%d\n" % server_id)
        else:
            lines += ["clientPort=%d" % self.port, "clientPortAddress=127.0.0.1"]
        self.config = os.path.join(directory, "zoo.cfg")
        with open(self.config, "w") as file:
            file.write("\n".join(lines) + "\n")
        self.process = None

    def start(self, wanted=("Mode: standalone", "Mode: leader")):
        return self.launch().wait_for(wanted)

    def launch(self):
        log = open(os.path.join(self.directory, "server.log"), "ab")
        base = ["-Xmx256m", "-Dzookeeper.DigestAuthenticationProvider.superDigest=" + SUPER_DIGEST]
        self.process = subprocess.Popen(
            ["java", "-cp", CLASSPATH] + base + self.properties +
            ["org.apache.zookeeper.server.quorum.QuorumPeerMain", self.config],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory)
        return self

    def wait_for(self, wanted):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError("the server ended; see " + self.directory + "/server.log")
            try:
                answer = four_letter_word(self.port, "srvr")
                if any(line in answer for line in wanted):
                    return self
            except OSError:
                pass
            time.sleep(0.1)
        raise RuntimeError("the server did not come up; see " + self.directory + "/server.log")

    def kill(self):
        self._end(signal.SIGKILL)

    def stop(self):
        self._end(signal.SIGTERM)

    def _end(self, how):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(20)
