// C2SP/wycheproof over module crypto: every invalid vector is refused; a valid one is accepted, or it lies outside our
// parameters, is refused as well and counted. It stands here because it needs json, which crypto may not include.
// aes_kwp_test.json is left out: keys are wrapped by AES-256-GCM with additional data that name them (RFC 5649 has no place
// for those), so there is no AES-KWP of ours to run it through.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "core/encoding.h"
#include "crypto/aead.h"
#include "crypto/ecdsa_form.h"
#include "crypto/hash.h"
#include "crypto/jws_key.h"
#include "crypto/rsa_key.h"
#include "crypto/signature.h"
#include "json/document.h"

namespace sallyport::crypto {
namespace {

const std::string kArchive = SALLYPORT_SOURCE_DIR "/../shared/data/wycheproof-subset.tar.gz";

std::string unpacked(const std::string& name) {
  const std::string command = "tar xzOf '" + kArchive + "' --wildcards '*" + name + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), &::pclose);
  std::string out;
  char buffer[65'536];
  for (std::size_t n = 0; pipe && (n = std::fread(buffer, 1, sizeof buffer, pipe.get())) > 0;) out.append(buffer, n);
  return out;
}

std::string hex(json::Value test, std::string_view name) {
  const auto bytes = hex_decode(test.string_at(name).value_or(""));
  return bytes ? std::string(as_text(*bytes)) : "not hex";
}

struct Counts {
  int accepted = 0;  // valid
  int outside = 0;  // valid, but not with our parameters: refused
  int refused = 0;  // invalid
  int acceptable = 0;  // left to us by the suite
  bool operator==(const Counts&) const = default;
};
void PrintTo(const Counts& counts, std::ostream* out) {
  *out << "accepted " << counts.accepted << ", outside " << counts.outside << ", refused " << counts.refused
       << ", acceptable " << counts.acceptable;
}

bool never(json::Value, json::Value) { return false; }

class Wycheproof : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kArchive))
      GTEST_SKIP() << "../shared/data/wycheproof-subset.tar.gz is not beside the clone";
  }

  // Runs `accepts(group, test)` over each case. `is_outside(group, test)`: whether a valid one has other parameters.
  template <class Accepts, class Outside = bool (*)(json::Value, json::Value)>
  Counts run(const std::string& file, Accepts accepts, Outside is_outside = &never) {
    Counts counts;
    const auto document = json::read(unpacked(file));
    EXPECT_TRUE(document.has_value()) << file;
    if (!document) return counts;
    for (const json::Value group : document->root().find("testGroups")->elements()) {
      for (const json::Value test : group.find("tests")->elements()) {
        const std::string_view result = test.string_at("result").value();
        const bool accepted = accepts(group, test);
        if (result == "acceptable") {
          ++counts.acceptable;
          continue;
        }
        const bool outside = result == "valid" && is_outside(group, test);
        EXPECT_EQ(accepted, result == "valid" && !outside) << file << test.raw();
        ++(outside ? counts.outside : result == "valid" ? counts.accepted : counts.refused);
      }
    }
    std::printf("%s: accepted %d, outside our parameters %d, refused %d, acceptable %d\n", file.c_str(),
                counts.accepted, counts.outside, counts.refused, counts.acceptable);
    return counts;
  }
};

class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::string value) : value_(std::move(value)) {}
  void fill(std::span<std::byte> out) noexcept override {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(value_[i]);
  }

 private:
  std::string value_;
};

// Ours is AES-256 with a nonce of 96 bits and a tag of 128.
TEST_F(Wycheproof, AesGcm) {
  const auto accepts = [](json::Value, json::Value test) {
    const std::string key = hex(test, "key");
    const std::string sealed = hex(test, "iv") + hex(test, "ct") + hex(test, "tag");
    const auto opened = open(as_bytes(key), sealed, hex(test, "aad"));
    if (!opened) return false;
    FixedRandom nonce(hex(test, "iv"));
    EXPECT_EQ(seal(as_bytes(key), hex(test, "msg"), hex(test, "aad"), nonce).value(), sealed);
    return *opened == hex(test, "msg");
  };
  const auto is_outside = [](json::Value group, json::Value) {
    return group.find("keySize")->as_int64() != 256 || group.find("ivSize")->as_int64() != 96;
  };
  EXPECT_EQ(run("aes_gcm_test.json", accepts, is_outside), (Counts{.accepted = 39, .outside = 190, .refused = 87}));
}

TEST_F(Wycheproof, Ed25519) {
  const auto accepts = [](json::Value group, json::Value test) {
    const std::string text = hex(*group.find("publicKey"), "pk");
    PublicKey key{};
    if (text.size() != key.size()) return false;
    std::ranges::copy(as_bytes(text), key.begin());
    return verify(key, hex(test, "msg"), as_bytes(hex(test, "sig")));
  };
  EXPECT_EQ(run("ed25519_test.json", accepts), (Counts{.accepted = 88, .refused = 63}));
}

