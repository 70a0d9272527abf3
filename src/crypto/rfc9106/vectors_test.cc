// RFC 9106 5.2 and 5.3: the vectors of Argon2i and Argon2id through libsodium's own Argon2, which is what crypto/password runs.
// They have a secret, associated data and four lanes; crypto_pwhash() has a place for none of these, the function below it
// has. The shared library hides that function, the archive of the same Debian package (libsodium-dev) does not: this program
// alone links the archive, and holds it to the shared library. Argon2d is not in libsodium (docs/decisions/0015-argon2.md).
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sodium.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace {

// libsodium 1.0.18, src/libsodium/crypto_pwhash/argon2/argon2.h (ISC): the interface that its crypto_pwhash() calls.
struct Argon2Context {
  std::uint8_t* out;
  std::uint32_t outlen;
  std::uint8_t* pwd;
  std::uint32_t pwdlen;
  std::uint8_t* salt;
  std::uint32_t saltlen;
  std::uint8_t* secret;
  std::uint32_t secretlen;
  std::uint8_t* ad;
  std::uint32_t adlen;
  std::uint32_t t_cost, m_cost, lanes, threads, flags;
};
constexpr int kArgon2i = 1, kArgon2id = 2;
extern "C" int argon2_ctx(Argon2Context* context, int type);

using Bytes = std::vector<std::uint8_t>;

struct Question {
  Bytes password, salt, secret, associated;
  std::uint32_t passes, memory_kib, lanes;
};

std::string hex(const Bytes& bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  text.pop_back();
  return text;
}

std::string derived(Question q, int type) {
  Bytes tag(32);
  Argon2Context context{tag.data(),
                        32,
                        q.password.data(),
                        static_cast<std::uint32_t>(q.password.size()),
                        q.salt.data(),
                        static_cast<std::uint32_t>(q.salt.size()),
                        q.secret.data(),
                        static_cast<std::uint32_t>(q.secret.size()),
                        q.associated.data(),
                        static_cast<std::uint32_t>(q.associated.size()),
                        q.passes,
                        q.memory_kib,
                        q.lanes,
                        1,
                        0};
  const int result = argon2_ctx(&context, type);
  return result == 0 ? hex(tag) : "error " + std::to_string(result);
}

class Rfc9106 : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_GE(sodium_init(), 0); }
  const Question printed_{Bytes(32, 1), Bytes(16, 2), Bytes(8, 3), Bytes(12, 4), 3, 32, 4};
};

TEST_F(Rfc9106, Argon2iOf52) {
  EXPECT_EQ(derived(printed_, kArgon2i), "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8");
}

TEST_F(Rfc9106, Argon2idOf53) {
  EXPECT_EQ(derived(printed_, kArgon2id), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
}

// What the vectors say of the archive they say of the shared library, which the product loads: the same version, and the
// same bytes of the function that crypto/password calls, at the product's cost and at small ones.
TEST_F(Rfc9106, TheSharedLibraryDerivesTheSame) {
  void* shared = dlopen("libsodium.so.23", RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(shared, nullptr) << dlerror();
  const auto version = reinterpret_cast<decltype(&sodium_version_string)>(dlsym(shared, "sodium_version_string"));
  const auto start = reinterpret_cast<decltype(&sodium_init)>(dlsym(shared, "sodium_init"));
  const auto derive = reinterpret_cast<decltype(&crypto_pwhash)>(dlsym(shared, "crypto_pwhash"));
  ASSERT_TRUE(version != nullptr && start != nullptr && derive != nullptr && derive != &crypto_pwhash);
  EXPECT_STREQ(version(), sodium_version_string());
  ASSERT_GE(start(), 0);
  for (const auto& [passes, memory_kib] :
       std::array<std::array<std::uint32_t, 2>, 4>{{{2, 19'456}, {1, 8}, {3, 32}, {5, 507}}}) {
    const Question q{Bytes(32, 1), Bytes(16, 2), {}, {}, passes, memory_kib, 1};
    Bytes tag(32);
    ASSERT_EQ(derive(tag.data(), tag.size(), reinterpret_cast<const char*>(q.password.data()), q.password.size(),
                     q.salt.data(), passes, std::size_t{memory_kib} << 10U, crypto_pwhash_ALG_ARGON2ID13),
              0);
    EXPECT_EQ(hex(tag), derived(q, kArgon2id)) << passes << ' ' << memory_kib;
  }
  dlclose(shared);
}

}  // namespace
