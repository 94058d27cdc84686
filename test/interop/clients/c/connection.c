/* What outlives a lost connection, and what does not. */
#include <stdio.h>

#include "attempt.h"

#define BRIEF_TIMEOUT_MS 3000

/* Joins through a proxy; afterwards the check can cut the connection of this session alone. */
static struct session *join_through_proxy(struct attempt *attempt, int timeout_ms) {
  return interpose(attempt) == NULL ? NULL : join(attempt, proxy_address(attempt->proxy), timeout_ms, NULL);
}

static bool cut(struct attempt *attempt, struct session *session) {
  proxy_cut(attempt->proxy);
  if (await_state(session, ZOO_CONNECTING_STATE)) return true;
  fail(attempt, "the session did not notice within %d ms that its connection is gone", EVENT_WAIT_MS);
  return false;
}

static bool mend(struct attempt *attempt, struct session *session) {
  proxy_mend(attempt->proxy);
  if (await_state(session, ZOO_CONNECTED_STATE)) return true;
  fail(attempt, "the session did not come back within %d ms", EVENT_WAIT_MS);
  return false;
}

static int create_node(struct session *session, const char *path, int mode) {
  return zoo_create(session->handle, path, "old", 3, &ZOO_OPEN_ACL_UNSAFE, mode, NULL, 0);
}

static void keep_session(struct attempt *attempt) {
  struct session *session = join_through_proxy(attempt, 8000);
  if (session == NULL) return;
  clientid_t id = *zoo_client_id(session->handle);
  const char *path = below(attempt, "eph");
  EXPECT_CODE(attempt, ZOK, create_node(session, path, ZOO_EPHEMERAL));
  if (!cut(attempt, session) || !mend(attempt, session)) return;
  EXPECT(attempt, zoo_client_id(session->handle)->client_id == id.client_id, "the session has another id");
  bool same_password = memcmp(zoo_client_id(session->handle)->passwd, id.passwd, sizeof id.passwd) == 0;
  EXPECT(attempt, same_password, "the session has another password");
  EXPECT_CODE(attempt, ZOK, zoo_exists(attempt->main->handle, path, 0, NULL));
  EXPECT_CODE(attempt, ZOK, zoo_set(session->handle, path, "new", 3, 0));
}

static void fail_pending_requests(struct attempt *attempt) {
  struct session *session = join_through_proxy(attempt, 8000);
  if (session == NULL || !cut(attempt, session)) return;
  EXPECT_CODE(attempt, ZCONNECTIONLOSS, zoo_exists(session->handle, "/", 0, NULL));
  if (!mend(attempt, session)) return;
  EXPECT_CODE(attempt, ZOK, settle(session));
}

struct three_watches {
  struct recorder *data, *exist, *child;
};

/* A data watch on root/node, an exists watch on root/coming (not there yet), a child watch on root/parent. */
static void set_three_watches(struct attempt *attempt, struct session *session, struct three_watches *watches) {
  char data[8];
  int length = sizeof data;
  struct String_vector names;
  watches->data = new_recorder(attempt);
  watches->exist = new_recorder(attempt);
  watches->child = new_recorder(attempt);
  EXPECT_CODE(attempt, ZOK, create_node(session, below(attempt, "node"), ZOO_PERSISTENT));
  EXPECT_CODE(attempt, ZOK, create_node(session, below(attempt, "parent"), ZOO_PERSISTENT));
  EXPECT_CODE(attempt, ZOK, zoo_wget(session->handle, below(attempt, "node"), record_node_event, watches->data,
                                     data, &length, NULL));
  EXPECT_CODE(attempt, ZNONODE, zoo_wexists(session->handle, below(attempt, "coming"), record_node_event,
                                            watches->exist, NULL));
  EXPECT_CODE(attempt, ZOK, zoo_wget_children(session->handle, below(attempt, "parent"), record_node_event,
                                              watches->child, &names));
  deallocate_String_vector(&names);
}

/* Changes what the three watches are on, by the session whose connection is never cut. */
static void change_all_three(struct attempt *attempt) {
  EXPECT_CODE(attempt, ZOK, zoo_set(attempt->main->handle, below(attempt, "node"), "new", 3, -1));
  EXPECT_CODE(attempt, ZOK, create_node(attempt->main, below(attempt, "coming"), ZOO_PERSISTENT));
  EXPECT_CODE(attempt, ZOK, create_node(attempt->main, below(attempt, "parent/child"), ZOO_PERSISTENT));
}

