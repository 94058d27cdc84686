import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/**
 * A TCP proxy on threads of this process: the way a check cuts its own connection, not the server's.
 * While it is cut, connections in progress are closed and new ones are accepted and closed at once.
 */
final class CuttableProxy implements AutoCloseable {
  private final String host;
  private final int port;
  private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final List<Socket> sockets = new ArrayList<>();
  private boolean isCut;

  CuttableProxy(String server) throws IOException {
    int colon = server.lastIndexOf(':');
    host = server.substring(0, colon);
    port = Integer.parseInt(server.substring(colon + 1));
    start(this::accept);
  }

  String address() {
    return "127.0.0.1:" + listener.getLocalPort();
  }

  synchronized void cut() {
    isCut = true;
    sockets.forEach(CuttableProxy::closeQuietly);
    sockets.clear();
  }

  synchronized void mend() {
    isCut = false;
  }

  @Override
  public void close() throws IOException {
    cut();
    listener.close();
  }

  private void accept() {
    try {
      while (true) admit(listener.accept());
    } catch (IOException closed) {
      // The listener was closed: the proxy is over.
    }
  }

  /** Holds the lock while it connects: a cut that comes meanwhile must find the new pair. */
  private synchronized void admit(Socket client) {
    Socket server;
    try {
      if (isCut) throw new IOException("cut");
      server = new Socket(host, port);
      server.setTcpNoDelay(true);
      client.setTcpNoDelay(true);
    } catch (IOException unreachable) {
      closeQuietly(client);
      return;
    }
    sockets.add(client);
    sockets.add(server);
    start(() -> pump(client, server));
    start(() -> pump(server, client));
  }

  private static void pump(Socket from, Socket to) {
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      in.transferTo(out);
    } catch (IOException closed) {
      // One side is gone; the other follows.
    }
    closeQuietly(from);
    closeQuietly(to);
  }

  private static void start(Runnable body) {
    Thread thread = new Thread(body);
    thread.setDaemon(true);
    thread.start();
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException alreadyClosed) {
      // Closed is what it should be.
    }
  }
}
