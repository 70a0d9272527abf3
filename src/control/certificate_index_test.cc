#include "control/certificate_index.h"

#include <gtest/gtest.h>

namespace sallyport::control {
namespace {

CertificateIndex sample() {
  CertificateIndex index;
  index.crl_number = 7;
  index.crl_update = WallTime(std::chrono::microseconds(1));
  index.crl_next = WallTime(std::chrono::microseconds(2));
  for (const auto kind : {CertificateKind::authority, CertificateKind::server, CertificateKind::client}) {
    IssuedCertificate one;
    one.serial = "0a" + std::to_string(static_cast<int>(kind));
    one.kind = kind;
    one.name = "a \"name\"\n";
    one.alt_names = {{crypto::AltNameKind::dns, "a.example"}, {crypto::AltNameKind::uri, "urn:a:b"}};
    one.user_id = "u";
    one.key_type = crypto::CertificateKeyType::rsa_3072;
    one.fingerprint_sha256 = "f";
    one.spki_sha256 = "s";
    one.issued_at = WallTime(std::chrono::seconds(5));
    one.not_after = WallTime(std::chrono::seconds(9));
    one.renew_at = WallTime(std::chrono::microseconds(8));
    one.issued_by = "system";
    one.replaced_by = "0b";
    one.foreign = kind == CertificateKind::server;
    one.in_use = kind != CertificateKind::client;
    if (kind == CertificateKind::client) {
      one.revoked_at = WallTime(std::chrono::seconds(6));
      one.reason = crypto::RevocationReason::privilege_withdrawn;
    }
    index.issued.push_back(one);
  }
  return index;
}

TEST(CertificateIndex, ComesBackAsItWas) {
  const auto read = read_index(write_index(sample()));
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(*read, sample());
  EXPECT_EQ(read_index(write_index({})), CertificateIndex{});
}

// A member that is missing is damage, not a default: a revocation that is read as none would let somebody in.
TEST(CertificateIndex, NothingIsGuessed) {
  const std::string good = write_index(sample());
  for (const std::string_view member :
       {"serial", "kind", "name", "user", "key", "fingerprint", "issued_at", "not_after", "alt_names", "renew_at",
        "replaced_by", "in_use", "foreign", "reason", "revoked_at", "crl_number", "issued"}) {
    std::string bad = good;
    const auto at = bad.find("\"" + std::string(member) + "\"");
    ASSERT_NE(at, std::string::npos) << member;
    bad[at + 1] = '_';
    EXPECT_EQ(read_index(bad).error().code, Code::config) << member;
  }
  EXPECT_FALSE(read_index(""));
  EXPECT_FALSE(read_index("[]"));
  EXPECT_FALSE(read_index("{}"));
}

}  // namespace
}  // namespace sallyport::control
