/* Watches while the connection holds: which change wakes whom, once, and before the new data is seen. */
#include "attempt.h"

static int write_node(struct attempt *attempt, const char *path) {
  return zoo_set(attempt->main->handle, path, "new", 3, -1);
}

static int create_node(struct attempt *attempt, const char *path) {
  return zoo_create(attempt->main->handle, path, "old", 3, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, NULL, 0);
}

static int watch_data(struct session *session, const char *path, struct recorder *recorder) {
  char data[16];
  int length = sizeof data;
  return zoo_wget(session->handle, path, record_node_event, recorder, data, &length, NULL);
}

static int watch_existence(struct session *session, const char *path, struct recorder *recorder) {
  return zoo_wexists(session->handle, path, record_node_event, recorder, NULL);
}

static int watch_children(struct session *session, const char *path, struct recorder *recorder) {
  struct String_vector names;
  int code = zoo_wget_children(session->handle, path, record_node_event, recorder, &names);
  if (code == ZOK) deallocate_String_vector(&names);
  return code;
}

static void fire_data_watch(struct attempt *attempt) {
  struct session *watcher = join(attempt, attempt->server, 8000, NULL);
  if (watcher == NULL) return;
  struct recorder *events = new_recorder(attempt);
  const char *path = below(attempt, "node");
  EXPECT_CODE(attempt, ZOK, create_node(attempt, path));
  EXPECT_CODE(attempt, ZOK, watch_data(watcher, path, events));
  EXPECT_CODE(attempt, ZOK, write_node(attempt, path));
  EXPECT_EVENT(attempt, events, ZOO_CHANGED_EVENT, path);
  EXPECT_CODE(attempt, ZOK, write_node(attempt, path));
  EXPECT_CODE(attempt, ZOK, create_node(attempt, below(attempt, "node/child")));
  EXPECT_CODE(attempt, ZOK, settle(watcher));
  EXPECT_NUMBER(attempt, 0, events_waiting(events));
  EXPECT_CODE(attempt, ZOK, zoo_delete(attempt->main->handle, below(attempt, "node/child"), -1));
  EXPECT_CODE(attempt, ZOK, watch_data(watcher, path, events));
  EXPECT_CODE(attempt, ZOK, zoo_delete(attempt->main->handle, path, -1));
  EXPECT_EVENT(attempt, events, ZOO_DELETED_EVENT, path);
}

static void fire_exists_watch(struct attempt *attempt) {
  struct recorder *events = new_recorder(attempt);
  const char *path = below(attempt, "node");
  EXPECT_CODE(attempt, ZNONODE, watch_existence(attempt->main, path, events));
  EXPECT_CODE(attempt, ZOK, create_node(attempt, path));
  EXPECT_EVENT(attempt, events, ZOO_CREATED_EVENT, path);
  EXPECT_CODE(attempt, ZOK, watch_existence(attempt->main, path, events));
  EXPECT_CODE(attempt, ZOK, write_node(attempt, path));
  EXPECT_EVENT(attempt, events, ZOO_CHANGED_EVENT, path);
  EXPECT_CODE(attempt, ZOK, watch_existence(attempt->main, path, events));
  EXPECT_CODE(attempt, ZOK, zoo_delete(attempt->main->handle, path, -1));
  EXPECT_EVENT(attempt, events, ZOO_DELETED_EVENT, path);
}

static void fire_child_watch(struct attempt *attempt) {
  struct recorder *events = new_recorder(attempt);
  const char *parent = below(attempt, "parent"), *child = below(attempt, "parent/child");
  EXPECT_CODE(attempt, ZOK, create_node(attempt, parent));
  EXPECT_CODE(attempt, ZOK, watch_children(attempt->main, parent, events));
  EXPECT_CODE(attempt, ZOK, write_node(attempt, parent));
  EXPECT_CODE(attempt, ZOK, create_node(attempt, child));
  EXPECT_EVENT(attempt, events, ZOO_CHILD_EVENT, parent);
  EXPECT_CODE(attempt, ZOK, watch_children(attempt->main, parent, events));
  EXPECT_CODE(attempt, ZOK, write_node(attempt, child));
  EXPECT_CODE(attempt, ZOK, zoo_delete(attempt->main->handle, child, -1));
  EXPECT_EVENT(attempt, events, ZOO_CHILD_EVENT, parent);
  EXPECT_CODE(attempt, ZOK, watch_children(attempt->main, parent, events));
  EXPECT_CODE(attempt, ZOK, zoo_delete(attempt->main->handle, parent, -1));
  EXPECT_EVENT(attempt, events, ZOO_DELETED_EVENT, parent);
  EXPECT_NUMBER(attempt, 0, events_waiting(events));
}