// The key as access tokens use it (crypto/jws_key.h); nothing: not one of the algorithm.
std::optional<JwsKey> jws_key(JwsAlgorithm algorithm, json::Value group) {
  auto key = JwsKey::from_public(algorithm, hex(group, "publicKeyDer"));
  if (!key) return std::nullopt;
  return std::move(*key);
}

auto verifies_by(JwsAlgorithm algorithm) {
  return [algorithm](json::Value group, json::Value test) {
    const auto key = jws_key(algorithm, group);
    return key && key->verify(hex(test, "msg"), hex(test, "sig"));
  };
}

TEST_F(Wycheproof, EdDsaOfTokens) {
  EXPECT_EQ(run("ed25519_test.json", verifies_by(JwsAlgorithm::eddsa)), (Counts{.accepted = 88, .refused = 63}));
}

TEST_F(Wycheproof, Rs256OfTokens) {
  EXPECT_EQ(run("rsa_signature_2048_sha256_test.json", verifies_by(JwsAlgorithm::rs256)),
            (Counts{.accepted = 9, .refused = 249, .acceptable = 1}));
}

// Tokens have no PS256: a PSS signature, valid or not, is none of RS256. One of the suite's wrong ones is an RS256 signature.
TEST_F(Wycheproof, Rs256TakesNoPssSignature) {
  const auto always = [](json::Value, json::Value) { return true; };
  const auto accepts = [](json::Value group, json::Value test) {
    const bool ours = test.string_at("comment") == "PKCS #1 v1.5 signature with SHA-256";
    return verifies_by(JwsAlgorithm::rs256)(group, test) != ours;
  };
  EXPECT_EQ(run("rsa_pss_2048_sha256_mgf1_32_test.json", accepts, always), (Counts{.outside = 63, .refused = 45}));
}

// Its signatures are DER, ours are r || s: what has not one form in both is refused before the key is asked.
TEST_F(Wycheproof, Es256OfTokens) {
  const auto accepts = [](json::Value group, json::Value test) {
    const auto key = jws_key(JwsAlgorithm::es256, group);
    const std::string der = hex(test, "sig");
    const auto raw = ecdsa_raw(der, 32);
    return key && raw && ecdsa_der(*raw, 32) == der && key->verify(hex(test, "msg"), *raw);
  };
  EXPECT_EQ(run("ecdsa_secp256r1_sha256_test.json", accepts), (Counts{.accepted = 174, .refused = 310}));
}

// Ours is never cut: a tag of 128 bits is none.
TEST_F(Wycheproof, HmacSha256) {
  const auto accepts = [](json::Value, json::Value test) {
    const std::string key = hex(test, "key");
    return as_text(hmac_sha256(as_bytes(key), hex(test, "msg"))) == hex(test, "tag");
  };
  const auto is_outside = [](json::Value group, json::Value) { return group.find("tagSize")->as_int64() != 256; };
  EXPECT_EQ(run("hmac_sha256_test.json", accepts, is_outside), (Counts{.accepted = 33, .outside = 33, .refused = 108}));
}

// A length that RFC 5869 does not know ends the process (HashDeathTest).
template <class Hkdf>
auto derives_by(Hkdf hkdf, std::size_t longest) {
  return [hkdf, longest](json::Value, json::Value test) {
    const auto size = static_cast<std::size_t>(test.find("size")->as_int64().value());
    if (size == 0 || size > longest) return false;
    const std::string key = hex(test, "ikm");
    const std::string salt = hex(test, "salt");
    return hkdf(as_bytes(key), as_bytes(salt), hex(test, "info"), size).reveal() == hex(test, "okm");
  };
}

TEST_F(Wycheproof, Hkdf) {
  EXPECT_EQ(run("hkdf_sha256_test.json", derives_by(&hkdf_sha256, 8160)), (Counts{.accepted = 83, .refused = 3}));
  EXPECT_EQ(run("hkdf_sha512_test.json", derives_by(&hkdf_sha512, 16'320)), (Counts{.accepted = 80, .refused = 3}));
}

TEST_F(Wycheproof, RsaOaep) {
  std::optional<RsaKey> key;  // of the file's one group: read once
  const auto accepts = [&key](json::Value group, json::Value test) {
    if (!key) {
      auto read = RsaKey::from_private_pem(group.string_at("privateKeyPem").value());
      EXPECT_TRUE(read.has_value()) << read.error().detail;
      if (!read) return false;
      key.emplace(std::move(*read));
      EXPECT_EQ(key->bits(), group.find("keySize")->as_int64());
    }
    const auto opened = key->unwrap(hex(test, "ct"), hex(test, "label"));
    return opened && opened->reveal() == hex(test, "msg");
  };
  for (const char* file : {"rsa_oaep_2048_sha256_mgf1sha256_test.json", "rsa_oaep_3072_sha256_mgf1sha256_test.json"}) {
    key.reset();
    EXPECT_EQ(run(file, accepts), (Counts{.accepted = 18, .refused = 19}));
  }
}

}  // namespace
}  // namespace sallyport::crypto
