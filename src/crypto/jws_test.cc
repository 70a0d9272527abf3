#include "crypto/jws.h"

#include <gtest/gtest.h>

#include "core/encoding.h"
#include "crypto/hash.h"

namespace sallyport::crypto {
namespace {

// RFC 7515 A.1.
constexpr std::string_view kKey =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
constexpr std::string_view kToken =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
constexpr std::string_view kHeader = "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}";
constexpr std::string_view kPayload =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

class Jws : public ::testing::Test {
 protected:
  std::vector<std::byte> secret_ = base64url_decode(kKey).value();
  JwsKey key_ = JwsKey::from_secret(secret_).value();
  [[nodiscard]] bool accepts(std::string_view token) const { return jws_verify(key_, token).has_value(); }
};

TEST_F(Jws, SignsAndVerifiesTheExampleOfRfc7515) {
  EXPECT_EQ(jws_sign(key_, kHeader, kPayload).value(), kToken);
  const auto content = jws_verify(key_, kToken);
  ASSERT_TRUE(content.has_value());
  EXPECT_EQ(content->header, kHeader);
  EXPECT_EQ(content->payload, kPayload);
}

TEST_F(Jws, RefusesEveryTruncation) {
  for (std::size_t size = 0; size < kToken.size(); ++size) EXPECT_FALSE(accepts(kToken.substr(0, size))) << size;
  for (std::size_t cut = 1; cut < kToken.size(); ++cut) EXPECT_FALSE(accepts(kToken.substr(cut))) << cut;
}

TEST_F(Jws, RefusesEveryChangedCharacter) {
  for (std::size_t at = 0; at < kToken.size(); ++at) {
    for (const char c : {'A', 'z', '-', '.', '=', ' ', '\n'}) {
      std::string changed(kToken);
      if (changed[at] == c) continue;
      changed[at] = c;
      EXPECT_FALSE(accepts(changed)) << at << c;
    }
  }
}

TEST_F(Jws, RefusesWhitespaceAndPaddingInBase64) {
  const std::string token(kToken);
  for (const std::string& bad :
       {" " + token, token + " ", token + "\n", token + "=", token.substr(0, 41) + "=" + token.substr(41)}) {
    EXPECT_FALSE(accepts(bad));
  }
  // Signed by the right key, yet not strict base64url: the MAC is right, the form is not.
  for (const char* head :
       {"eyJhbGciOiJIUzI1NiJ9=", "eyJhbGciOi JIUzI1NiJ9", "eyJhbGciOiJIUzI1NiK", "eyJhbGciOiJIUzI1NiJ9+", "e"}) {
    const std::string input = std::string(head) + ".e30";
    const Digest mac = hmac_sha256(secret_, input);
    EXPECT_FALSE(accepts(input + "." + base64url_encode(mac))) << head;
  }
}

// The last of 43 characters carries two spare bits: three other spellings of one signature must not pass.
TEST_F(Jws, RefusesOtherSpellingsOfTheSameSignature) {
  int accepted = 0;
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")) {
    std::string token(kToken);
    token.back() = c;
    accepted += accepts(token) ? 1 : 0;
  }
  EXPECT_EQ(accepted, 1);
}

TEST_F(Jws, RefusesAnotherKeyAndNoKey) {
  std::vector<std::byte> other = secret_;
  other[0] ^= std::byte{1};
  EXPECT_FALSE(jws_verify(JwsKey::from_secret(other).value(), kToken).has_value());
  EXPECT_EQ(JwsKey::from_secret({}).error().code, Code::crypto);
  EXPECT_EQ(JwsKey::from_secret(std::span(secret_).first(31)).error().code, Code::crypto);
}

TEST_F(Jws, RefusesOtherForms) {
  for (const char* bad : {"", ".", "..", "...", "a.b", "a.b.c.d", "a..c", ".b.c", "a.b."})
    EXPECT_FALSE(accepts(bad)) << bad;
  EXPECT_FALSE(accepts(std::string(kToken.substr(0, kToken.rfind('.') + 1)))) << "unsigned";
}

TEST_F(Jws, RefusesOver8KiBUnread) {
  const std::string huge = jws_sign(key_, kHeader, std::string(7'000, 'x')).value();
  ASSERT_GT(huge.size(), kJwsBytesMax);
  EXPECT_EQ(jws_verify(key_, huge).error().detail, "token.too_large");
}

}  // namespace
}  // namespace sallyport::crypto
