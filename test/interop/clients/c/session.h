/*
 * A session of the C client with what its watcher callbacks reported. Callbacks run on the library's
 * completion thread, checks on the main thread; a recorder is the queue between the two.
 */
#ifndef SESSION_H
#define SESSION_H

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <zookeeper/zookeeper.h>

#define EVENT_WAIT_MS 15000
#define EVENTS_KEPT 64

struct event {
  int type;
  int state;
  char path[256];
};

struct recorder {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  struct event events[EVENTS_KEPT];
  int arrived;
  int taken;
};

struct session {
  zhandle_t *handle;
  struct recorder states; /* session events only: connected, connecting, expired, ... */
};

void recorder_init(struct recorder *recorder);

/* A watcher_fn; its context is the recorder. Session events reach every watcher and are left out here. */
void record_node_event(zhandle_t *handle, int type, int state, const char *path, void *recorder);

/* Takes the oldest event not yet taken; false if none arrives in time. */
bool next_event(struct recorder *recorder, struct event *event);

/* How many events have arrived that nobody has taken. */
int events_waiting(struct recorder *recorder);

const char *event_name(int type);

struct session *session_open(const char *server, int timeout_ms, const clientid_t *resume);

/* Waits until the session has reported this state, discarding the states before it. */
bool await_state(struct session *session, int state);

/*
 * The code of one asynchronous call, for a thread that waits for it. Only an asynchronous call tells that
 * the completions and events before it have run: the library answers synchronous calls past their queue.
 */
struct reply {
  pthread_mutex_t mutex;
  pthread_cond_t arrived;
  bool is_here;
  int code;
};

#define REPLY_PENDING {.mutex = PTHREAD_MUTEX_INITIALIZER, .arrived = PTHREAD_COND_INITIALIZER}

/* A void_completion_t; its data is the reply. */
void keep_reply(int code, const void *reply);
int await_reply(struct reply *reply);

/* A round trip: when it returns, everything the server had sent before has been delivered. */
int settle(struct session *session);

void session_close(struct session *session);

#endif
