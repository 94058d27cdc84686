/*
 * interop HOST:PORT: what Apache's C client library expects of a server, one check after the other.
 * Each check prints `ok NAME` or `not ok NAME: why`, the last line is `N passed, N failed`, and the
 * exit code is 1 if anything failed. The checks themselves are in the files named after their topic.
 */
#include <stdio.h>
#include <unistd.h>

#include "attempt.h"

#define SESSION_TIMEOUT_MS 8000

static const struct check *const check_lists[] = {data_checks, acl_checks, multi_checks, watch_checks,
                                                  connection_checks};

void fail(struct attempt *attempt, const char *format, ...) {
  if (attempt->failure[0] != '\0') return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(attempt->failure, sizeof attempt->failure, format, arguments);
  va_end(arguments);
}

const char *below(struct attempt *attempt, const char *name) {
  char *path = attempt->paths[attempt->path_count++ % PATHS_AT_ONCE];
  snprintf(path, PATH_BYTES, "%s/%s", attempt->root, name);
  return path;
}

struct recorder *new_recorder(struct attempt *attempt) {
  struct recorder *recorder = &attempt->recorders[attempt->recorder_count++];
  recorder_init(recorder);
  return recorder;
}

struct session *join(struct attempt *attempt, const char *server, int timeout_ms, const clientid_t *resume) {
  struct session *session = session_open(server, timeout_ms, resume);
  attempt->sessions[attempt->session_count++] = session;
  if (session->handle != NULL && await_state(session, ZOO_CONNECTED_STATE)) return session;
  fail(attempt, "no session with %s within %d ms", server, EVENT_WAIT_MS);
  return NULL;
}

void leave(struct attempt *attempt, struct session *session) {
  for (int i = 0; i < attempt->session_count; i++)
    if (attempt->sessions[i] == session) attempt->sessions[i] = attempt->sessions[--attempt->session_count];
  session_close(session);
}

void await_deletion(struct attempt *attempt, const char *path) {
  struct recorder *events = new_recorder(attempt);
  int code = zoo_wexists(attempt->main->handle, path, record_node_event, events, NULL);
  if (code == ZNONODE) return;
  EXPECT_CODE(attempt, ZOK, code);
  EXPECT_EVENT(attempt, events, ZOO_DELETED_EVENT, path);
}

struct proxy *interpose(struct attempt *attempt) {
  attempt->proxy = proxy_start(attempt->server);
  if (attempt->proxy == NULL) fail(attempt, "the proxy in front of %s could not be started", attempt->server);
  return attempt->proxy;
}

static void create_root(struct attempt *attempt, int number) {
  snprintf(attempt->root, sizeof attempt->root, "/interop-c-%ld-%d", (long)getpid(), number);
  zhandle_t *zh = attempt->main->handle;
  EXPECT_CODE(attempt, ZOK, zoo_create(zh, attempt->root, NULL, -1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, NULL, 0));
}

static bool run_check(const struct check *check, const char *server, int number) {
  static struct attempt attempt;
  attempt = (struct attempt){.server = server};
  attempt.main = join(&attempt, server, SESSION_TIMEOUT_MS, NULL);
  if (attempt.main != NULL) create_root(&attempt, number);
  if (attempt.failure[0] == '\0') check->run(&attempt);
  for (int i = 0; i < attempt.session_count; i++) session_close(attempt.sessions[i]);
  if (attempt.proxy != NULL) proxy_stop(attempt.proxy);
  if (attempt.failure[0] == '\0') printf("ok %s\n", check->name);
  else printf("not ok %s: %s\n", check->name, attempt.failure);
  fflush(stdout);
  return attempt.failure[0] == '\0';
}

int main(int argument_count, char **arguments) {
  if (argument_count != 2) {
    fprintf(stderr, "usage: %s HOST:PORT\n", arguments[0]);
    return 2;
  }
  /* The library reports every cut connection as an error; the checks cut on purpose and say what matters. */
  zoo_set_log_stream(fopen("/dev/null", "w"));
  int passed = 0, failed = 0;
  for (size_t list = 0; list < sizeof check_lists / sizeof check_lists[0]; list++)
    for (const struct check *check = check_lists[list]; check->name != NULL; check++)
      if (run_check(check, arguments[1], passed + failed + 1)) passed++;
      else failed++;
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
