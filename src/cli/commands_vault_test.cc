#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/test_support.h"

namespace sallyport::cli {
namespace {

TEST(VaultCommands, KeysSaysWhatOpensThemAndHowOldTheyAre) {
  FakeApi api("vault_keys");
  api.answers["GET /api/v1/vault/keys"] = {
      200,
      R"({"sealed":false,"source":"password","generation":3,"rotates_at":"2026-12-22T00:00:00Z","keys":[)"
      R"({"id":2,"status":"active","created_at":"2026-11-22T00:00:00Z","retired_at":null}],"hash_keys":{"rotates_at":"2027-11-22T00:00:00Z",)"
      R"("keys":[{"id":4,"status":"active","created_at":"2026-11-22T00:00:00Z","api_keys":7}]}})"};
  EXPECT_EQ(api.run({"vault", "keys"}), 0) << api.err;
  EXPECT_NE(api.out.find("opened by: password"), std::string::npos) << api.out;
  EXPECT_NE(api.out.find("\nkey 2: active"), std::string::npos) << api.out;
  EXPECT_NE(api.out.find("hash key 4: active, made 2026-11-22T00:00:00Z, API keys: 7"), std::string::npos) << api.out;
  api.answers["GET /api/v1/vault/keys"] = {
      200, R"({"sealed":true,"source":"file","generation":0,"rotates_at":null,"keys":[]})"};
  EXPECT_EQ(api.run({"vault", "keys"}), 0) << api.err;
  EXPECT_NE(api.out.find("state: sealed"), std::string::npos) << api.out;
}

TEST(VaultCommands, APasswordComesFromStdinAlone_S2_10) {
  FakeApi api("vault_password");
  api.answers["PUT /api/v1/vault/keys/source"] = {200, R"({"sealed":false,"source":"password"})"};
  EXPECT_EQ(api.run({"vault", "password"}, "correct horse battery staple\n"), 0) << api.err;
  EXPECT_EQ(api.calls.back(),
            R"(PUT /api/v1/vault/keys/source {"source":"password","secret":"correct horse battery staple"})");
  EXPECT_EQ(api.out.find("battery"), std::string::npos);
  EXPECT_EQ(api.run({"vault", "password", "correct horse battery staple"}), 2);
  EXPECT_EQ(api.run({"vault", "password"}), 2);
  EXPECT_EQ(api.run({"vault", "password", "--source", "file"}), 0) << api.err;
  EXPECT_EQ(api.calls.back(), R"(PUT /api/v1/vault/keys/source {"source":"file"})");
}

TEST(VaultCommands, RotatesTheKeyThatIsNamed) {
  FakeApi api("vault_rotate");
  api.answers["POST /api/v1/vault/keys/rotate"] = {200, R"({"id":2,"status":"active"})"};
  EXPECT_EQ(api.run({"vault", "rotate", "kek"}), 0) << api.err;
  EXPECT_NE(api.out.find("key 2"), std::string::npos);
  api.answers["POST /api/v1/vault/hash-keys/rotate"] = {200, R"({"id":3,"status":"active"})"};
  EXPECT_EQ(api.run({"vault", "rotate", "api-keys"}), 0) << api.err;
  EXPECT_NE(api.out.find("hash key 3"), std::string::npos) << api.out;
  EXPECT_EQ(api.run({"vault", "rotate"}), 2);
  EXPECT_EQ(api.run({"vault", "rotate", "everything"}), 2);
}

}  // namespace
}  // namespace sallyport::cli
