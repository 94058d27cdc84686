#include "session.h"

#include <errno.h>
#include <time.h>

void recorder_init(struct recorder *recorder) {
  memset(recorder, 0, sizeof *recorder);
  pthread_mutex_init(&recorder->mutex, NULL);
  pthread_cond_init(&recorder->changed, NULL);
}

static void record(struct recorder *recorder, int type, int state, const char *path) {
  pthread_mutex_lock(&recorder->mutex);
  if (recorder->arrived < EVENTS_KEPT) {
    struct event *event = &recorder->events[recorder->arrived++];
    event->type = type;
    event->state = state;
    snprintf(event->path, sizeof event->path, "%s", path == NULL ? "" : path);
  }
  pthread_cond_broadcast(&recorder->changed);
  pthread_mutex_unlock(&recorder->mutex);
}

void record_node_event(zhandle_t *handle, int type, int state, const char *path, void *recorder) {
  (void)handle;
  if (type != ZOO_SESSION_EVENT) record(recorder, type, state, path);
}

static void record_session_event(zhandle_t *handle, int type, int state, const char *path, void *context) {
  (void)handle;
  struct session *session = context;
  if (type == ZOO_SESSION_EVENT) record(&session->states, type, state, path);
}

static struct timespec deadline_after(int ms) {
  struct timespec at;
  clock_gettime(CLOCK_REALTIME, &at);
  at.tv_sec += ms / 1000;
  at.tv_nsec += (ms % 1000) * 1000000L;
  if (at.tv_nsec >= 1000000000L) {
    at.tv_sec += 1;
    at.tv_nsec -= 1000000000L;
  }
  return at;
}

bool next_event(struct recorder *recorder, struct event *event) {
  struct timespec deadline = deadline_after(EVENT_WAIT_MS);
  pthread_mutex_lock(&recorder->mutex);
  int waited = 0;
  while (recorder->taken == recorder->arrived && waited != ETIMEDOUT)
    waited = pthread_cond_timedwait(&recorder->changed, &recorder->mutex, &deadline);
  bool found = recorder->taken < recorder->arrived;
  if (found) *event = recorder->events[recorder->taken++];
  pthread_mutex_unlock(&recorder->mutex);
  return found;
}

int events_waiting(struct recorder *recorder) {
  pthread_mutex_lock(&recorder->mutex);
  int waiting = recorder->arrived - recorder->taken;
  pthread_mutex_unlock(&recorder->mutex);
  return waiting;
}

const char *event_name(int type) {
  if (type == ZOO_CREATED_EVENT) return "created";
  if (type == ZOO_DELETED_EVENT) return "deleted";
  if (type == ZOO_CHANGED_EVENT) return "changed";
  if (type == ZOO_CHILD_EVENT) return "child";
  if (type == ZOO_SESSION_EVENT) return "session";
  return "unknown";
}

struct session *session_open(const char *server, int timeout_ms, const clientid_t *resume) {
  struct session *session = calloc(1, sizeof *session);
  recorder_init(&session->states);
  session->handle =
      zookeeper_init(server, record_session_event, timeout_ms, resume, session, ZOO_NO_LOG_CLIENTENV);
  return session;
}

bool await_state(struct session *session, int state) {
  struct event event;
  while (next_event(&session->states, &event))
    if (event.state == state) return true;
  return false;
}

void keep_reply(int code, const void *context) {
  struct reply *reply = (struct reply *)(uintptr_t)context;
  pthread_mutex_lock(&reply->mutex);
  reply->code = code;
  reply->is_here = true;
  pthread_cond_signal(&reply->arrived);
  pthread_mutex_unlock(&reply->mutex);
}

/* Without a deadline of its own: the library completes every call it accepted, with an error if need be. */
int await_reply(struct reply *reply) {
  pthread_mutex_lock(&reply->mutex);
  while (!reply->is_here) pthread_cond_wait(&reply->arrived, &reply->mutex);
  pthread_mutex_unlock(&reply->mutex);
  return reply->code;
}

static void keep_stat_reply(int code, const struct Stat *stat, const void *context) {
  (void)stat;
  keep_reply(code, context);
}

int settle(struct session *session) {
  struct reply reply = REPLY_PENDING;
  int code = zoo_aexists(session->handle, "/", 0, keep_stat_reply, &reply);
  return code == ZOK ? await_reply(&reply) : code;
}

void session_close(struct session *session) {
  if (session->handle != NULL) zookeeper_close(session->handle);
  free(session);
}
