/* Creating, reading, changing and deleting nodes, and the Stat that goes with each. */
#include <stdio.h>

#include "attempt.h"

#define LARGE_BYTES 1000000
#define PIPELINED_WRITES 500

static int create(struct attempt *attempt, const char *path, const char *data, int mode) {
  return zoo_create(attempt->main->handle, path, data, (int)strlen(data), &ZOO_OPEN_ACL_UNSAFE, mode, NULL, 0);
}

static void create_persistent(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  char made[PATH_BYTES], data[16];
  int length = sizeof data;
  struct Stat created, read;
  const char *path = below(attempt, "node");
  EXPECT_CODE(attempt, ZOK, zoo_create2(zh, path, "hello", 5, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, made, sizeof made,
                                        &created));
  EXPECT(attempt, strcmp(made, path) == 0, "create answered the path %s, expected %s", made, path);
  EXPECT_CODE(attempt, ZOK, zoo_get(zh, path, 0, data, &length, &read));
  EXPECT(attempt, length == 5 && memcmp(data, "hello", 5) == 0, "get answered %.*s", length, data);
  EXPECT_NUMBER(attempt, 5, read.dataLength);
  EXPECT_NUMBER(attempt, 0, read.version);
  EXPECT_NUMBER(attempt, 0, read.ephemeralOwner);
  EXPECT_NUMBER(attempt, read.czxid, read.mzxid);
  EXPECT_NUMBER(attempt, read.czxid, read.pzxid);
  EXPECT_NUMBER(attempt, created.czxid, read.czxid);
  EXPECT_NUMBER(attempt, created.ctime, read.ctime);
}

static void refuse_create(struct attempt *attempt) {
  EXPECT_CODE(attempt, ZOK, create(attempt, below(attempt, "node"), "", ZOO_PERSISTENT));
  EXPECT_CODE(attempt, ZNODEEXISTS, create(attempt, below(attempt, "node"), "", ZOO_PERSISTENT));
  EXPECT_CODE(attempt, ZNONODE, create(attempt, below(attempt, "missing/node"), "", ZOO_PERSISTENT));
  EXPECT_CODE(attempt, ZOK, create(attempt, below(attempt, "mine"), "", ZOO_EPHEMERAL));
  EXPECT_CODE(attempt, ZNOCHILDRENFOREPHEMERALS, create(attempt, below(attempt, "mine/node"), "", ZOO_PERSISTENT));
}

