#include "control/standing.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::control {
namespace {

constexpr WallTime kNow{std::chrono::seconds(1'790'000'000)};
constexpr std::chrono::seconds kSecond{1};

// A user with a login session, and a key of the user's.
struct World {
  World() {
    ada.id = "00112233aabbccdd";
    ada.roles = {"user", "admin"};
    session->id = "s1";
    session->owner = "user:" + ada.id;
    session->created_at = kNow - kSecond;
    key.id = "abcdefabcdef";
    key.owner_user_id = ada.id;
    caller.id = session->owner;
    caller.session_id = "s1";
    caller.credential_id = "jti-1";
    caller.roles = ada.roles;
    caller.issued_at = session->created_at;
    by_key.id = "key:" + key.id;
    by_key.kind = PrincipalKind::key;
    by_key.key_secret = key.secret_number;
  }
  [[nodiscard]] Code judge(const Principal& who) const {
    Snapshot newest;
    auto principals = std::make_shared<Principals>();
    if (exists) principals->users[ada.id] = std::make_shared<const UserRecord>(ada);
    principals->keys[key.id] = std::make_shared<const KeyRecord>(key);
    if (revoked) principals->revoked_tokens["jti-1"] = kNow + kSecond;
    auto sessions = std::make_shared<LoginSessions>();
    if (logged_in) sessions->by_id["s1"] = session;
    newest.principals = std::move(principals);
    newest.sessions = std::move(sessions);
    const auto stands = still_stands(newest, who, kNow);
    return stands ? Code::not_found : stands.error().code;  // not_found: it stands
  }

  UserRecord ada;
  KeyRecord key;
  std::shared_ptr<LoginSession> session = std::make_shared<LoginSession>();
  Principal caller, by_key;
  bool exists = true, logged_in = true, revoked = false;
};
constexpr Code kStands = Code::not_found;

TEST(Standing, WhoCalledMayStillChangeThings) {
  World world;
  EXPECT_EQ(world.judge(world.caller), kStands);
  EXPECT_EQ(world.judge(world.by_key), kStands);
  world.ada.roles.emplace_back("auditor");
  EXPECT_EQ(world.judge(world.caller), kStands);
  Principal operator_here;
  operator_here.kind = PrincipalKind::local;
  EXPECT_EQ(world.judge(operator_here), kStands);
}

TEST(StandingAbuse, WhoIsGoneDisabledOrLoggedOutChangesNothing) {
  World gone, disabled, logged_out, revoked, reset;
  gone.exists = false;
  disabled.ada.enabled = false;
  logged_out.logged_in = false;
  revoked.revoked = true;
  reset.ada.tokens_valid_from = kNow;
  for (const World* world : {&gone, &disabled, &logged_out, &revoked, &reset}) {
    EXPECT_EQ(world->judge(world->caller), Code::unauthenticated);
  }
  EXPECT_EQ(gone.judge(gone.by_key), Code::unauthenticated);
  EXPECT_EQ(disabled.judge(disabled.by_key), Code::unauthenticated);
  World off, expired, another, rotated;
  off.key.enabled = false;
  expired.key.expires_at = kNow;
  another.key.id = "000000000000";
  rotated.key.secret_number += 1;
  for (const World* world : {&off, &expired, &another, &rotated}) {
    EXPECT_EQ(world->judge(world->by_key), Code::unauthenticated);
  }
}

TEST(StandingAbuse, ARoleTakenAwayMeanwhileChangesNothing) {
  World world;
  world.ada.roles = {"user"};
  EXPECT_EQ(world.judge(world.caller), Code::access_denied);
}

TEST(StandingAbuse, WhatAGroupGaveAndTookAwayMeanwhileChangesNothing) {
  World world;
  world.caller.dotted = {"gmail.send"};
  EXPECT_EQ(world.judge(world.caller), Code::access_denied);
  world.ada.dotted = {"gmail.send"};
  EXPECT_EQ(world.judge(world.caller), kStands);
  world.caller.permissions = {Permission::user_write};
  EXPECT_EQ(world.judge(world.caller), Code::access_denied);
  world.ada.permissions = {Permission::user_write, Permission::user_read};
  EXPECT_EQ(world.judge(world.caller), kStands);
  world.caller.grants = {{Permission::tool_execute, "mail", "*"}};
  EXPECT_EQ(world.judge(world.caller), Code::access_denied);
}

}  // namespace
}  // namespace sallyport::control