static void expect_three_events(struct attempt *attempt, struct three_watches *watches) {
  EXPECT_EVENT(attempt, watches->data, ZOO_CHANGED_EVENT, below(attempt, "node"));
  EXPECT_EVENT(attempt, watches->exist, ZOO_CREATED_EVENT, below(attempt, "coming"));
  EXPECT_EVENT(attempt, watches->child, ZOO_CHILD_EVENT, below(attempt, "parent"));
}

static int untaken(struct three_watches *watches) {
  return events_waiting(watches->data) + events_waiting(watches->exist) + events_waiting(watches->child);
}

static void register_watches_again(struct attempt *attempt) {
  struct session *session = join_through_proxy(attempt, 8000);
  struct three_watches watches;
  if (session == NULL) return;
  set_three_watches(attempt, session, &watches);
  if (attempt->failure[0] != '\0' || !cut(attempt, session) || !mend(attempt, session)) return;
  EXPECT_CODE(attempt, ZOK, settle(session));
  EXPECT_NUMBER(attempt, 0, untaken(&watches));
  change_all_three(attempt);
  if (attempt->failure[0] == '\0') expect_three_events(attempt, &watches);
}

static void catch_up_on_changes(struct attempt *attempt) {
  struct session *session = join_through_proxy(attempt, 8000);
  struct three_watches watches;
  if (session == NULL) return;
  set_three_watches(attempt, session, &watches);
  if (attempt->failure[0] != '\0' || !cut(attempt, session)) return;
  change_all_three(attempt);
  EXPECT_NUMBER(attempt, 0, untaken(&watches));
  if (attempt->failure[0] != '\0' || !mend(attempt, session)) return;
  expect_three_events(attempt, &watches);
}

static void catch_up_on_deletions(struct attempt *attempt) {
  struct session *session = join_through_proxy(attempt, 8000);
  struct three_watches watches;
  if (session == NULL) return;
  set_three_watches(attempt, session, &watches);
  if (attempt->failure[0] != '\0' || !cut(attempt, session)) return;
  EXPECT_CODE(attempt, ZOK, zoo_delete(attempt->main->handle, below(attempt, "node"), -1));
  EXPECT_CODE(attempt, ZOK, zoo_delete(attempt->main->handle, below(attempt, "parent"), -1));
  if (!mend(attempt, session)) return;
  EXPECT_EVENT(attempt, watches.data, ZOO_DELETED_EVENT, below(attempt, "node"));
  EXPECT_EVENT(attempt, watches.child, ZOO_DELETED_EVENT, below(attempt, "parent"));
}

static void send_credentials_again(struct attempt *attempt) {
  struct session *session = join_through_proxy(attempt, 8000);
  if (session == NULL) return;
  char data[8];
  int length = sizeof data;
  const char *path = below(attempt, "mine");
  EXPECT_CODE(attempt, ZOK, zoo_add_auth(session->handle, "digest", "anna:secret", 11, NULL, NULL));
  EXPECT_CODE(attempt, ZOK, zoo_create(session->handle, path, "x", 1, &ZOO_CREATOR_ALL_ACL, ZOO_PERSISTENT, NULL, 0));
  if (!cut(attempt, session) || !mend(attempt, session)) return;
  EXPECT_CODE(attempt, ZOK, zoo_get(session->handle, path, 0, data, &length, NULL));
}

static void survive_three_cuts(struct attempt *attempt) {
  struct session *session = join_through_proxy(attempt, 8000);
  if (session == NULL) return;
  const char *path = below(attempt, "eph");
  EXPECT_CODE(attempt, ZOK, create_node(session, path, ZOO_EPHEMERAL));
  for (int version = 0; version < 3; version++) {
    if (!cut(attempt, session) || !mend(attempt, session)) return;
    EXPECT_CODE(attempt, ZOK, zoo_set(session->handle, path, "x", 1, version));
  }
  leave(attempt, session);
  await_deletion(attempt, path);
}

