// Whom a new mapping of a client certificate would let in who is there already (S2-26, S4-4).
#include "control/certificate_reach.h"

#include <gtest/gtest.h>

namespace sallyport::control {
namespace {

const std::string kFirst(64, 'a'), kSecond(64, 'b');
constexpr WallTime kNow{std::chrono::hours(24 * 400)};

IssuedCertificate issued(const std::string& serial, const std::string& fingerprint,
                         std::vector<crypto::AltName> names) {
  IssuedCertificate one;
  one.serial = serial;
  one.name = "robot";
  one.fingerprint_sha256 = fingerprint;
  one.alt_names = std::move(names);
  one.issued_by = "user:mallory";
  one.not_after = kNow + std::chrono::hours(1);
  return one;
}

class CertificateReach : public testing::Test {
 protected:
  CertificateReach() {
    index_.issued.push_back(
        issued("0a", kFirst, {{crypto::AltNameKind::email, "ada@a.example"}, {crypto::AltNameKind::dns, "x.example"}}));
  }
  Result<void> check(const std::string& name, const std::string& principal, std::vector<std::string> including = {},
                     bool by_admin = true, std::vector<std::string> shown = {}) {
    return check_reach(all_, index_, {{name, issuer_, principal}, std::move(shown), std::move(including)}, by_admin,
                       kNow);
  }
  void map(const std::string& name, const std::string& principal, const std::string& issuer = {}) {
    CertificateMapping one;
    one.id = "id-" + name;
    one.issuer = issuer;
    one.name = name;
    one.principal = principal;
    all_.put(std::make_shared<const CertificateMapping>(one));
  }

  CertificateIndex index_;
  CertificateMappings all_;
  std::string issuer_;
};

TEST_F(CertificateReach, ACertificateThatWasIssuedBeforeIsNamedOrTheMappingIsRefused) {
  const auto refused = check("email:ada@a.example", "user:ada");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_NE(refused.error().detail.find("0a (robot, issued by user:mallory)"), std::string::npos);
  EXPECT_TRUE(check("email:ada@a.example", "user:ada", {"0a"}));
  EXPECT_TRUE(check("email:other@a.example", "user:ada"));
  EXPECT_EQ(check("email:other@a.example", "user:ada", {"0a"}).error().code, Code::validation);
}

TEST_F(CertificateReach, EachOfSeveralIsNamed) {
  index_.issued.push_back(issued("0b", kSecond, {{crypto::AltNameKind::email, "ada@a.example"}}));
  EXPECT_EQ(check("email:ada@a.example", "user:ada", {"0a"}).error().code, Code::conflict);
  EXPECT_TRUE(check("email:ada@a.example", "user:ada", {"0a", "0b"}));
}

TEST_F(CertificateReach, WhatIsRevokedOrEndedOrOfAServerLetsNobodyIn) {
  index_.issued.front().revoked_at = kNow;
  EXPECT_TRUE(check("email:ada@a.example", "user:ada"));
  index_.issued.front().revoked_at.reset();
  index_.issued.front().not_after = kNow;
  EXPECT_TRUE(check("email:ada@a.example", "user:ada"));
  index_.issued.front().not_after = kNow + std::chrono::hours(1);
  index_.issued.front().kind = CertificateKind::server;
  EXPECT_TRUE(check("dns:x.example", "user:ada"));
}

// A certificate whose names stand for two is refused at the door: so a second one would lock out whose it is.
TEST_F(CertificateReach, NobodysCertificateIsMadeAmbiguous) {
  map("email:ada@a.example", "user:ada");
  EXPECT_EQ(check("dns:x.example", "user:mallory", {"0a"}).error().code, Code::conflict);
  EXPECT_EQ(check("sha256:" + kFirst, "user:mallory").error().code, Code::conflict);
  EXPECT_TRUE(check("dns:x.example", "user:ada", {"0a"}));
  EXPECT_TRUE(check("sha256:" + kFirst, "user:ada"));
  EXPECT_TRUE(check("sha256:" + kSecond, "user:mallory"));
}

TEST_F(CertificateReach, OneThatStandsForSomebodyByItsFingerprintCountsToo) {
  map("sha256:" + kFirst, "user:ada");
  EXPECT_EQ(check("dns:x.example", "user:mallory", {"0a"}).error().code, Code::conflict);
}

TEST_F(CertificateReach, OfACertificateOfAnotherAuthorityItsOwnNamesAreCompared) {
  map("email:ada@a.example", "user:ada");
  const std::string name = "sha256:" + kSecond;
  EXPECT_EQ(check(name, "user:mallory", {}, false, {name, "email:ada@a.example"}).error().code, Code::conflict);
  EXPECT_TRUE(check(name, "user:mallory", {}, false, {name, "email:mallory@a.example"}));
}

TEST_F(CertificateReach, ANameOfAnotherAuthorityReachesNoneOfOurs) {
  issuer_ = std::string(64, '1');
  EXPECT_TRUE(check("email:ada@a.example", "user:ada"));
  IssuedCertificate authority = issued("01", kSecond, {});
  authority.kind = CertificateKind::authority;
  authority.spki_sha256 = issuer_;
  index_.issued.push_back(authority);
  EXPECT_EQ(check("email:ada@a.example", "user:ada").error().code, Code::conflict) << "it is ours";
  map("dns:x.example", "user:mallory", std::string(64, '2'));
  EXPECT_TRUE(check("email:ada@a.example", "user:ada", {"0a"})) << "that name is not of our authority";
}

TEST_F(CertificateReach, TheSameNameOfWhicheverAuthorityIsTheSame) {
  map("dns:y.example", "user:ada", std::string(64, '1'));
  EXPECT_EQ(check("dns:y.example", "user:mallory").error().code, Code::conflict);
  EXPECT_TRUE(check("dns:y.example", "user:ada"));
  issuer_ = std::string(64, '2');
  EXPECT_TRUE(check("dns:y.example", "user:mallory"));
}

TEST_F(CertificateReach, WhatCannotBeLookedAtIsForAdmins) {
  for (const std::string& name : {std::string("dns:laptop.example"), "sha256:" + kSecond}) {
    EXPECT_EQ(check(name, "user:mallory", {}, false).error().code, Code::access_denied) << name;
    EXPECT_TRUE(check(name, "user:mallory")) << name;
  }
  EXPECT_TRUE(check("sha256:" + kFirst, "user:mallory", {}, false)) << "it is in the index";
}

}  // namespace
}  // namespace sallyport::control
