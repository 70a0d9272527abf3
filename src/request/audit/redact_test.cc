#include "request/audit/redact.h"

#include <gtest/gtest.h>

#include <random>

#include "request/audit/scan.h"

namespace sallyport::audit {
namespace {

Redactor redactor(RedactLimits limits = {}) { return Redactor(Secret(std::string(32, 'k')), limits); }

// C12: the union of the guides' deny-lists, whatever the case and format.
TEST(Redact, KnowsSecretNamesInEveryFormat) {
  for (const char* name : {"apiKey", "API-KEY", "x_api_key", "X-Api-Key", "api.key", "api key", "password", "PassWord", "passwd",
                           "new_password", "secret", "clientSecret", "client_secret", "token", "accessToken", "refresh_token",
                           "id_token", "Authorization", "proxy-authorization", "cookie", "Set-Cookie", "privateKey",
                           "private_key", "credentials", "bearer", "pwd", "OTP", "jwt", "sessionId", "aws_secret_access_key"}) {
    EXPECT_TRUE(is_secret_name(name)) << name;
  }
  for (const char* name : {"query", "path", "key", "pass_through", "author", "keyboard", "compass", "pinned", "a", ""}) {
    EXPECT_FALSE(is_secret_name(name)) << name;
  }
}

TEST(Redact, ReplacesSecretsAtEveryDepthAndOfEveryType) {
  const std::string out = redactor().json(
      R"({"a":1,"password":"hunter2","x":[{"apiKey":{"nested":"hunter2"}},{"token":["hunter2",2]}],"secret":12345,"ok":"yes"})");
  EXPECT_EQ(out.find("hunter2"), std::string::npos) << out;
  EXPECT_EQ(out.find("12345"), std::string::npos) << out;
  EXPECT_NE(out.find("\"ok\":\"yes\""), std::string::npos);
  EXPECT_TRUE(Members::of(out));
}

TEST(Redact, InFullKeepsWhatIsLongAndHidesSecretsAllTheSame) {
  const std::string body(10'000, 'b');
  const std::string document = R"({"text":")" + body + R"(","password":"hunter2"})";
  EXPECT_EQ(redactor().json(document).find(body), std::string::npos);
  const std::string whole = redactor().whole(document);
  EXPECT_NE(whole.find(body), std::string::npos);
  EXPECT_EQ(whole.find("hunter2"), std::string::npos);
  const std::string longer = redactor().whole(R"({"text":")" + std::string(20'000, 'b') + R"("})");
  EXPECT_NE(longer.find("[cut:20000:"), std::string::npos);
  std::string many = "[0";
  for (int i = 0; i < 8; ++i) many += R"(,")" + std::string(9'000, 'b') + '"';
  const std::string shortened = redactor().whole(many + "]");
  EXPECT_NE(shortened.find("[cut:9000:"), std::string::npos) << "too much in all: as every record has it";
  EXPECT_LT(shortened.size(), 16'384U);
}

TEST(Redact, SeesThroughEscapesInNames) {
  const std::string out = redactor().json(R"({"pass\u0077ord":"hunter2","\u0061pi_key":"hunter2"})");
  EXPECT_EQ(out.find("hunter2"), std::string::npos) << out;
}

TEST(Redact, KeepsWhatTellsNothing) {
  EXPECT_EQ(redactor().json(R"({"max_tokens":100,"token":null,"password":true})"),
            R"({"max_tokens":100,"token":null,"password":true})");
}

// C11: a hash instead of the value, keyed, so that guessing needs the installation's key.
TEST(Redact, EqualSecretsHaveEqualDigestsOnlyUnderOneKey) {
  const std::string json = R"({"token":"t"})";
  EXPECT_EQ(redactor().json(json), redactor().json(json));
  EXPECT_NE(redactor().json(json), redactor().json(R"({"token":"u"})"));
  EXPECT_NE(redactor().json(json), Redactor(Secret(std::string(32, 'l'))).json(json));
}

TEST(Redact, CutsLongStringsBetweenCharacters) {
  RedactLimits limits;
  limits.string_bytes_max = 10;
  for (const std::string unit : {"a", "\\n", "\\u00e9", "\\ud83d\\ude00", "\xC3\xA9", "\xF0\x9F\x98\x80"}) {
    std::string text = "x";
    while (text.size() < 40) text += unit;
    const std::string out = redactor(limits).json("[\"" + text + "\"]");
    EXPECT_TRUE(valid_utf8(out)) << out;
    EXPECT_NE(out.find("[cut:"), std::string::npos) << out;
    EXPECT_EQ(out.find("\\ud83d["), std::string::npos) << out;
    EXPECT_EQ(skip_string(out, 1), out.size() - 1) << out;
  }
}

TEST(Redact, BoundsItsOutputAndDepth) {
  EXPECT_TRUE(redactor().json("[" + std::string(20000, '1') + "]").size() < 20000);
  std::string wide = "[1";
  for (int i = 0; i < 50000; ++i) wide += ",1";
  EXPECT_TRUE(redactor().json(wide + "]").starts_with("{\"_cut\":"));
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  EXPECT_LT(redactor().json(deep).size(), 300U);
}

TEST(Redact, NeverLetsALineBreakThrough) {
  for (const std::string json : {"{\"a\":\n1}", "{\"a\":\"\n\"}", "{\"a\":\"\\\n\"}", "\n", "{\"a\nb\":1}", "{\"a\":1}\n{}"}) {
    EXPECT_EQ(redactor().json(json).find('\n'), std::string::npos) << json;
  }
  EXPECT_EQ(redactor().json("{\"a\": [1 , 2]\r\n}"), "{\"a\":[1,2]}");
  EXPECT_TRUE(redactor().json("\"\xFF\"").starts_with("{\"_unreadable\""));
}

TEST(Redact, QueriesLoseTheirSecrets) {  // C11: S1 logged tokens of the query string
  EXPECT_EQ(redactor().query("a=1&b=2"), "a=1&b=2");
  const std::string out = redactor().query("x=1&access_token=hunter2;api%5Fkey=hunter2&%70assword=hunter2&y");
  EXPECT_EQ(out.find("hunter2"), std::string::npos) << out;
  EXPECT_TRUE(out.starts_with("x=1&access_token=[redacted:")) << out;
  EXPECT_TRUE(out.ends_with("&y")) << out;
  EXPECT_EQ(redactor().query(""), "");
}

TEST(Redact, CredentialsOfOursAreHiddenWhereverTheyStand) {
  const std::string random = "aB3-" + std::string(39, 'x');
  for (const std::string& secret :
       {"mcp_" + random, "mcpr_" + random, "eyJ" + random + ".eyJ" + random + "." + random}) {
    EXPECT_TRUE(is_credential(secret));
    for (const std::string& out : {redactor().json("{\"text\":[\"" + secret + "\"]}"), redactor().query("q=" + secret),
                                   redactor().path("/users/" + secret), redactor().path("/" + secret + "/x")}) {
      EXPECT_EQ(out.find(secret), std::string::npos) << out;
      EXPECT_NE(out.find("[redacted:"), std::string::npos) << out;
    }
    EXPECT_EQ(redactor().json("\"" + secret + "\"").back(), '"');
    EXPECT_TRUE(redactor().path("/" + secret + "/x").ends_with("]/x"));
  }
  for (const char* name : {"", "mcp_server_list_tools", "mcp_github_create_pull_request_review_comment_2",
                           "mcp_Server/a_tool_whose_name_is_long_enough_for_a_key"}) {
    EXPECT_FALSE(is_credential(name)) << name;
  }
  for (const std::string& path :
       {"", "/", "//a//", "/api/v1/tools/a-name-that-is-long-enough-to-be-looked-at/execute/"}) {
    EXPECT_EQ(redactor().path(path), path);
  }
}

TEST(Redact, SurvivesEveryTruncationAndFlip) {
  const std::string json = R"({"a":[1,-2.5e3,true,null,{"token":"x\u0041\\"}],"password":{"b":[]},"c":"é"})";
  for (std::size_t i = 0; i < json.size(); ++i) {
    (void)redactor().json(json.substr(0, i));
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = json;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      EXPECT_EQ(redactor().json(flipped).find('\n'), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace sallyport::audit
