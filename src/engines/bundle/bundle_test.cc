#include "engines/bundle/bundle.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "crypto/jws.h"
#include "engines/bundle/signature.h"

namespace sallyport::bundle {
namespace {

const std::string kRego = "package tool_access\nimport rego.v1\nallow if input.user.name == data.limits.name\n";

std::string why(const Result<Bundle>& read) { return read ? "" : read.error().detail; }

TEST(Bundle, RegoAndDataBecomeModules) {
  const auto read = read_bundle({{"tool_access.rego", kRego},
                                 {"data.json", R"({"limits":{"rows":5,"name":"ann"}})"},
                                 {"teams/data.json", R"({"core":["ann","bob"]})"},
                                 {".manifest", R"({"revision":"r7","roots":["tool_access","limits","/teams/"]})"}});
  ASSERT_TRUE(read) << why(read);
  EXPECT_EQ(read->revision, "r7");
  policy::PolicyEngine engine;
  ASSERT_TRUE(engine.use_all(read->modules));
  const auto answer =
      engine.evaluate("tool_access", R"({"user":{"name":"ann"}})", std::nullopt, std::chrono::seconds(1));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_TRUE(answer->allow);
  const auto teams = engine.query("data.teams.core[1]", "{}", std::chrono::seconds(1));
  ASSERT_TRUE(teams) << teams.error().detail;
  EXPECT_NE(teams->find("\"bob\""), std::string::npos);
}

TEST(Bundle, WithoutAManifestEverythingIsItsOwn) {
  EXPECT_TRUE(read_bundle({{"a/b.rego", kRego}, {"data.json", "{}"}}));
}

TEST(Bundle, WhatIsOutsideOfTheRootsIsRefused) {
  const std::string manifest = R"({"roots":["tool_access"]})";
  EXPECT_NE(why(read_bundle({{"a.rego", "package tool_access_too\n"}, {".manifest", manifest}})).find("roots"),
            std::string::npos);
  EXPECT_NE(why(read_bundle({{"a.rego", kRego}, {"data.json", R"({"x":{}})"}, {".manifest", manifest}})).find("roots"),
            std::string::npos);
  EXPECT_TRUE(read_bundle({{"a.rego", "package tool_access.lib\n"}, {".manifest", manifest}}));
}

TEST(Bundle, WhatCannotBeSaidIsRefused) {
  const Files with[]{{{"a.rego", kRego}, {".manifest", "{"}},
                     {{"a.rego", kRego}, {".manifest", R"({"roots":"x"})"}},
                     {{"a.rego", kRego}, {".manifest", R"({"roots":[1]})"}},
                     {{"a.rego", kRego}, {"data.json", "[]"}},
                     {{"a.rego", kRego}, {"data.json", R"({"x":1})"}},
                     {{"a.rego", kRego}, {"data.json", R"({"x":{"a-b":1}})"}},
                     {{"a.rego", kRego}, {"data.json", R"({"x":{"import":1}})"}},
                     {{"a.rego", kRego}, {"data.json", R"({"x\nallow := true\n#":{"a":1}})"}},
                     {{"a.rego", kRego}, {"data.json", R"({"x":{"allow := true\ny":1}})"}},
                     {{"a.rego", kRego}, {"data.yaml", ""}},
                     {{"a.rego", kRego}, {"policy.wasm", ""}},
                     {{"a.rego", kRego}, {"patch.json", "{}"}},
                     {{"data.json", R"({"x":{}})"}},
                     {}};
  for (const Files& files : with) EXPECT_FALSE(read_bundle(files)) << files.size();
}

class SignedBundle : public testing::Test {
 protected:
  const std::string secret_ = std::string(32, 's');
  const crypto::JwsKey key_ = *crypto::JwsKey::from_secret(as_bytes(secret_));
  Files files_{{"a.rego", kRego}, {"data.json", R"({ "b": 1.50, "a": "<\u2028\u0007\b\/é>", "c": [true, null, {}] })"}};

  [[nodiscard]] std::string listed(const Files& files) const {
    std::string out;
    for (const auto& [path, bytes] : files) {
      out += out.empty() ? "" : ",";
      out += R"({"name":"/)" + path + R"(","hash":")" + *digest_of(path, bytes) + R"(","algorithm":"SHA-256"})";
    }
    return R"({"files":[)" + out + "]}";
  }
  void sign(const std::string& payload, const std::string& header = R"({"alg":"HS256"})") {
    files_[std::string(kSignatures)] = R"({"signatures":[")" + *crypto::jws_sign(key_, header, payload) + R"("]})";
  }
  [[nodiscard]] bool verified() const { return verify(files_, key_).has_value(); }
};

TEST_F(SignedBundle, DataIsDigestedByItsMeaningAndCodeByItsBytes) {
  EXPECT_EQ(*digest_of("x/data.json", files_.at("data.json")),
            hex_encode(crypto::sha256("{\"a\":\"<\\u2028\\u0007\\b/\u00e9>\",\"b\":1.50,\"c\":[true,null,{}]}")));
  EXPECT_EQ(*digest_of("a.rego", kRego), hex_encode(crypto::sha256(kRego)));
  EXPECT_EQ(*digest_of("more.json", "{ }"), hex_encode(crypto::sha256("{ }")));
}

TEST_F(SignedBundle, ExactlyWhatWasSignedIsTaken) {
  sign(listed(files_));
  EXPECT_TRUE(verified());
  const Files good = files_;
  files_["a.rego"] += "allow := true\n";
  EXPECT_FALSE(verified()) << "changed";
  files_ = good;
  files_["b.rego"] = "package tool_access\n";
  EXPECT_FALSE(verified()) << "one more";
  files_ = good;
  files_.erase("a.rego");
  EXPECT_FALSE(verified()) << "one less";
  files_ = good;
  files_.erase(std::string(kSignatures));
  EXPECT_FALSE(verified()) << "not signed";
}

TEST_F(SignedBundle, TheKeyAndTheAlgorithmAreOurs) {
  sign(listed(files_), R"({"alg":"none"})");
  EXPECT_FALSE(verified());
  sign(listed(files_));
  const std::string other(32, 'o');
  EXPECT_FALSE(verify(files_, *crypto::JwsKey::from_secret(as_bytes(other))));
  for (const char* text : {"{}", "[]", R"({"signatures":[]})", R"({"signatures":[1]})", R"({"signatures":["a.b.c"]})",
                           R"({"signatures":"a.b.c"})", ""}) {
    files_[std::string(kSignatures)] = text;
    EXPECT_FALSE(verified()) << text;
  }
}

TEST_F(SignedBundle, AListThatIsOddIsRefused) {
  const Files plain = files_;
  sign(R"({"files":[]})");
  EXPECT_FALSE(verified());
  sign("{}");
  EXPECT_FALSE(verified());
  std::string md5 = listed(plain);
  md5.replace(md5.find("SHA-256"), 7, "MD5");
  sign(md5);
  EXPECT_FALSE(verified());
  sign(listed(plain).insert(
      10, R"({"name":"a.rego","hash":")" + *digest_of("a.rego", kRego) + R"(","algorithm":"SHA-256"},)"));
  EXPECT_FALSE(verified());
  sign(listed(plain).insert(10, R"({"name":"../a.rego","hash":"","algorithm":"SHA-256"},)"));
  EXPECT_FALSE(verified());
}

TEST_F(SignedBundle, SaysWhenItWasSigned) {
  const std::string payload = listed(files_);
  sign(payload);
  EXPECT_EQ(verify(files_, key_)->issued_at, std::nullopt);
  const auto with = [&](const std::string& iat) { return "{\"iat\":" + iat + "," + payload.substr(1); };
  sign(with("1790000000"));
  EXPECT_EQ(verify(files_, key_)->issued_at, 1790000000);
  for (const char* odd : {"\"1790000000\"", "1.5", "null", "1e400"}) {
    sign(with(odd));
    EXPECT_FALSE(verified()) << odd;
  }
}

TEST(BundleAge, AnOlderOneIsRefused) {
  const WallTime now{std::chrono::seconds(1000)};
  EXPECT_TRUE(check_age(std::nullopt, std::nullopt, now));
  EXPECT_TRUE(check_age(std::nullopt, 900, now));
  EXPECT_TRUE(check_age(900, 900, now)) << "the same again";
  EXPECT_TRUE(check_age(900, 901, now));
  EXPECT_NE(check_age(900, 899, now).error().detail.find("before that of iat 900"), std::string::npos);
  EXPECT_NE(check_age(900, std::nullopt, now).error().detail.find("has no iat"), std::string::npos);
}

TEST(BundleAge, OneOfTheFutureIsRefusedSinceItWouldShutOutAllThatFollow) {
  const WallTime now{std::chrono::seconds(1000)};
  EXPECT_TRUE(check_age(900, 1000 + 300, now));
  EXPECT_FALSE(check_age(900, 1000 + 301, now));
  EXPECT_FALSE(check_age(std::nullopt, std::numeric_limits<std::int64_t>::max(), now));
}

TEST(BundleAge, TheOneThatWasInForceIsTakenWhenTheClockIsBehind) {
  const WallTime boot{std::chrono::seconds(0)};  // no battery, and no network yet
  EXPECT_TRUE(check_age(1790000000, 1790000000, boot));
  EXPECT_FALSE(check_age(1790000000, 1790000001, boot)) << "no other one, which might shut out all that follow";
  EXPECT_FALSE(check_age(1790000000, 1789999999, boot));
}

TEST(BundleKey, IsAPublicKeyOrALongSecret) {
  EXPECT_TRUE(read_key("HS256", std::string(32, 'x')));
  EXPECT_FALSE(read_key("HS256", "short"));
  EXPECT_FALSE(read_key("RS256", "no PEM"));
  EXPECT_FALSE(read_key("ES256", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"));
  EXPECT_FALSE(read_key("none", ""));
}

}  // namespace
}  // namespace sallyport::bundle