static void resume_session(struct attempt *attempt) {
  struct session *first = join_through_proxy(attempt, 8000);
  if (first == NULL) return;
  clientid_t id = *zoo_client_id(first->handle);
  struct Stat stat;
  EXPECT_CODE(attempt, ZOK, create_node(first, below(attempt, "eph"), ZOO_EPHEMERAL));
  if (!cut(attempt, first)) return;
  struct session *second = join(attempt, attempt->server, 8000, &id);
  if (second == NULL) return;
  EXPECT_NUMBER(attempt, id.client_id, zoo_client_id(second->handle)->client_id);
  EXPECT_CODE(attempt, ZOK, zoo_exists(second->handle, below(attempt, "eph"), 0, &stat));
  EXPECT_NUMBER(attempt, id.client_id, stat.ephemeralOwner);
  leave(attempt, second);
  await_deletion(attempt, below(attempt, "eph"));
}

static void refuse_wrong_password(struct attempt *attempt) {
  clientid_t id = *zoo_client_id(attempt->main->handle);
  id.passwd[0] ^= 1;
  struct session *thief = session_open(attempt->server, 8000, &id);
  attempt->sessions[attempt->session_count++] = thief;
  bool refused = await_state(thief, ZOO_EXPIRED_SESSION_STATE);
  EXPECT(attempt, refused, "a wrong password was not answered with an expired session");
}

static void expire_session(struct attempt *attempt) {
  struct session *session = join_through_proxy(attempt, BRIEF_TIMEOUT_MS);
  if (session == NULL) return;
  struct recorder *events = new_recorder(attempt);
  const char *path = below(attempt, "eph");
  EXPECT_CODE(attempt, ZOK, create_node(session, path, ZOO_EPHEMERAL));
  EXPECT_CODE(attempt, ZOK, zoo_wexists(attempt->main->handle, path, record_node_event, events, NULL));
  if (!cut(attempt, session)) return;
  EXPECT_EVENT(attempt, events, ZOO_DELETED_EVENT, path);
  proxy_mend(attempt->proxy);
  EXPECT(attempt, await_state(session, ZOO_EXPIRED_SESSION_STATE), "the session was not told that it has expired");
  EXPECT_CODE(attempt, ZINVALIDSTATE, zoo_exists(session->handle, "/", 0, NULL));
}

static void stay_alive_while_idle(struct attempt *attempt) {
  struct session *session = join(attempt, attempt->server, BRIEF_TIMEOUT_MS, NULL);
  if (session == NULL) return;
  struct recorder *events = new_recorder(attempt);
  struct session *witness = join_through_proxy(attempt, BRIEF_TIMEOUT_MS);
  if (witness == NULL) return;
  /* The witness expires after the same timeout; when it is gone, only pings can have kept the idle session. */
  const char *path = below(attempt, "witness");
  EXPECT_CODE(attempt, ZOK, create_node(session, below(attempt, "idle"), ZOO_EPHEMERAL));
  EXPECT_CODE(attempt, ZOK, create_node(witness, path, ZOO_EPHEMERAL));
  EXPECT_CODE(attempt, ZOK, zoo_wexists(attempt->main->handle, path, record_node_event, events, NULL));
  if (!cut(attempt, witness)) return;
  EXPECT_EVENT(attempt, events, ZOO_DELETED_EVENT, path);
  EXPECT_CODE(attempt, ZOK, zoo_exists(attempt->main->handle, below(attempt, "idle"), 0, NULL));
  EXPECT_CODE(attempt, ZOK, settle(session));
}

const struct check connection_checks[] = {
    {"a session keeps its id and its ephemeral nodes when its connection is cut", keep_session},
    {"requests of a cut connection fail with ConnectionLoss", fail_pending_requests},
    {"watches are registered again after a cut", register_watches_again},
    {"watches fire on reconnecting for changes made meanwhile", catch_up_on_changes},
    {"watches fire on reconnecting for deletions made meanwhile", catch_up_on_deletions},
    {"credentials are shown again after a cut", send_credentials_again},
    {"a session survives three cuts and closes", survive_three_cuts},
    {"a session is resumed by its id and password", resume_session},
    {"a wrong password does not resume a session", refuse_wrong_password},
    {"a session that stays away expires with its ephemeral nodes", expire_session},
    {"an idle session is kept alive by its pings", stay_alive_while_idle},
    {NULL, NULL},
};
