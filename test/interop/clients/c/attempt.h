/*
 * One attempt at one check. A check is a function that is given an attempt, works below its own root
 * node, and either returns or fails with a sentence; everything it opened is closed behind it, so a
 * check that stops early leaves nothing that could disturb the next one.
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include <stdarg.h>

#include "proxy.h"
#include "session.h"

#define SESSIONS_PER_ATTEMPT 8
#define RECORDERS_PER_ATTEMPT 32
#define PATH_BYTES 256
#define PATHS_AT_ONCE 8

struct attempt {
  const char *server;
  struct session *main; /* connected before the check runs; its root node exists */
  char root[128];
  char paths[PATHS_AT_ONCE][PATH_BYTES];
  int path_count;
  char failure[1024]; /* empty as long as nothing went wrong */
  struct session *sessions[SESSIONS_PER_ATTEMPT];
  int session_count;
  struct proxy *proxy;
  struct recorder recorders[RECORDERS_PER_ATTEMPT];
  int recorder_count;
};

struct check {
  const char *name;
  void (*run)(struct attempt *attempt);
};

/* Leaves the check with a sentence unless the condition holds. */
#define EXPECT(attempt, condition, ...)    \
  do {                                     \
    if (!(condition)) {                    \
      fail(attempt, __VA_ARGS__);          \
      return;                              \
    }                                      \
  } while (0)

/* Leaves the check unless a call of the library returned the code that was expected. */
#define EXPECT_CODE(attempt, expected, call)                                                      \
  do {                                                                                            \
    int code_ = (call);                                                                           \
    if (code_ != (expected)) {                                                                    \
      fail(attempt, "%s returned %d (%s), expected %d (%s)", #call, code_, zerror(code_),         \
           (int)(expected), zerror(expected));                                                    \
      return;                                                                                     \
    }                                                                                             \
  } while (0)

#define EXPECT_NUMBER(attempt, expected, actual)                                                  \
  do {                                                                                            \
    long long expected_ = (long long)(expected), actual_ = (long long)(actual);                   \
    if (expected_ != actual_) {                                                                   \
      fail(attempt, "%s is %lld, expected %lld", #actual, actual_, expected_);                    \
      return;                                                                                     \
    }                                                                                             \
  } while (0)

/* Waits for one event of a recorder and leaves the check if another one, or none, arrives. */
#define EXPECT_EVENT(attempt, recorder, expected_type, expected_path)                             \
  do {                                                                                            \
    struct event event_;                                                                          \
    if (!next_event(recorder, &event_)) {                                                         \
      fail(attempt, "no event within %d ms, expected %s at %s", EVENT_WAIT_MS,                    \
           event_name(expected_type), expected_path);                                             \
      return;                                                                                     \
    }                                                                                             \
    if (event_.type != (expected_type) || strcmp(event_.path, expected_path) != 0) {              \
      fail(attempt, "event %s at %s, expected %s at %s", event_name(event_.type), event_.path,    \
           event_name(expected_type), expected_path);                                             \
      return;                                                                                     \
    }                                                                                             \
  } while (0)

void fail(struct attempt *attempt, const char *format, ...);

/* The path of a node below the root of this attempt; the texts of the last eight calls are valid. */
const char *below(struct attempt *attempt, const char *name);

/* A recorder for watches; it lives until the sessions are closed, as the watches on it may. */
struct recorder *new_recorder(struct attempt *attempt);

/* Opens one more session and waits until it is connected; NULL (and a failure) if that does not happen. */
struct session *join(struct attempt *attempt, const char *server, int timeout_ms, const clientid_t *resume);

/* Closes a session before the check ends. */
void leave(struct attempt *attempt, struct session *session);

/* Waits until a node is gone that goes by itself. Closing a session does not wait until it is closed. */
void await_deletion(struct attempt *attempt, const char *path);

/* Puts a proxy in front of the server, so that the check can cut the connections made through it. */
struct proxy *interpose(struct attempt *attempt);

extern const struct check data_checks[];
extern const struct check acl_checks[];
extern const struct check multi_checks[];
extern const struct check watch_checks[];
extern const struct check connection_checks[];

#endif
