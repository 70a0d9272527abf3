#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "cli/test_support.h"

namespace sallyport::cli {
namespace {

TEST(VaultCommands, KeysSaysWhatOpensThemAndHowOldTheyAre) {
  FakeApi api("vault_keys");
  api.answers["GET /api/v1/vault/keys"] = {
      200,
      R"({"sealed":false,"source":"password","generation":3,"rotates_at":"2026-12-22T00:00:00Z","keys":[)"
      R"({"id":2,"status":"active","created_at":"2026-11-22T00:00:00Z","retired_at":null}],"damaged":["secret a, version 1: changed"],"hash_keys":{"rotates_at":"2027-11-22T00:00:00Z",)"
      R"("keys":[{"id":4,"status":"active","created_at":"2026-11-22T00:00:00Z","api_keys":7}]}})"};
  EXPECT_EQ(api.run({"vault", "keys"}), 0) << api.err;
  EXPECT_NE(api.out.find("opened by: password"), std::string::npos) << api.out;
  EXPECT_NE(api.out.find("\nkey 2: active"), std::string::npos) << api.out;
  EXPECT_NE(api.out.find("\ndamaged: secret a, version 1: changed ("), std::string::npos) << api.out;
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

TEST(VaultCommands, APasswordThatJsonCannotCarryIsRefusedBeforeItIsSent) {
  FakeApi api("vault_bytes");
  EXPECT_EQ(api.run({"vault", "password"}, "caf\xE9 correct horse\n"), 2);
  EXPECT_NE(api.err.find("not UTF-8"), std::string::npos) << api.err;
  EXPECT_EQ(api.err.find("horse"), std::string::npos) << api.err;
  EXPECT_TRUE(api.calls.empty());
}

TEST(VaultCommands, APasswordSaysThatTheKeyFileStayed) {
  FakeApi api("vault_left");
  api.answers["PUT /api/v1/vault/keys/source"] = {
      200, R"({"sealed":false,"source":"password","notice":"keys/master.key is still there: Read-only file system"})"};
  EXPECT_EQ(api.run({"vault", "password"}, "correct horse battery staple\n"), 0) << api.err;
  EXPECT_NE(api.out.find("note: keys/master.key is still there"), std::string::npos) << api.out;
}

TEST(VaultCommands, AValueComesFromOnePlaceAlone) {
  FakeApi api("vault_one_place");
  const std::string file = api.home + "/value";
  std::ofstream(file) << "x";
  using Words = std::vector<std::string>;
  for (const Words& both :
       {Words{"--generate", "--file", file}, Words{"--generate", "--sealed"}, Words{"--no-value", "--file", file},
        Words{"--no-value", "--generate"}, Words{"--no-value", "--sealed"}}) {
    Words words{"vault", "put", "a"};
    words.insert(words.end(), both.begin(), both.end());
    EXPECT_EQ(api.run(words, "x\n"), 2) << both[0] << both[1];
    EXPECT_NE(api.err.find("excludes"), std::string::npos) << api.err;
  }
  EXPECT_TRUE(api.calls.empty());
}

TEST(VaultCommands, TheExchangeKeyIsShownAsProgramsReadIt) {
  FakeApi api("vault_exchange");
  api.answers["GET /api/v1/vault/exchange-key"] = {
      200, R"({"kid":"k","alg":"RSA-OAEP-256","enc":"A256GCM","bits":3072,)"
           R"("public_key":"-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n",)"
           R"("created_at":"2026-11-22T00:00:00Z","rotates_at":"2027-11-22T00:00:00Z"})"};
  EXPECT_EQ(api.run({"vault", "exchange-key"}), 0) << api.err;
  EXPECT_NE(api.out.find("kid:         k\n"), std::string::npos) << api.out;
  EXPECT_TRUE(api.out.ends_with("\n-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n")) << api.out;
}

// Whoever stored the value may have meant the terminal of whoever reads it.
TEST(VaultCommandsAbuse, NoValueDrivesATerminal) {
  FakeApi api("vault_terminal");
  api.answers["POST /api/v1/vault/secrets/evil/reveal"] = {
      200, R"({"name":"evil","value":"\u001b]0;owned\u0007\u009b31m\u202etext\nsecond\tline"})"};
  EXPECT_EQ(api.run({"vault", "get", "evil"}), 0) << api.err;
  EXPECT_EQ(api.out, "\x1b]0;owned\a\u009b31m\u202etext\nsecond\tline\n") << "a pipe gets the bytes";
  api.terminal = true;
  EXPECT_EQ(api.run({"vault", "get", "evil"}), 0) << api.err;
  EXPECT_EQ(api.out, "\uFFFD]0;owned\uFFFD\uFFFD31m\uFFFDtext\nsecond line\n");
  EXPECT_NE(api.err.find("> FILE"), std::string::npos) << api.err;
  api.answers["POST /api/v1/vault/secrets/evil/reveal"] = {200, "{\"value\":\"\u009b31m\u202e\uFEFF\x7F\"}"};
  EXPECT_EQ(api.run({"vault", "get", "evil", "--json"}), 0) << api.err;
  EXPECT_NE(api.out.find(R"("\u009b31m\u202e\ufeff\u007f")"), std::string::npos) << api.out;
}

TEST(VaultCommands, WhatIsStoredEndsWhereItsTextEnds) {
  FakeApi api("vault_ends");
  const std::string file = api.home + "/value";
  const auto sent = [&](std::string_view bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
    (void)api.run({"vault", "put", "x", "--file", file});
    const std::string& call = api.calls.back();
    return call.substr(call.find('{'));
  };
  EXPECT_EQ(sent("abc\n"), R"({"value":"abc"})");
  EXPECT_EQ(sent("abc\r\n"), R"({"value":"abc"})");
  EXPECT_EQ(sent("abc\r"), R"({"value":"abc\r"})");
  EXPECT_EQ(sent("\xFFz\n"), R"({"value_base64url":"_3oK"})") << "of bytes every one counts";
}

// The token would be dead at once: it lives in the memory of the process that made it.
TEST(VaultCommands, OffersOfTheRunningGatewayAlone) {
  FakeApi api("vault_offer");
  for (const char* what : {"offer", "reveal"}) {
    std::vector<std::string> words{"vault", what};
    if (words.back() == "offer") words.emplace_back("x");
    EXPECT_EQ(api.run(words, "token\n"), 5) << what;
    EXPECT_NE(api.err.find("fix: start the gateway"), std::string::npos) << api.err;
  }
  EXPECT_TRUE(api.calls.empty());
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
