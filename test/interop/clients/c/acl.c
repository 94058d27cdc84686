/* Credentials and access control lists. */
#include <stdio.h>

#include "attempt.h"

/* The id that `digest` makes of anna:secret (base64 of its SHA-1). */
#define ANNA_ID "anna:Wap/fLaD11BLJBT+7fkDcVxaT7c="

static int authenticate(struct session *session, const char *scheme, const char *credential) {
  struct reply reply = REPLY_PENDING;
  int code = zoo_add_auth(session->handle, scheme, credential, (int)strlen(credential), keep_reply, &reply);
  return code == ZOK ? await_reply(&reply) : code;
}

static void read_open_acl(struct attempt *attempt) {
  struct ACL_vector acl;
  struct Stat stat;
  EXPECT_CODE(attempt, ZOK, zoo_get_acl(attempt->main->handle, attempt->root, &acl, &stat));
  EXPECT_NUMBER(attempt, 1, acl.count);
  bool is_open = acl.data[0].perms == ZOO_PERM_ALL && strcmp(acl.data[0].id.scheme, "world") == 0 &&
                 strcmp(acl.data[0].id.id, "anyone") == 0;
  deallocate_ACL_vector(&acl);
  EXPECT(attempt, is_open, "the list is not world:anyone with all permissions");
  EXPECT_NUMBER(attempt, 0, stat.aversion);
}

static void expand_creator(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  struct ACL_vector acl;
  struct Stat stat;
  const char *path = below(attempt, "mine");
  EXPECT_CODE(attempt, ZINVALIDACL, zoo_create(zh, path, "", 0, &ZOO_CREATOR_ALL_ACL, ZOO_PERSISTENT, NULL, 0));
  EXPECT_CODE(attempt, ZOK, authenticate(attempt->main, "digest", "anna:secret"));
  EXPECT_CODE(attempt, ZOK, zoo_create(zh, path, "", 0, &ZOO_CREATOR_ALL_ACL, ZOO_PERSISTENT, NULL, 0));
  EXPECT_CODE(attempt, ZOK, zoo_get_acl(zh, path, &acl, &stat));
  EXPECT_NUMBER(attempt, 1, acl.count);
  EXPECT(attempt, strcmp(acl.data[0].id.scheme, "digest") == 0, "the scheme is %s", acl.data[0].id.scheme);
  EXPECT(attempt, strcmp(acl.data[0].id.id, ANNA_ID) == 0, "the id is %s", acl.data[0].id.id);
  EXPECT_NUMBER(attempt, ZOO_PERM_ALL, acl.data[0].perms);
  deallocate_ACL_vector(&acl);
}

static void keep_strangers_out(struct attempt *attempt) {
  struct session *stranger = join(attempt, attempt->server, 8000, NULL);
  if (stranger == NULL) return;
  char data[16];
  int length = sizeof data;
  const char *path = below(attempt, "mine"), *child = below(attempt, "mine/child"), *other = below(attempt, "mine/x");
  EXPECT_CODE(attempt, ZOK, authenticate(attempt->main, "digest", "anna:secret"));
  EXPECT_CODE(attempt, ZOK, zoo_create(attempt->main->handle, path, "private", 7, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0));
  EXPECT_CODE(attempt, ZOK, zoo_create(attempt->main->handle, child, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
  EXPECT_CODE(attempt, ZNOAUTH, zoo_get(stranger->handle, path, 0, data, &length, NULL));
  EXPECT_CODE(attempt, ZNOAUTH, zoo_set(stranger->handle, path, "", 0, -1));
  EXPECT_CODE(attempt, ZNOAUTH, zoo_create(stranger->handle, other, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
  EXPECT_CODE(attempt, ZNOAUTH, zoo_delete(stranger->handle, child, -1));
  EXPECT_CODE(attempt, ZNOAUTH, zoo_set_acl(stranger->handle, path, -1, &ZOO_OPEN_ACL_UNSAFE));
  EXPECT_CODE(attempt, ZOK, authenticate(stranger, "digest", "anna:secret"));
  EXPECT_CODE(attempt, ZOK, zoo_get(stranger->handle, path, 0, data, &length, NULL));
  EXPECT_NUMBER(attempt, 7, length);
}

static void allow_reading_only(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  const char *path = below(attempt, "readable");
  char data[4];
  int length = sizeof data;
  EXPECT_CODE(attempt, ZOK, zoo_create(zh, path, "x", 1, &ZOO_READ_ACL_UNSAFE, ZOO_PERSISTENT, NULL, 0));
  EXPECT_CODE(attempt, ZOK, zoo_get(zh, path, 0, data, &length, NULL));
  EXPECT_CODE(attempt, ZNOAUTH, zoo_set(zh, path, "y", 1, -1));
  EXPECT_CODE(attempt, ZOK, zoo_delete(zh, path, -1));
}

static void set_acl_with_versions(struct attempt *attempt) {
  zhandle_t *zh = attempt->main->handle;
  struct ACL_vector acl;
  struct Stat before, after;
  EXPECT_CODE(attempt, ZOK, zoo_exists(zh, attempt->root, 0, &before));
  EXPECT_CODE(attempt, ZOK, authenticate(attempt->main, "digest", "anna:secret"));
  EXPECT_CODE(attempt, ZOK, zoo_set_acl(zh, attempt->root, 0, &ZOO_CREATOR_ALL_ACL));
  EXPECT_CODE(attempt, ZBADVERSION, zoo_set_acl(zh, attempt->root, 0, &ZOO_OPEN_ACL_UNSAFE));
  EXPECT_CODE(attempt, ZOK, zoo_get_acl(zh, attempt->root, &acl, &after));
  deallocate_ACL_vector(&acl);
  EXPECT_NUMBER(attempt, 1, after.aversion);
  EXPECT_NUMBER(attempt, before.version, after.version);
  EXPECT_NUMBER(attempt, before.mzxid, after.mzxid);
  EXPECT_CODE(attempt, ZNONODE, zoo_set_acl(zh, below(attempt, "missing"), -1, &ZOO_OPEN_ACL_UNSAFE));
}

static void refuse_unknown_scheme(struct attempt *attempt) {
  struct ACL entry = {.perms = 31, .id = {.scheme = "nosuchscheme", .id = "anyone"}};
  struct ACL_vector acl = {.count = 1, .data = &entry};
  EXPECT_CODE(attempt, ZINVALIDACL,
              zoo_create(attempt->main->handle, below(attempt, "node"), "", 0, &acl, ZOO_PERSISTENT, NULL, 0));
}

static void refuse_unknown_credential(struct attempt *attempt) {
  struct session *session = join(attempt, attempt->server, 8000, NULL);
  if (session == NULL) return;
  EXPECT_CODE(attempt, ZAUTHFAILED, authenticate(session, "nosuchscheme", "anna"));
  EXPECT(attempt, await_state(session, ZOO_AUTH_FAILED_STATE), "the session did not report that authentication failed");
}

const struct check acl_checks[] = {
    {"an open list is read back", read_open_acl},
    {"the creator's list becomes the digest id of the session", expand_creator},
    {"a session without the credential gets NoAuth until it shows it", keep_strangers_out},
    {"a readable node cannot be written", allow_reading_only},
    {"set_acl checks the ACL version and leaves the data version alone", set_acl_with_versions},
    {"a list with an unknown scheme is invalid", refuse_unknown_scheme},
    {"a credential of an unknown scheme fails the session", refuse_unknown_credential},
    {NULL, NULL},
};
