// What the suite of every back end of control::Repository shares: the back ends, and records that would end a literal in a
// worse layer. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "storage/sqlite_repository.h"
#include "storage/test_home.h"

namespace sallyport::storage {

struct BackEnd {
  const char* name;
  std::function<std::unique_ptr<control::Repository>(const TestHome&)> open;
};

inline const BackEnd kSqlite{"Sqlite", [](const TestHome& home) -> std::unique_ptr<control::Repository> {
                               static const SystemClock clock;
                               return std::move(*SqliteRepository::open(home.path("sallyport.db"), clock));
                             }};

class Repositories : public testing::TestWithParam<BackEnd> {
 protected:
  // What was committed must be there for the next process.
  control::StoredState reopened() {
    repository_.reset();
    repository_ = GetParam().open(home_);
    return *repository_->load();
  }
  TestHome home_;
  std::unique_ptr<control::Repository> repository_ = GetParam().open(home_);
};

// S0-23, S4-8: text that would end a literal, a comment or a string in a worse layer.
using namespace std::string_literals;
inline const std::string kNasty = "'; DROP TABLE users; --\" \\' %s ${x} \n\0tail \xE2\x98\x83"s;
inline constexpr WallTime kNow{std::chrono::microseconds(1'790'000'000'123'456)};

inline UserRecord user(std::string id, std::string name) {
  return {std::move(id),
          std::move(name),
          kNasty,
          "$argon2id$x",
          {"admin", kNasty},
          true,
          true,
          kNow,
          kNow,
          {"$argon2id$y", "$argon2id$z"},
          kNow + std::chrono::seconds(7),
          {"sealed", true, true, 59'666'666, {"aa", "bb"}, {59'666'670, 59'666'780}},
          {"staff", kNasty},
          {Permission::tool_read, Permission::key_read},
          {{Permission::tool_execute, "gmail", kNasty}},
          {"gmail.send"}};
}

inline KeyRecord key(std::string id, std::string owner) {
  KeyRecord record;
  record.id = std::move(id);
  record.hash = "ab";
  record.name = kNasty;
  record.owner_user_id = std::move(owner);
  record.roles = {"agent"};
  record.permissions = {Permission::tool_read, Permission::audit_read};
  record.grants = {{Permission::tool_execute, "gmail", "send_*"}, {Permission::tool_read, kNasty, "*"}};
  record.dotted = {"gmail.send"};
  record.created_at = kNow;
  return record;
}

inline ToolRecord tool(std::string server, std::string name) {
  ToolRecord record;
  record.server = std::move(server);
  record.name = std::move(name);
  record.definition = "{\"name\":\"" + record.name + "\"}";
  record.required = {"a.b", kNasty};
  return record;
}

}  // namespace sallyport::storage
