// C2SP/wycheproof over module crypto. It stands here because it needs json, which crypto may not include.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/encoding.h"
#include "crypto/aead.h"
#include "crypto/ecdsa_form.h"
#include "crypto/hash.h"
#include "crypto/jws_key.h"
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

class Wycheproof : public ::testing::Test {
 protected:
  // Runs `accepts(group, test)` over each case; "valid" must pass, "invalid" must not, "acceptable" may.
  template <class Fn>
  void run(const std::string& file, Fn accepts) {
    if (!std::filesystem::exists(kArchive))
      GTEST_SKIP() << "../shared/data/wycheproof-subset.tar.gz is not beside the clone";
    const auto document = json::read(unpacked(file));
    ASSERT_TRUE(document.has_value()) << document.error().detail;
    int cases = 0;
    for (const json::Value group : document->root().find("testGroups")->elements()) {
      for (const json::Value test : group.find("tests")->elements()) {
        const std::string_view result = test.string_at("result").value();
        const std::optional<bool> accepted = accepts(group, test);
        if (!accepted) continue;
        ++cases;
        if (result != "acceptable") EXPECT_EQ(*accepted, result == "valid") << file << test.raw();
      }
    }
    EXPECT_GT(cases, 20);
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

TEST_F(Wycheproof, AesGcm) {
  run("aes_gcm_test.json", [](json::Value group, json::Value test) -> std::optional<bool> {
    // Ours is AES-256 with a nonce of 96 bits and a tag of 128.
    if (group.find("keySize")->as_int64() != 256 || group.find("ivSize")->as_int64() != 96) return std::nullopt;
    if (group.find("tagSize")->as_int64() != 128) return std::nullopt;
    const std::string key = hex(test, "key");
    const std::string sealed = hex(test, "iv") + hex(test, "ct") + hex(test, "tag");
    const auto opened = open(as_bytes(key), sealed, hex(test, "aad"));
    if (!opened) return false;
    FixedRandom nonce(hex(test, "iv"));
    EXPECT_EQ(seal(as_bytes(key), hex(test, "msg"), hex(test, "aad"), nonce).value(), sealed);
    return *opened == hex(test, "msg");
  });
}

TEST_F(Wycheproof, Ed25519) {
  run("ed25519_test.json", [](json::Value group, json::Value test) -> std::optional<bool> {
    const auto holder = group.find("publicKey") ? group.find("publicKey") : group.find("key");
    const std::string text = hex(*holder, "pk");
    PublicKey key{};
    if (text.size() != key.size()) return std::nullopt;
    std::ranges::copy(as_bytes(text), key.begin());
    return verify(key, hex(test, "msg"), as_bytes(hex(test, "sig")));
  });
}

// The key as access tokens use it (crypto/jws_key.h); nothing: not one of the algorithm.
std::optional<JwsKey> jws_key(JwsAlgorithm algorithm, json::Value group) {
  for (const char* name : {"publicKeyDer", "keyDer"}) {
    if (!group.find(name)) continue;
    auto key = JwsKey::from_public(algorithm, hex(group, name));
    if (key) return std::move(*key);
  }
  return std::nullopt;
}

TEST_F(Wycheproof, Rs256AndEdDsaOfTokens) {
  for (const auto& [file, algorithm] : {std::pair("rsa_signature_2048_sha256_test.json", JwsAlgorithm::rs256),
                                        std::pair("ed25519_test.json", JwsAlgorithm::eddsa)}) {
    run(file, [algorithm](json::Value group, json::Value test) -> std::optional<bool> {
      const auto key = jws_key(algorithm, group);
      if (!key) return std::nullopt;
      return key->verify(hex(test, "msg"), hex(test, "sig"));
    });
  }
}

// Its signatures are DER, ours are r || s: only what has one form in both can be compared.
TEST_F(Wycheproof, Es256OfTokens) {
  run("ecdsa_secp256r1_sha256_test.json", [](json::Value group, json::Value test) -> std::optional<bool> {
    const auto key = jws_key(JwsAlgorithm::es256, group);
    const std::string der = hex(test, "sig");
    const auto raw = ecdsa_raw(der, 32);
    if (!key || !raw || ecdsa_der(*raw, 32) != der) return std::nullopt;
    return key->verify(hex(test, "msg"), *raw);
  });
}

TEST_F(Wycheproof, HmacSha256) {
  run("hmac_sha256_test.json", [](json::Value group, json::Value test) -> std::optional<bool> {
    if (group.find("tagSize")->as_int64() != 256) return std::nullopt;
    const std::string key = hex(test, "key");
    return as_text(hmac_sha256(as_bytes(key), hex(test, "msg"))) == hex(test, "tag");
  });
}

TEST_F(Wycheproof, HkdfSha256) {
  run("hkdf_sha256_test.json", [](json::Value, json::Value test) -> std::optional<bool> {
    const auto size = static_cast<std::size_t>(test.find("size")->as_int64().value());
    if (size == 0 || size > 8160) return std::nullopt;  // ends the process (HashDeathTest)
    const std::string key = hex(test, "ikm");
    const std::string salt = hex(test, "salt");
    return hkdf_sha256(as_bytes(key), as_bytes(salt), hex(test, "info"), size).reveal() == hex(test, "okm");
  });
}

}  // namespace
}  // namespace sallyport::crypto
