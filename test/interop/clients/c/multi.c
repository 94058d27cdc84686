/* Several operations as one transaction. */
#include <stdio.h>

#include "attempt.h"

static void apply_all(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  zoo_op_t ops[5];
  zoo_op_result_t results[5];
  char first[PATH_BYTES], sequential[PATH_BYTES];
  struct Stat changed, parent, node;
  zoo_create_op_init(&ops[0], below(attempt, "a"), "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, first, sizeof first);
  zoo_create_op_init(&ops[1], below(attempt, "a/s-"), "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_SEQUENTIAL,
                     sequential, sizeof sequential);
  zoo_set_op_init(&ops[2], below(attempt, "a"), "22", 2, 0, &changed);
  zoo_check_op_init(&ops[3], below(attempt, "a"), 1);
  zoo_delete_op_init(&ops[4], below(attempt, "a/s-0000000000"), 0);
  EXPECT_CODE(attempt, ZOK, zoo_multi(zh, 5, ops, results));
  for (int i = 0; i < 5; i++) EXPECT(attempt, results[i].err == ZOK, "operation %d has the code %d", i, results[i].err);
  EXPECT(attempt, strcmp(first, below(attempt, "a")) == 0, "the first create answered %s", first);
  bool numbered = strcmp(sequential, below(attempt, "a/s-0000000000")) == 0;
  EXPECT(attempt, numbered, "the second create answered %s", sequential);
  EXPECT_NUMBER(attempt, 1, changed.version);
  EXPECT_NUMBER(attempt, 2, changed.dataLength);
  EXPECT_NUMBER(attempt, 1, changed.numChildren);
  EXPECT_CODE(attempt, ZOK, zoo_exists(zh, below(attempt, "a"), 0, &node));
  EXPECT_CODE(attempt, ZOK, zoo_exists(zh, attempt->root, 0, &parent));
  EXPECT_NUMBER(attempt, node.czxid, node.mzxid);
  EXPECT_NUMBER(attempt, node.czxid, parent.pzxid);
}

static void apply_nothing(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  zoo_op_t ops[4];
  zoo_op_result_t results[4];
  struct Stat before, after;
  EXPECT_CODE(attempt, ZOK, zoo_create(zh, below(attempt, "there"), "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
  EXPECT_CODE(attempt, ZOK, zoo_exists(zh, attempt->root, 0, &before));
  zoo_create_op_init(&ops[0], below(attempt, "new"), "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
  zoo_set_op_init(&ops[1], below(attempt, "there"), "x", 1, -1, NULL);
  zoo_delete_op_init(&ops[2], below(attempt, "missing"), -1);
  zoo_delete_op_init(&ops[3], below(attempt, "there"), -1);
  EXPECT_CODE(attempt, ZNONODE, zoo_multi(zh, 4, ops, results));
  EXPECT_CODE(attempt, ZOK, results[0].err);
  EXPECT_CODE(attempt, ZOK, results[1].err);
  EXPECT_CODE(attempt, ZNONODE, results[2].err);
  EXPECT_CODE(attempt, ZRUNTIMEINCONSISTENCY, results[3].err);
  EXPECT_CODE(attempt, ZNONODE, zoo_exists(zh, below(attempt, "new"), 0, NULL));
  EXPECT_CODE(attempt, ZOK, zoo_exists(zh, below(attempt, "there"), 0, &after));
  EXPECT_NUMBER(attempt, 0, after.version);
  EXPECT_CODE(attempt, ZOK, zoo_exists(zh, attempt->root, 0, &after));
  EXPECT_NUMBER(attempt, before.cversion, after.cversion);
}

static void guard_with_check(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  zoo_op_t ops[2];
  zoo_op_result_t results[2];
  zoo_check_op_init(&ops[0], attempt->root, 7);
  zoo_create_op_init(&ops[1], below(attempt, "node"), "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
  EXPECT_CODE(attempt, ZBADVERSION, zoo_multi(zh, 2, ops, results));
  EXPECT_CODE(attempt, ZBADVERSION, results[0].err);
  EXPECT_CODE(attempt, ZRUNTIMEINCONSISTENCY, results[1].err);
  zoo_check_op_init(&ops[0], attempt->root, 0);
  EXPECT_CODE(attempt, ZOK, zoo_multi(zh, 2, ops, results));
  EXPECT_CODE(attempt, ZOK, zoo_exists(zh, below(attempt, "node"), 0, NULL));
}

static void see_earlier_operations(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  zoo_op_t ops[3];
  zoo_op_result_t results[3];
  zoo_create_op_init(&ops[0], below(attempt, "brief"), "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0);
  zoo_set_op_init(&ops[1], below(attempt, "brief"), "x", 1, 0, NULL);
  zoo_delete_op_init(&ops[2], below(attempt, "brief"), 1);
  EXPECT_CODE(attempt, ZOK, zoo_multi(zh, 3, ops, results));
  EXPECT_CODE(attempt, ZNONODE, zoo_exists(zh, below(attempt, "brief"), 0, NULL));
}

static void fire_watches(struct attempt *attempt) {
  struct session *other = join(attempt, attempt->server, 8000, NULL);
  if (other == NULL) return;
  struct recorder *created = new_recorder(attempt), *children = new_recorder(attempt);
  struct String_vector names;
  EXPECT_CODE(attempt, ZNONODE, zoo_wexists(other->handle, below(attempt, "a"), record_node_event, created, NULL));
  EXPECT_CODE(attempt, ZOK, zoo_wget_children(other->handle, attempt->root, record_node_event, children, &names));
  deallocate_String_vector(&names);
  zoo_op_t ops[2];
  zoo_op_result_t results[2];
  zoo_create_op_init(&ops[0], below(attempt, "a"), "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
  zoo_create_op_init(&ops[1], below(attempt, "b"), "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
  EXPECT_CODE(attempt, ZOK, zoo_multi(attempt->main->handle, 2, ops, results));
  EXPECT_EVENT(attempt, created, ZOO_CREATED_EVENT, below(attempt, "a"));
  EXPECT_EVENT(attempt, children, ZOO_CHILD_EVENT, attempt->root);
  EXPECT_CODE(attempt, ZOK, settle(other));
  EXPECT_NUMBER(attempt, 0, events_waiting(created) + events_waiting(children));
}

const struct check multi_checks[] = {
    {"a multi applies every operation under one zxid", apply_all},
    {"a failed multi applies nothing and says which operation failed", apply_nothing},
    {"check guards a multi with a version", guard_with_check},
    {"an operation of a multi sees the ones before it", see_earlier_operations},
    {"a multi fires watches", fire_watches},
    {NULL, NULL},
};
