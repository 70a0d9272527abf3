// A second implementation beside libsodium: the reference that RFC 9106 describes (libargon2, tests only) is held to the
// RFC's three vectors, and ours to it. The vectors through libsodium itself: rfc9106/vectors_test.cc
// (docs/decisions/0015-argon2.md).
#include <argon2.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/encoding.h"
#include "crypto/password.h"

namespace sallyport::crypto {
namespace {

std::string derived_by_reference(argon2_type type) {
  std::vector<std::uint8_t> tag(32), password(32, 1), salt(16, 2), secret(8, 3), associated(12, 4);
  argon2_context context{};
  context.out = tag.data();
  context.outlen = static_cast<std::uint32_t>(tag.size());
  context.pwd = password.data();
  context.pwdlen = static_cast<std::uint32_t>(password.size());
  context.salt = salt.data();
  context.saltlen = static_cast<std::uint32_t>(salt.size());
  context.secret = secret.data();
  context.secretlen = static_cast<std::uint32_t>(secret.size());
  context.ad = associated.data();
  context.adlen = static_cast<std::uint32_t>(associated.size());
  context.t_cost = 3;
  context.m_cost = 32;
  context.lanes = 4;
  context.threads = 1;
  context.version = ARGON2_VERSION_13;
  const int result = argon2_ctx(&context, type);
  return result == ARGON2_OK ? hex_encode(std::as_bytes(std::span(tag))) : argon2_error_message(result);
}

TEST(Argon2Reference, Rfc9106) {
  EXPECT_EQ(derived_by_reference(Argon2_d), "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb");
  EXPECT_EQ(derived_by_reference(Argon2_i), "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8");
  EXPECT_EQ(derived_by_reference(Argon2_id), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
}

std::string random_text(std::mt19937& random, std::size_t size) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

// As crypto_pwhash_str writes it: 32 bytes of hash.
std::string encoded_by_reference(std::string_view password, std::string_view salt, std::uint32_t passes,
                                 std::uint32_t memory_kib, std::uint32_t lanes) {
  std::string text(argon2_encodedlen(passes, memory_kib, lanes, static_cast<std::uint32_t>(salt.size()), 32, Argon2_id),
                   '\0');
  const int result = argon2id_hash_encoded(passes, memory_kib, lanes, password.data(), password.size(), salt.data(),
                                           salt.size(), 32, text.data(), text.size());
  text.resize(std::char_traits<char>::length(text.c_str()));
  return result == ARGON2_OK ? text : argon2_error_message(result);
}

// PHC strings write unpadded base64 of the usual alphabet.
std::string salt_of(std::string_view hash) {
  std::string text(hash.substr(0, hash.rfind('$')));
  text.erase(0, text.rfind('$') + 1);
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return std::string(as_text(base64url_decode(text).value()));
}

struct Drawn {
  std::string password;
  std::uint32_t passes, memory_kib;
};

// Every 32nd has the cost of the product, the others what is quick.
Drawn draw(std::mt19937& random, int run) {
  const std::size_t size = run == 0 ? 0 : run == 1 ? kPasswordBytesMax : random() % 80;
  if (run % 32 == 0) return {random_text(random, size), 2, 19'456};
  const auto passes = static_cast<std::uint32_t>(1 + random() % 5);
  return {random_text(random, size), passes, static_cast<std::uint32_t>(8 + random() % 500)};
}

TEST(Argon2Reference, WritesWhatWeWrite) {
  std::mt19937 random(9106);
  for (int run = 0; run < 300; ++run) {
    const Drawn d = draw(random, run);
    const auto hash = hash_password(d.password, {.passes = d.passes, .memory_bytes = std::size_t{d.memory_kib} << 10U});
    ASSERT_TRUE(hash.has_value()) << run;
    EXPECT_EQ(encoded_by_reference(d.password, salt_of(*hash), d.passes, d.memory_kib, 1), *hash) << run;
  }
}

// A salt of 8 to 32 bytes and up to four lanes: nobody but us writes our hashes, but what is read is Argon2id in full.
TEST(Argon2Reference, WritesWhatWeVerify) {
  std::mt19937 random(6019);
  for (int run = 0; run < 300; ++run) {
    const Drawn d = draw(random, run);
    const std::uint32_t lanes = run % 10 == 1 ? 2 + random() % 3 : 1;  // a thread each, at each quarter of a pass
    const std::uint32_t memory_kib = std::max(d.memory_kib, 8 * lanes);
    const std::string hash =
        encoded_by_reference(d.password, random_text(random, 8 + random() % 25), d.passes, memory_kib, lanes);
    EXPECT_TRUE(verify_password(hash, d.password)) << run << ' ' << hash;
    EXPECT_FALSE(verify_password(hash, d.password + 'x')) << run << ' ' << hash;
  }
}

}  // namespace
}  // namespace sallyport::crypto
