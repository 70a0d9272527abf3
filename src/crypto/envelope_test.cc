#include "crypto/envelope.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/encoding.h"
#include "crypto/aead.h"
#include "crypto/rsa_key_test_support.h"

namespace sallyport::crypto {
namespace {

constexpr std::string_view kSubject = "vault:github-token";

std::string text_of(std::string_view part) { return std::string(as_text(base64url_decode(part).value())); }

class Envelope : public ::testing::Test {
 protected:
  [[nodiscard]] std::string opened(std::string_view envelope, std::string_view subject = kSubject) {
    const auto plain = open_envelope(key_, subject, envelope, random_);
    return plain ? std::string(plain->reveal()) : plain.error().detail;
  }

  SystemRandom random_;
  RsaKey key_ = RsaKey::from_private_pem(testing::kRsaPrivatePem).value();
  RsaKey public_ = RsaKey::from_public_pem(testing::kRsaPublicPem).value();
  std::string envelope_ = seal_envelope(public_, kSubject, "s3cret", random_).value();
  const std::string refused_ = "an envelope does not open";
};

TEST_F(Envelope, OpensWhatWasSealed) {
  EXPECT_EQ(opened(envelope_), "s3cret");
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kEnvelopePlainBytesMax}) {
    const std::string plain(size, 'x');
    const std::string envelope = seal_envelope(public_, kSubject, plain, random_).value();
    EXPECT_LE(envelope.size(), kEnvelopeBytesMax);
    EXPECT_EQ(opened(envelope), plain);
  }
}

TEST_F(Envelope, OpensWhatWebCryptoSealed) {
  EXPECT_EQ(opened(testing::kEnvelopeOfWebCrypto), "a secret made in a browser");
}

TEST_F(Envelope, HasAHeaderOfExactlyTheseBytes) {
  EXPECT_EQ(text_of(envelope_.substr(0, envelope_.find('.'))),
            R"({"alg":"RSA-OAEP-256","enc":"A256GCM","kid":")" + key_.key_id() + R"(","sub":"vault:github-token"})");
  EXPECT_EQ(envelope_key_id(envelope_), key_.key_id());
  EXPECT_EQ(envelope_key_id(testing::kEnvelopeOfWebCrypto), key_.key_id());
}

TEST_F(Envelope, TakesAFreshKeyAndNonceEachTime) {
  std::set<std::string> parts;
  for (int i = 0; i < 20; ++i) {
    const std::string envelope = seal_envelope(public_, kSubject, "s3cret", random_).value();
    const std::size_t from = envelope.find('.') + 1;
    const std::size_t nonce = envelope.find('.', from) + 1;
    parts.insert(envelope.substr(from, nonce - from));
    parts.insert(envelope.substr(nonce, 16));
  }
  EXPECT_EQ(parts.size(), 40U);
}

TEST_F(Envelope, OpensForItsSubjectAndKeyAlone) {
  EXPECT_EQ(opened(envelope_, "vault:other"), refused_);
  const RsaKey other = RsaKey::generate(2048).value();
  const auto elsewhere = open_envelope(other, kSubject, envelope_, random_);
  ASSERT_FALSE(elsewhere.has_value());
  EXPECT_EQ(elsewhere.error().detail, refused_);
  EXPECT_FALSE(open_envelope(public_, kSubject, envelope_, random_).has_value()) << "by the public half";
}

// One character of each part and its neighbours, the dots included.
TEST_F(Envelope, OpensUnchangedAlone) {
  int changes = 0;
  for (std::size_t at = 0; at < envelope_.size(); at += 3) {
    for (const char c : {'A', '-', '.', '=', ' '}) {
      if (envelope_[at] == c) continue;
      std::string changed = envelope_;
      changed[at] = c;
      EXPECT_EQ(opened(changed), refused_) << at << c;
      ++changes;
    }
  }
  EXPECT_GT(changes, 800);
}

TEST_F(Envelope, PartsOfTwoEnvelopesDoNotMix) {
  const std::string other = seal_envelope(public_, "vault:other", "other", random_).value();
  const auto swapped = [&](int part) {
    std::size_t from = 0;
    std::size_t from_other = 0;
    for (int i = 0; i < part; ++i) {
      from = envelope_.find('.', from) + 1;
      from_other = other.find('.', from_other) + 1;
    }
    const std::size_t to = std::min(envelope_.find('.', from), envelope_.size());
    const std::size_t to_other = std::min(other.find('.', from_other), other.size());
    return envelope_.substr(0, from) + other.substr(from_other, to_other - from_other) + envelope_.substr(to);
  };
  for (int part = 0; part < 5; ++part) {
    EXPECT_EQ(opened(swapped(part)), refused_) << part;
    EXPECT_EQ(opened(swapped(part), "vault:other"), refused_) << part;
  }
}

