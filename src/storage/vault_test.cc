#include "storage/vault.h"

#include <gtest/gtest.h>

#include <chrono>
#include <sstream>

#include "core/encoding.h"
#include "storage/sqlite.h"
#include "storage/sqlite_repository.h"
#include "storage/test_home.h"

namespace sallyport::storage {
namespace {

using control::VaultSecret;
using control::VaultVersionRow;

constexpr WallTime kNow{std::chrono::microseconds(1'790'000'000'123'456)};

VaultSecret secret(std::string id, std::string name, std::string owner = "") {
  VaultSecret out;
  out.id = std::move(id);
  out.name = std::move(name);
  out.owner = std::move(owner);
  out.description = "'; DROP TABLE vault_secrets; --";
  out.labels = {"b", "a"};
  out.created_at = out.updated_at = kNow;
  out.expires_at = kNow + std::chrono::hours(1);
  out.current = out.newest = 1;
  out.versions = {{1, kNow, "user:1", false}};
  return out;
}

VaultVersionRow row(const std::string& id, std::uint32_t number = 1) {
  return {id,
          number,
          {"key of " + id + std::to_string(number), std::string("cipher\0text of ", 15) + id + std::to_string(number)}};
}

std::unique_ptr<SqliteRepository> opened(const TestHome& home) {
  static const SystemClock clock;
  return std::move(*SqliteRepository::open(home.path("sallyport.db"), clock));
}

std::string bytes_of(const TestHome& home, const std::string& name) {
  std::ifstream file(home.path(name), std::ios::binary);
  std::ostringstream out;
  if (file.is_open() && file.peek() != std::ifstream::traits_type::eof()) out << file.rdbuf();
  return out.str();
}

TEST(StoredVault, IsKeptWithEveryFieldForTheNextProcess) {
  const TestHome home;
  ASSERT_TRUE(opened(home)->vault().put_secret(secret("s1", "mail", "user:7"), row("s1")));
  const auto repository = opened(home);
  const auto all = repository->vault().load_vault();
  ASSERT_TRUE(all && all->size() == 1) << all.error().detail;
  const VaultSecret& got = all->front();
  EXPECT_EQ(got.owner + "/" + got.name, "user:7/mail");
  EXPECT_EQ(got.description, secret("", "").description);
  EXPECT_EQ(got.labels, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(got.expires_at, kNow + std::chrono::hours(1));
  ASSERT_EQ(got.versions.size(), 1U);
  EXPECT_EQ(got.versions[0].created_by, "user:1");
  const auto sealed = repository->vault().sealed_version("s1", 1);
  EXPECT_EQ(sealed->ciphertext, row("s1").sealed.ciphertext);
  EXPECT_EQ(sealed->wrapped_key, row("s1").sealed.wrapped_key);
}

TEST(StoredVault, ANameOfAnOwnerStandsOnce) {
  const TestHome home;
  const auto repository = opened(home);
  ASSERT_TRUE(repository->vault().put_secret(secret("s1", "mail"), row("s1")));
  EXPECT_EQ(repository->vault().put_secret(secret("s2", "mail"), row("s2")).error().code, Code::already_exists);
  EXPECT_TRUE(repository->vault().put_secret(secret("s3", "mail", "user:1"), row("s3")));
  EXPECT_EQ(repository->vault().sealed_version("s2", 1).error().code, Code::not_found) << "all of it or nothing";
}

// S2-43
TEST(StoredVault, WhatIsDeletedIsInNoFileAnyMore) {
  const TestHome home;
  const auto repository = opened(home);
  auto one = secret("s1", "mail");
  ASSERT_TRUE(repository->vault().put_secret(one, row("s1")));
  one.versions.push_back({2, kNow, "user:1", false});
  one.current = one.newest = 2;
  ASSERT_TRUE(repository->vault().put_secret(one, row("s1", 2)));
  const auto found = [&](const std::string& what) {
    const std::string text = base64url_encode(as_bytes(what));
    return bytes_of(home, "sallyport.db").find(text) != std::string::npos ||
           bytes_of(home, "sallyport.db-wal").find(text) != std::string::npos;
  };
  EXPECT_TRUE(found("key of s11") && found("key of s12") && found(row("s1", 2).sealed.ciphertext));
  ASSERT_TRUE(repository->vault().destroy_version("s1", 1, false));
  EXPECT_FALSE(found("key of s11") || found(row("s1", 1).sealed.ciphertext));
  EXPECT_TRUE(repository->vault().load_vault()->front().versions[0].destroyed);
  ASSERT_TRUE(repository->vault().delete_secret("s1"));
  EXPECT_FALSE(found("key of s12") || found(row("s1", 2).sealed.ciphertext));
  EXPECT_EQ(repository->vault().delete_secret("s1").error().code, Code::not_found);
}

// S2-43: a backup reads in the meantime. It is not waited for, and what it holds up is done after it.
TEST(StoredVault, WhoReadsHoldsUpNoErasure) {
  const TestHome home;
  const auto repository = opened(home);
  auto& vault = repository->vault();
  for (const char* id : {"s1", "s2"}) ASSERT_TRUE(vault.put_secret(secret(id, std::string("n") + id), row(id)));
  ASSERT_TRUE(vault.put_exchange_key({"k1", "pem", {"wrapped k1", "sealed"}, kNow, {}}));
  const auto found = [&](const std::string& what) {
    const std::string text = base64url_encode(as_bytes(what));
    return bytes_of(home, "sallyport.db").find(text) != std::string::npos ||
           bytes_of(home, "sallyport.db-wal").find(text) != std::string::npos;
  };
  auto reader = Sqlite::open(home.path("sallyport.db"));
  ASSERT_TRUE(reader);
  ASSERT_TRUE(reader->run("begin", "BEGIN"));
  ASSERT_EQ(reader->pragma("read", "SELECT count(*) FROM vault_secrets").value(), 2);
  const auto began = std::chrono::steady_clock::now();
  const auto destroyed = vault.destroy_version("s1", 1, false);
  EXPECT_TRUE(destroyed) << destroyed.error().detail;
  EXPECT_TRUE(vault.delete_secret("s2"));
  EXPECT_TRUE(vault.delete_exchange_key("k1"));
  EXPECT_FALSE(vault.empty_log().value());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4)) << "it waited its 5 s for who reads";
  EXPECT_EQ(vault.load_vault()->size(), 1U);
  EXPECT_TRUE(found("key of s11"));
  ASSERT_TRUE(reader->run("end", "COMMIT"));
  EXPECT_TRUE(vault.empty_log().value());
  EXPECT_FALSE(found("key of s11") || found("key of s21") || found("wrapped k1"));
}

TEST(StoredVault, RowsAreWrappedAnewInOrder) {
  const TestHome home;
  const auto repository = opened(home);
  auto& vault = repository->vault();
  for (const char* id : {"s1", "s2", "s3"}) ASSERT_TRUE(vault.put_secret(secret(id, std::string("n") + id), row(id)));
  const auto first = vault.sealed_rows("", 0, 2);
  ASSERT_EQ(first->size(), 2U);
  EXPECT_EQ(vault.sealed_rows(first->back().secret, first->back().number, 2)->size(), 1U);
  auto changed = *first;
  for (auto& one : changed) one.sealed.wrapped_key = "new";
  ASSERT_TRUE(vault.put_wrapped(changed));
  EXPECT_EQ(vault.sealed_version("s2", 1)->wrapped_key, "new");
  EXPECT_EQ(vault.sealed_version("s2", 1)->ciphertext, row("s2").sealed.ciphertext);
  EXPECT_EQ(vault.sealed_version("s3", 1)->wrapped_key, row("s3").sealed.wrapped_key);
}

// It opens for nobody, and must not keep the others from being read.
TEST(StoredVault, ARowThatIsDamagedHidesNoOther) {
  const TestHome home;
  const auto repository = opened(home);
  auto& vault = repository->vault();
  for (const char* id : {"s1", "s2", "s3"}) ASSERT_TRUE(vault.put_secret(secret(id, std::string("n") + id), row(id)));
  auto other = Sqlite::open(home.path("sallyport.db"));
  ASSERT_TRUE(other && other->run("damage", "UPDATE vault_versions SET wrapped_key = '!' WHERE secret = 's2'"));
  const auto rows = vault.sealed_rows("", 0, 5);
  ASSERT_TRUE(rows && rows->size() == 3U);
  EXPECT_EQ((*rows)[1].sealed.wrapped_key, "!");
  EXPECT_EQ((*rows)[2].sealed.wrapped_key, row("s3").sealed.wrapped_key);
  EXPECT_FALSE(vault.sealed_version("s2", 1));
}

TEST(StoredVault, UsesNeverMoveBackwards) {
  const TestHome home;
  const auto repository = opened(home);
  ASSERT_TRUE(repository->vault().put_secret(secret("s1", "mail"), row("s1")));
  const std::vector<control::VaultUse> late{{"s1", kNow, 5}, {"nobody", kNow, 1}},
      early{{"s1", kNow - std::chrono::hours(1), 3}};
  ASSERT_TRUE(repository->vault().touch_secrets(late));
  ASSERT_TRUE(repository->vault().touch_secrets(early));
  EXPECT_EQ(repository->vault().load_vault()->front().last_used_at, kNow);
  EXPECT_EQ(repository->vault().load_vault()->front().use_count, 5U);
}

// S2-9
TEST(StoredVault, AnEnvelopeIsTakenOnceAndForgottenWithItsKey) {
  const TestHome home;
  const auto repository = opened(home);
  auto& vault = repository->vault();
  control::StoredExchangeKey key{"k1", "pem", {"wrapped", "sealed"}, kNow, {}};
  ASSERT_TRUE(vault.put_exchange_key(key));
  key.retired_at = kNow;
  ASSERT_TRUE(vault.put_exchange_key(key));
  EXPECT_TRUE(vault.add_envelope("k1", "d1"));
  EXPECT_EQ(vault.add_envelope("k1", "d1").error().code, Code::already_exists);
  EXPECT_EQ(vault.add_envelope("k2", "d1").error().code, Code::not_found);
  EXPECT_EQ(vault.envelopes_of("k1").value(), 1U);
  EXPECT_EQ(vault.load_exchange_keys()->front().retired_at, kNow);
  ASSERT_TRUE(vault.delete_exchange_key("k1"));
  EXPECT_EQ(vault.envelopes_of("k1").value(), 0U);
}

}  // namespace
}  // namespace sallyport::storage
