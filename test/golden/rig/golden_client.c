/* Makes the official C client send the requests whose bytes differ from the Java client's, or are its own way.
 * Says "STEP name" before each and waits for a line on its standard input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zookeeper/zookeeper.h>

static volatile int state = 0;
static volatile int state_changes = 0;
static volatile int events = 0;
static volatile int completions = 0;

static void on_event(zhandle_t *zh, int type, int new_state, const char *path, void *context) {
  if (type == ZOO_SESSION_EVENT) {
    state = new_state;
    state_changes++;
  } else {
    events++;
  }
}

static void on_void(int rc, const void *data) { completions++; }
static void on_string(int rc, const char *value, const void *data) { completions++; }

static void say(const char *word, const char *name) {
  char line[64];
  printf("%s %s\n", word, name);
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) exit(1);
}

static void await(volatile int *counter, int least) {
  for (int i = 0; i < 3000 && *counter < least; i++) usleep(10000);
  if (*counter < least) exit(1);
}

static void await_state(int wanted) {
  for (int i = 0; i < 3000 && state != wanted; i++) usleep(10000);
}

int main(int argc, char **argv) {
  char buffer[512];
  int length;
  struct Stat stat;
  struct ACL_vector acl;
  struct String_vector strings;
  zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);

  say("STEP", "new-session");
  zhandle_t *zh = zookeeper_init(argv[1], on_event, 12000, NULL, NULL, 0);
  await_state(ZOO_CONNECTED_STATE);

  say("STEP", "persistent");
  zoo_create(zh, "/c/p", "hi", 2, &ZOO_OPEN_ACL_UNSAFE, 0, buffer, sizeof buffer);
  say("STEP", "null-data");
  zoo_create(zh, "/c/null", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, 0, buffer, sizeof buffer);
  say("STEP", "node-exists");
  zoo_create(zh, "/c/p", "hi", 2, &ZOO_OPEN_ACL_UNSAFE, 0, buffer, sizeof buffer);
  say("STEP", "ephemeral-sequential");
  zoo_create2(zh, "/c/s-", "hi", 2, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL_SEQUENTIAL, buffer, sizeof buffer, &stat);
  say("STEP", "container");
  zoo_create2(zh, "/c/box", "hi", 2, &ZOO_OPEN_ACL_UNSAFE, ZOO_CONTAINER, buffer, sizeof buffer, &stat);
  say("STEP", "ttl");
  zoo_create2_ttl(zh, "/c/ttl", "hi", 2, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_WITH_TTL, 600000, buffer,
                  sizeof buffer, &stat);
  say("STEP", "found");
  length = sizeof buffer;
  zoo_get(zh, "/c/p", 0, buffer, &length, &stat);
  say("STEP", "no-node");
  length = sizeof buffer;
  zoo_get(zh, "/c/none", 0, buffer, &length, &stat);
  say("STEP", "right-version");
  zoo_set2(zh, "/c/p", "new", 3, 0, &stat);
  say("STEP", "found");
  zoo_get_acl(zh, "/c/p", &acl, &stat);
  say("STEP", "read-only-acl");
  zoo_set_acl(zh, "/c/null", -1, &ZOO_READ_ACL_UNSAFE);
  say("STEP", "any");
  zoo_async(zh, "/c", on_string, NULL);
  await(&completions, 1);

  zoo_op_t ops[4];
  zoo_op_result_t results[4];
  char made[64];
  say("STEP", "done");
  zoo_create_op_init(&ops[0], "/c/m", "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, made, sizeof made);
  zoo_set_op_init(&ops[1], "/c/m", "2", 1, 0, &stat);
  zoo_check_op_init(&ops[2], "/c/m", 1);
  zoo_delete_op_init(&ops[3], "/c/m", -1);
  zoo_multi(zh, 4, ops, results);
  say("STEP", "failed");
  zoo_check_op_init(&ops[1], "/c/p", 99);
  zoo_multi(zh, 4, ops, results);

  say("STEP", "digest");
  completions = 0;
  zoo_add_auth(zh, "digest", "bob:pw", 6, on_void, NULL);
  await(&completions, 1);

  say("STEP", "watched-by-set-watches");
  length = sizeof buffer;
  zoo_get(zh, "/c/p", 1, buffer, &length, &stat);
  zoo_exists(zh, "/c/later", 1, &stat);
  zoo_get_children2(zh, "/c", 1, &strings, &stat);
  int seen = state_changes;
  say("CUT", "reattach");
  await(&state_changes, seen + 2);
  await_state(ZOO_CONNECTED_STATE);
  await(&events, 3);

  say("STEP", "watched-again");
  length = sizeof buffer;
  zoo_get(zh, "/c/p", 1, buffer, &length, &stat);
  say("STEP", "data");
  zoo_remove_all_watches(zh, "/c/p", ZWATCHTYPE_DATA, 0);
  say("STEP", "disabled");
  length = sizeof buffer;
  zoo_reconfig(zh, NULL, NULL, "server.1=127.0.0.1:2888:3888;2181", -1, buffer, &length, &stat);
  say("STEP", "done");
  zoo_delete(zh, "/c/null", -1);
  say("STEP", "idle");
  usleep(5000000);
  say("STEP", "close");
  zookeeper_close(zh);
  printf("DONE\n");
  return 0;
}