// A whole JWE by another hand: everything in order but for what the test changes.
std::string sealed_under(const RsaKey& key, std::string_view header_text, std::string_view data_key,
                         std::string_view label, Random& random) {
  const std::string header = base64url_encode(as_bytes(header_text));
  std::string aes_key(data_key);
  aes_key.resize(kAeadKeyBytes);
  const std::string wrapped = key.wrap(as_bytes(data_key), label).value();
  const std::string sealed = seal(as_bytes(aes_key), "s3cret", header, random).value();
  const auto part = [&](std::size_t from, std::size_t size) {
    return "." + base64url_encode(as_bytes(sealed.substr(from, size)));
  };
  return header + "." + base64url_encode(as_bytes(wrapped)) + part(0, 12) + part(12, 6) + part(18, 16);
}

TEST_F(Envelope, TheSenderChoosesNoHeader) {
  const std::string data_key(32, 'k');
  const std::string kid = R"("kid":")" + key_.key_id() + R"(")";
  const std::string sub = R"(,"sub":"vault:github-token"})";
  const auto outcome = [&](const std::string& header) {
    return opened(sealed_under(public_, header, data_key, "", random_));
  };
  EXPECT_EQ(outcome(R"({"alg":"RSA-OAEP-256","enc":"A256GCM",)" + kid + sub), "s3cret");
  for (const std::string& header :
       {R"({"alg":"RSA1_5","enc":"A256GCM",)" + kid + sub, R"({"alg":"dir","enc":"A256GCM",)" + kid + sub,
        R"({"alg":"RSA-OAEP-256","enc":"A128GCM",)" + kid + sub,
        R"({"enc":"A256GCM","alg":"RSA-OAEP-256",)" + kid + sub,
        R"({"alg":"RSA-OAEP-256","enc":"A256GCM","zip":"DEF",)" + kid + sub,
        R"({"alg":"RSA-OAEP-256", "enc":"A256GCM",)" + kid + sub,
        R"({"alg":"RSA-OAEP-256","enc":"A256GCM",)" + kid + "}",
        R"({"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"other")" + sub, std::string("{}"), std::string()}) {
    EXPECT_EQ(outcome(header), refused_) << header;
  }
}

TEST_F(Envelope, TheDataKeyHas32BytesAndNoLabel) {
  const std::string header =
      R"({"alg":"RSA-OAEP-256","enc":"A256GCM","kid":")" + key_.key_id() + R"(","sub":"vault:github-token"})";
  EXPECT_EQ(opened(sealed_under(public_, header, std::string(32, 'k'), "", random_)), "s3cret");
  EXPECT_EQ(opened(sealed_under(public_, header, std::string(32, 'k'), "label", random_)), refused_);
  for (const std::size_t size : {0U, 16U, 31U, 33U}) {
    EXPECT_EQ(opened(sealed_under(public_, header, std::string(size, 'k'), "", random_)), refused_) << size;
  }
}

TEST_F(Envelope, RefusesOtherFormsAndSizes) {
  for (const std::string& bad :
       {std::string(), std::string("...."), std::string("....."), envelope_ + ".", envelope_ + ".x", "." + envelope_,
        envelope_.substr(0, envelope_.rfind('.')), envelope_ + "=", envelope_ + "\n"}) {
    EXPECT_EQ(opened(bad), refused_) << bad;
    EXPECT_FALSE(open_envelope(key_, kSubject, bad, random_).has_value());
  }
  EXPECT_EQ(open_envelope(key_, kSubject, std::string(kEnvelopeBytesMax + 1, 'A'), random_).error().code, Code::limit);
  EXPECT_EQ(seal_envelope(key_, kSubject, std::string(kEnvelopePlainBytesMax + 1, 'x'), random_).error().code,
            Code::limit);
}

TEST_F(Envelope, ASubjectCannotWriteTheHeader) {
  for (const std::string& bad :
       {std::string(), std::string(R"(x","zip":"DEF)"), std::string("a\\u0022"), std::string("a\nb"),
        std::string("caf\xc3\xa9"), std::string(257, 'x'), std::string(1, '\0')}) {
    EXPECT_EQ(seal_envelope(key_, bad, "x", random_).error().code, Code::config) << bad;
    EXPECT_EQ(open_envelope(key_, bad, envelope_, random_).error().code, Code::config) << bad;
  }
  EXPECT_TRUE(seal_envelope(key_, std::string(256, 'x'), "x", random_).has_value());
}

TEST_F(Envelope, NamesNoKeyWhereItIsNone) {
  const std::string short_header =
      base64url_encode(as_bytes(R"({"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"short","sub":"x"})"));
  const std::string head_alone = base64url_encode(as_bytes(R"({"alg":"RSA-OAEP-256","enc":"A256GCM","kid":")"));
  for (const std::string& bad : {std::string(), std::string("...."), std::string("e30...."), std::string("!!!!...."),
                                 short_header + "....", head_alone + "....", std::string(kEnvelopeBytesMax + 1, '.')}) {
    EXPECT_EQ(envelope_key_id(bad), std::nullopt) << bad.substr(0, 60);
  }
}

}  // namespace
}  // namespace sallyport::crypto
