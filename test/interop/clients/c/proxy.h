/*
 * A TCP proxy inside the program: the way a check cuts its own connection without touching the server.
 * While it is cut, connections in progress are reset and new ones are accepted and closed at once, as
 * a client sees a server whose machine is up and whose process is gone.
 */
#ifndef PROXY_H
#define PROXY_H

struct proxy;

/* Listens on a free port of 127.0.0.1 and forwards to server (host:port); NULL if that is impossible. */
struct proxy *proxy_start(const char *server);
const char *proxy_address(const struct proxy *proxy);
void proxy_cut(struct proxy *proxy);
void proxy_mend(struct proxy *proxy);
void proxy_stop(struct proxy *proxy);

#endif
