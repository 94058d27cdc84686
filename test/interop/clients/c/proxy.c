#include "proxy.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINKS_MAX 64

struct pump {
  int from;
  int to;
  pthread_t thread;
};

/* A link is one client connection: two pumps over two sockets, which stay open until the proxy stops. */
struct link {
  struct pump up;
  struct pump down;
};

struct proxy {
  int listener;
  char address[64];
  struct addrinfo *server;
  pthread_t acceptor;
  pthread_mutex_t mutex; /* guards is_cut, links and link_count */
  bool is_cut;
  struct link links[LINKS_MAX];
  int link_count;
};

static void *run_pump(void *argument) {
  struct pump *pump = argument;
  char chunk[65536];
  ssize_t received;
  while ((received = recv(pump->from, chunk, sizeof chunk, 0)) > 0) {
    ssize_t sent = 0;
    while (sent < received) {
      ssize_t part = send(pump->to, chunk + sent, (size_t)(received - sent), MSG_NOSIGNAL);
      if (part <= 0) break;
      sent += part;
    }
    if (sent < received) break;
  }
  shutdown(pump->from, SHUT_RDWR);
  shutdown(pump->to, SHUT_RDWR);
  return NULL;
}

static int connect_to(const struct addrinfo *server) {
  int fd = socket(server->ai_family, SOCK_STREAM, 0);
  if (fd >= 0 && connect(fd, server->ai_addr, server->ai_addrlen) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

static void send_at_once(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Holds the mutex while it connects: a cut that comes meanwhile must find the new link. */
static void admit(struct proxy *proxy, int client) {
  pthread_mutex_lock(&proxy->mutex);
  int server = proxy->is_cut || proxy->link_count == LINKS_MAX ? -1 : connect_to(proxy->server);
  if (server < 0) {
    close(client);
  } else {
    send_at_once(client);
    send_at_once(server);
    struct link *link = &proxy->links[proxy->link_count++];
    link->up = (struct pump){.from = client, .to = server};
    link->down = (struct pump){.from = server, .to = client};
    pthread_create(&link->up.thread, NULL, run_pump, &link->up);
    pthread_create(&link->down.thread, NULL, run_pump, &link->down);
  }
  pthread_mutex_unlock(&proxy->mutex);
}

static void *run_acceptor(void *argument) {
  struct proxy *proxy = argument;
  int client;
  while ((client = accept(proxy->listener, NULL, NULL)) >= 0) admit(proxy, client);
  return NULL;
}

static struct addrinfo *resolve(const char *server) {
  char host[256];
  snprintf(host, sizeof host, "%s", server);
  char *colon = strrchr(host, ':');
  if (colon == NULL) return NULL;
  *colon = '\0';
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
  return getaddrinfo(host, colon + 1, &hints, &found) == 0 ? found : NULL;
}

struct proxy *proxy_start(const char *server) {
  struct proxy *proxy = calloc(1, sizeof *proxy);
  struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof local;
  proxy->server = resolve(server);
  proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
  bool listens = bind(proxy->listener, (struct sockaddr *)&local, length) == 0 && listen(proxy->listener, 16) == 0 &&
                 getsockname(proxy->listener, (struct sockaddr *)&local, &length) == 0;
  if (proxy->server == NULL || !listens) {
    close(proxy->listener);
    free(proxy);
    return NULL;
  }
  snprintf(proxy->address, sizeof proxy->address, "127.0.0.1:%d", ntohs(local.sin_port));
  pthread_mutex_init(&proxy->mutex, NULL);
  pthread_create(&proxy->acceptor, NULL, run_acceptor, proxy);
  return proxy;
}

const char *proxy_address(const struct proxy *proxy) { return proxy->address; }

void proxy_cut(struct proxy *proxy) {
  pthread_mutex_lock(&proxy->mutex);
  proxy->is_cut = true;
  for (int i = 0; i < proxy->link_count; i++) {
    shutdown(proxy->links[i].up.from, SHUT_RDWR);
    shutdown(proxy->links[i].up.to, SHUT_RDWR);
  }
  pthread_mutex_unlock(&proxy->mutex);
}

void proxy_mend(struct proxy *proxy) {
  pthread_mutex_lock(&proxy->mutex);
  proxy->is_cut = false;
  pthread_mutex_unlock(&proxy->mutex);
}

void proxy_stop(struct proxy *proxy) {
  proxy_cut(proxy);
  shutdown(proxy->listener, SHUT_RDWR);
  pthread_join(proxy->acceptor, NULL);
  for (int i = 0; i < proxy->link_count; i++) {
    struct link *link = &proxy->links[i];
    pthread_join(link->up.thread, NULL);
    pthread_join(link->down.thread, NULL);
    close(link->up.from);
    close(link->up.to);
  }
  close(proxy->listener);
  freeaddrinfo(proxy->server);
  free(proxy);
}