static void fire_when_an_owner_leaves(struct attempt *attempt) {
  struct session *owner = join(attempt, attempt->server, 8000, NULL);
  if (owner == NULL) return;
  struct recorder *events = new_recorder(attempt);
  const char *path = below(attempt, "lock");
  EXPECT_CODE(attempt, ZOK, zoo_create(owner->handle, path, "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0));
  EXPECT_CODE(attempt, ZOK, watch_existence(attempt->main, path, events));
  leave(attempt, owner);
  EXPECT_EVENT(attempt, events, ZOO_DELETED_EVENT, path);
}

static void leave_no_watch_after_a_failed_read(struct attempt *attempt) {
  struct recorder *events = new_recorder(attempt);
  const char *path = below(attempt, "node");
  EXPECT_CODE(attempt, ZNONODE, watch_data(attempt->main, path, events));
  EXPECT_CODE(attempt, ZNONODE, watch_children(attempt->main, path, events));
  EXPECT_CODE(attempt, ZOK, create_node(attempt, path));
  EXPECT_CODE(attempt, ZOK, settle(attempt->main));
  EXPECT_NUMBER(attempt, 0, events_waiting(events));
}

static void remove_watches(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  struct recorder *events = new_recorder(attempt);
  const char *path = below(attempt, "node");
  EXPECT_CODE(attempt, ZOK, create_node(attempt, path));
  EXPECT_CODE(attempt, ZOK, watch_data(attempt->main, path, events));
  EXPECT_CODE(attempt, ZNOWATCHER, zoo_remove_watches(zh, below(attempt, "other"), ZWATCHTYPE_DATA, NULL, NULL, 0));
  EXPECT_CODE(attempt, ZOK, zoo_remove_all_watches(zh, path, ZWATCHTYPE_DATA, 0));
  EXPECT_CODE(attempt, ZOK, write_node(attempt, path));
  EXPECT_CODE(attempt, ZOK, settle(attempt->main));
  EXPECT_NUMBER(attempt, 0, events_waiting(events));
}

/*
 * Reads are sent one after the other without waiting; when one of them shows the new data, the event
 * must already have been delivered. Completions and watchers run on one thread, in the order received.
 */
struct readings {
  struct recorder *events;
  int events_before_new_data;
  bool saw_new_data;
};

static void look_at_data(int rc, const char *data, int length, const struct Stat *stat, const void *context) {
  (void)stat;
  struct readings *readings = (struct readings *)(uintptr_t)context;
  if (rc != ZOK || length != 3 || memcmp(data, "new", 3) != 0 || readings->saw_new_data) return;
  readings->saw_new_data = true;
  readings->events_before_new_data = events_waiting(readings->events);
}

static void ignore_reply(int rc, const struct Stat *stat, const void *context) {
  (void)rc, (void)stat, (void)context;
}

static void deliver_the_event_first(struct attempt *attempt) {
  struct session *watcher = join(attempt, attempt->server, 8000, NULL);
  if (watcher == NULL) return;
  static struct readings readings; /* outlives a check that stops before the last completion has run */
  const char *path = below(attempt, "node");
  EXPECT_CODE(attempt, ZOK, create_node(attempt, path));
  for (int round = 0; round < 20; round++) {
    struct recorder *events = new_recorder(attempt);
    readings = (struct readings){.events = events};
    EXPECT_CODE(attempt, ZOK, zoo_set(attempt->main->handle, path, "old", 3, -1));
    EXPECT_CODE(attempt, ZOK, watch_data(watcher, path, events));
    EXPECT_CODE(attempt, ZOK, zoo_aset(attempt->main->handle, path, "new", 3, -1, ignore_reply, NULL));
    for (int read = 0; read < 40; read++)
      EXPECT_CODE(attempt, ZOK, zoo_aget(watcher->handle, path, 0, look_at_data, &readings));
    EXPECT_CODE(attempt, ZOK, settle(attempt->main));
    EXPECT_CODE(attempt, ZOK, zoo_aget(watcher->handle, path, 0, look_at_data, &readings));
    EXPECT_CODE(attempt, ZOK, settle(watcher));
    EXPECT(attempt, readings.saw_new_data, "round %d: the new data was never read", round);
    EXPECT(attempt, readings.events_before_new_data == 1, "round %d: the new data was read before the event", round);
  }
}

const struct check watch_checks[] = {
    {"a data watch fires once, on a change or on the deletion", fire_data_watch},
    {"an exists watch fires on creation, change and deletion", fire_exists_watch},
    {"a child watch fires on children that come and go and on the node's own deletion", fire_child_watch},
    {"a watch fires when the owner of an ephemeral node leaves", fire_when_an_owner_leaves},
    {"a read that fails leaves no watch", leave_no_watch_after_a_failed_read},
    {"a removed watch does not fire, and none to remove is an error", remove_watches},
    {"the event arrives before the new data is read", deliver_the_event_first},
    {NULL, NULL},
};