static void keep_null_apart_from_empty(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  char data[4];
  int length = sizeof data;
  EXPECT_CODE(attempt, ZOK, zoo_create(zh, below(attempt, "null"), NULL, -1, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
  EXPECT_CODE(attempt, ZOK, zoo_get(zh, below(attempt, "null"), 0, data, &length, NULL));
  EXPECT_NUMBER(attempt, -1, length);
  length = sizeof data;
  EXPECT_CODE(attempt, ZOK, zoo_set(zh, below(attempt, "null"), "", 0, -1));
  EXPECT_CODE(attempt, ZOK, zoo_get(zh, below(attempt, "null"), 0, data, &length, NULL));
  EXPECT_NUMBER(attempt, 0, length);
}

static void carry_large_data(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  static char sent[LARGE_BYTES], received[LARGE_BYTES];
  int length = sizeof received;
  for (int i = 0; i < LARGE_BYTES; i++) sent[i] = (char)(i * 31 + i / 251);
  const char *path = below(attempt, "large");
  EXPECT_CODE(attempt, ZOK, zoo_create(zh, path, sent, LARGE_BYTES, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
  EXPECT_CODE(attempt, ZOK, zoo_get(zh, path, 0, received, &length, NULL));
  EXPECT_NUMBER(attempt, LARGE_BYTES, length);
  EXPECT(attempt, memcmp(sent, received, LARGE_BYTES) == 0, "the bytes read differ from the bytes written");
}

static void number_sequential_nodes(struct attempt *attempt) {
  char made[PATH_BYTES];
  zhandle_t *zh = attempt->main->handle;
  for (int i = 0; i < 3; i++) {
    char suffix[32];
    snprintf(suffix, sizeof suffix, "job-%010d", i);
    EXPECT_CODE(attempt, ZOK, zoo_create(zh, below(attempt, "job-"), "", 0, &ZOO_OPEN_ACL_UNSAFE,
                                         ZOO_PERSISTENT_SEQUENTIAL, made, sizeof made));
    EXPECT(attempt, strcmp(made, below(attempt, suffix)) == 0, "made %s, expected %s", made, suffix);
    EXPECT_CODE(attempt, ZOK, zoo_delete(zh, made, -1));
  }
}

static void own_ephemeral_nodes(struct attempt *attempt) {
  struct session *owner = join(attempt, attempt->server, 8000, NULL);
  if (owner == NULL) return;
  struct Stat stat;
  char made[PATH_BYTES];
  EXPECT_CODE(attempt, ZOK, zoo_create(owner->handle, below(attempt, "eph"), "", 0, &ZOO_OPEN_ACL_UNSAFE,
                                       ZOO_EPHEMERAL, NULL, 0));
  EXPECT_CODE(attempt, ZOK, zoo_create(owner->handle, below(attempt, "eph-"), "", 0, &ZOO_OPEN_ACL_UNSAFE,
                                       ZOO_EPHEMERAL_SEQUENTIAL, made, sizeof made));
  EXPECT(attempt, strcmp(made, below(attempt, "eph-0000000001")) == 0, "the sequential node is called %s", made);
  EXPECT_CODE(attempt, ZOK, zoo_exists(attempt->main->handle, made, 0, &stat));
  EXPECT_NUMBER(attempt, zoo_client_id(owner->handle)->client_id, stat.ephemeralOwner);
  leave(attempt, owner);
  await_deletion(attempt, made);
  await_deletion(attempt, below(attempt, "eph"));
}

static void create_container(struct attempt *attempt) {
  struct Stat stat;
  EXPECT_CODE(attempt, ZOK, create(attempt, below(attempt, "box"), "", ZOO_CONTAINER));
  EXPECT_CODE(attempt, ZOK, create(attempt, below(attempt, "box/inner"), "", ZOO_PERSISTENT));
  EXPECT_CODE(attempt, ZOK, zoo_exists(attempt->main->handle, below(attempt, "box"), 0, &stat));
  EXPECT_NUMBER(attempt, 0, stat.ephemeralOwner);
  EXPECT_NUMBER(attempt, 1, stat.numChildren);
}

static void create_ttl_nodes(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  char made[PATH_BYTES];
  struct Stat stat;
  EXPECT_CODE(attempt, ZOK, zoo_create2_ttl(zh, below(attempt, "ttl"), "", 0, &ZOO_OPEN_ACL_UNSAFE,
                                            ZOO_PERSISTENT_WITH_TTL, 600000, made, sizeof made, &stat));
  EXPECT_NUMBER(attempt, 0, stat.ephemeralOwner);
  EXPECT_CODE(attempt, ZOK, zoo_create_ttl(zh, below(attempt, "ttl-"), "", 0, &ZOO_OPEN_ACL_UNSAFE,
                                           ZOO_PERSISTENT_SEQUENTIAL_WITH_TTL, 600000, made, sizeof made));
  EXPECT(attempt, strcmp(made, below(attempt, "ttl-0000000001")) == 0, "the sequential node is called %s", made);
}

static void set_with_versions(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  const char *path = below(attempt, "node");
  struct Stat before, after;
  EXPECT_CODE(attempt, ZOK, create(attempt, path, "0", ZOO_PERSISTENT));
  EXPECT_CODE(attempt, ZOK, zoo_exists(zh, path, 0, &before));
  EXPECT_CODE(attempt, ZOK, zoo_set2(zh, path, "first", 5, 0, &after));
  EXPECT_NUMBER(attempt, 1, after.version);
  EXPECT_NUMBER(attempt, 5, after.dataLength);
  EXPECT_NUMBER(attempt, before.czxid, after.czxid);
  EXPECT_NUMBER(attempt, before.pzxid, after.pzxid);
  EXPECT(attempt, after.mzxid > before.mzxid, "mzxid did not grow");
  EXPECT_CODE(attempt, ZBADVERSION, zoo_set(zh, path, "stale", 5, 0));
  EXPECT_CODE(attempt, ZOK, zoo_set2(zh, path, "any", 3, -1, &after));
  EXPECT_NUMBER(attempt, 2, after.version);
  EXPECT_CODE(attempt, ZNONODE, zoo_set(zh, below(attempt, "missing"), "x", 1, -1));
}

static void delete_with_versions(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  EXPECT_CODE(attempt, ZOK, create(attempt, below(attempt, "node"), "", ZOO_PERSISTENT));
  EXPECT_CODE(attempt, ZOK, create(attempt, below(attempt, "node/child"), "", ZOO_PERSISTENT));
  EXPECT_CODE(attempt, ZNOTEMPTY, zoo_delete(zh, below(attempt, "node"), -1));
  EXPECT_CODE(attempt, ZBADVERSION, zoo_delete(zh, below(attempt, "node/child"), 3));
  EXPECT_CODE(attempt, ZOK, zoo_delete(zh, below(attempt, "node/child"), 0));
  EXPECT_CODE(attempt, ZOK, zoo_delete(zh, below(attempt, "node"), -1));
  EXPECT_CODE(attempt, ZNONODE, zoo_delete(zh, below(attempt, "node"), -1));
  EXPECT_CODE(attempt, ZNONODE, zoo_exists(zh, below(attempt, "node"), 0, NULL));
}

static bool contains(const struct String_vector *names, const char *name) {
  for (int i = 0; i < names->count; i++)
    if (strcmp(names->data[i], name) == 0) return true;
  return false;
}

static void list_children(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  struct String_vector names;
  struct Stat stat, last;
  EXPECT_CODE(attempt, ZOK, create(attempt, below(attempt, "a"), "", ZOO_PERSISTENT));
  EXPECT_CODE(attempt, ZOK, create(attempt, below(attempt, "b"), "", ZOO_PERSISTENT));
  EXPECT_CODE(attempt, ZOK, create(attempt, below(attempt, "b/below"), "", ZOO_PERSISTENT));
  EXPECT_CODE(attempt, ZOK, zoo_exists(zh, below(attempt, "b"), 0, &last));
  EXPECT_CODE(attempt, ZOK, zoo_get_children2(zh, attempt->root, 0, &names, &stat));
  bool both = names.count == 2 && contains(&names, "a") && contains(&names, "b");
  deallocate_String_vector(&names);
  EXPECT(attempt, both, "the children are not exactly a and b");
  EXPECT_NUMBER(attempt, 2, stat.numChildren);
  EXPECT_NUMBER(attempt, 2, stat.cversion);
  EXPECT_NUMBER(attempt, last.czxid, stat.pzxid);
  EXPECT_CODE(attempt, ZOK, zoo_get_children(zh, below(attempt, "a"), 0, &names));
  EXPECT_NUMBER(attempt, 0, names.count);
  EXPECT_CODE(attempt, ZNONODE, zoo_get_children(zh, below(attempt, "missing"), 0, &names));
}

static void work_below_a_chroot(struct attempt *attempt) {
  char server[256], made[PATH_BYTES];
  snprintf(server, sizeof server, "%s%s", attempt->server, attempt->root);
  struct session *rooted = join(attempt, server, 8000, NULL);
  if (rooted == NULL) return;
  EXPECT_CODE(attempt, ZOK, zoo_create(rooted->handle, "/node", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, made,
                                       sizeof made));
  EXPECT(attempt, strcmp(made, "/node") == 0, "create answered %s", made);
  EXPECT_CODE(attempt, ZOK, zoo_exists(attempt->main->handle, below(attempt, "node"), 0, NULL));
}

/*
 * Replies go to static storage: a check that stops early leaves completions that are still to run.
 * What the completions of pipelined requests saw: they run one after the other, in the order of replies.
 */
struct pipeline {
  int answered;
  int out_of_order;
  int failed;
};

static void count_reply(int rc, const struct Stat *stat, const void *context) {
  struct pipeline *pipeline = (struct pipeline *)(uintptr_t)context;
  pipeline->answered++;
  if (rc != ZOK) pipeline->failed++;
  else if (stat->version != pipeline->answered) pipeline->out_of_order++;
}

static void answer_pipelined_writes_in_order(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  static struct pipeline pipeline;
  pipeline = (struct pipeline){0};
  EXPECT_CODE(attempt, ZOK, create(attempt, below(attempt, "node"), "", ZOO_PERSISTENT));
  const char *path = below(attempt, "node");
  for (int i = 0; i < PIPELINED_WRITES; i++)
    EXPECT_CODE(attempt, ZOK, zoo_aset(zh, path, "x", 1, -1, count_reply, &pipeline));
  EXPECT_CODE(attempt, ZOK, settle(attempt->main));
  EXPECT_NUMBER(attempt, PIPELINED_WRITES, pipeline.answered);
  EXPECT_NUMBER(attempt, 0, pipeline.failed);
  EXPECT_NUMBER(attempt, 0, pipeline.out_of_order);
}

struct sync_reply {
  int rc;
  char path[PATH_BYTES];
};

static void keep_sync_reply(int rc, const char *path, const void *context) {
  struct sync_reply *reply = (struct sync_reply *)(uintptr_t)context;
  reply->rc = rc;
  snprintf(reply->path, sizeof reply->path, "%s", path == NULL ? "" : path);
}

static void answer_sync(struct attempt *attempt) {
  static struct sync_reply reply;
  reply = (struct sync_reply){.rc = 1};
  EXPECT_CODE(attempt, ZOK, zoo_async(attempt->main->handle, attempt->root, keep_sync_reply, &reply));
  EXPECT_CODE(attempt, ZOK, settle(attempt->main));
  EXPECT_CODE(attempt, ZOK, reply.rc);
  EXPECT(attempt, strcmp(reply.path, attempt->root) == 0, "sync answered the path %s", reply.path);
}

static void refuse_reconfig(struct attempt *attempt) {
  char config[256];
  int length = sizeof config;
  struct Stat stat;
  EXPECT_CODE(attempt, ZRECONFIGDISABLED,
              zoo_reconfig(attempt->main->handle, NULL, "1", NULL, -1, config, &length, &stat));
}

const struct check data_checks[] = {
    {"create makes a persistent node with its data and Stat", create_persistent},
    {"create refuses an existing node, a missing parent and an ephemeral parent", refuse_create},
    {"null data and empty data stay apart", keep_null_apart_from_empty},
    {"a megabyte of data comes back unchanged", carry_large_data},
    {"sequential nodes are numbered with ten digits and no number is used twice", number_sequential_nodes},
    {"ephemeral nodes carry their session and go when it closes", own_ephemeral_nodes},
    {"a container takes children", create_container},
    {"nodes with a time to live are made", create_ttl_nodes},
    {"set checks the version and answers the new Stat", set_with_versions},
    {"delete checks the version and the children", delete_with_versions},
    {"children are listed with the parent's Stat", list_children},
    {"a chroot is put on and taken off paths", work_below_a_chroot},
    {"pipelined writes are answered in the order sent", answer_pipelined_writes_in_order},
    {"sync answers its path", answer_sync},
    {"reconfig is refused while it is disabled", refuse_reconfig},
    {NULL, NULL},
};
