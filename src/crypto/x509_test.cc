// Certificates that we make, and what others give us to read. Whether other people's programs take what we make is asked in
// tests/e2e/certs.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "crypto/x509_issue.h"

namespace sallyport::crypto {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using enum AltNameKind;

class X509 : public testing::Test {
 protected:
  CertificateKey key(CertificateKeyType type = CertificateKeyType::ec_p256) {
    auto made = CertificateKey::generate(type);
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  Validity valid(int from_days, int to_days) const { return {now_ + days(from_days), now_ + days(to_days)}; }
  Certificate authority(const CertificateKey& of) {
    auto made = make_authority(of, "Test CA", valid(0, 3650), random_);
    EXPECT_TRUE(made) << made.error().detail;
    return std::move(*made);
  }
  Leaf server(std::vector<AltName> names = {{dns, "gateway.example"}, {ip, "127.0.0.1"}}) const {
    return {LeafKind::server, "gateway.example", std::move(names), valid(0, 365)};
  }

  SystemRandom random_;
  WallTime now_{seconds(1'790'000'000)};
  CertificateKey ca_key_ = key();
  Certificate ca_ = authority(ca_key_);
};

// S2-27
TEST_F(X509, TheAuthoritySaysWhatItIs) {
  const CertificateFacts& facts = ca_.facts();
  EXPECT_TRUE(facts.is_ca);
  EXPECT_EQ(facts.subject, "CN=Test CA");
  EXPECT_EQ(facts.issuer, facts.subject);
  EXPECT_EQ(facts.common_name, "Test CA");
  EXPECT_EQ(facts.not_before, now_);
  EXPECT_EQ(facts.not_after, now_ + days(3650));
  EXPECT_EQ(facts.serial.size(), 32U);
  EXPECT_EQ(facts.key, "EC P-256");
  EXPECT_EQ(facts.spki_sha256, ca_key_.spki_sha256());
  EXPECT_TRUE(ca_.issued_by(ca_));
}

// S2-27
TEST_F(X509, AServersCertificateNamesItsHostsAndIsGoodForNothingElse) {
  const CertificateKey own = key();
  const auto made = issue(ca_, ca_key_, own, server(), random_);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_TRUE(made->facts().for_server);
  EXPECT_FALSE(made->facts().for_client);
  EXPECT_FALSE(made->facts().is_ca);
  EXPECT_EQ(made->facts().alt_names, server().alt_names);
  EXPECT_FALSE(made->facts().other_names);
  EXPECT_TRUE(made->issued_by(ca_));
  EXPECT_TRUE(made->belongs_to(own));
  EXPECT_FALSE(made->belongs_to(ca_key_));
}

// S2-26
TEST_F(X509, AClientsCertificateTakesNamesOfEveryKind) {
  const Leaf leaf{LeafKind::client,
                  "build robot",
                  {{uri, "urn:sallyport:user:u1"}, {email, "Robot@mail.example"}, {dns, "robot.example"}, {ip, "::1"}},
                  valid(0, 30)};
  const auto made = issue(ca_, ca_key_, key(), leaf, random_);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->facts().alt_names, leaf.alt_names);
  EXPECT_TRUE(made->facts().for_client);
  EXPECT_FALSE(made->facts().for_server);
}

TEST_F(X509, ALeafEndsNoLaterThanItsAuthority) {
  Leaf leaf = server();
  leaf.validity = valid(0, 9000);
  const auto made = issue(ca_, ca_key_, key(), leaf, random_);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->facts().not_after, ca_.facts().not_after);
}

TEST_F(X509, SerialsAreOf128BitsAndNeverTheSame) {
  std::set<std::string> seen;
  const CertificateKey own = key();
  for (int i = 0; i < 200; ++i) {
    const auto made = issue(ca_, ca_key_, own, server(), random_);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->facts().serial.size(), 32U);
    seen.insert(made->facts().serial);
  }
  EXPECT_EQ(seen.size(), 200U);
}

TEST_F(X509, RsaIsThereForWhoNeedsIt) {
  const CertificateKey own = key(CertificateKeyType::rsa_3072);
  const auto made = issue(ca_, ca_key_, own, server(), random_);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->facts().key, "RSA 3072");
  const auto pem = own.private_pem();
  ASSERT_TRUE(pem);
  const auto again = CertificateKey::from_pem(pem->reveal());
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(again->spki_sha256(), own.spki_sha256());
}

TEST_F(X509, NothingIsIssuedForNamesThatWereNotLookedAt) {
  for (const AltName& name : std::initializer_list<AltName>{{dns, "UPPER.example"},
                                                            {dns, "a b"},
                                                            {dns, std::string("good.example\0.evil", 18)},
                                                            {dns, "a.example,IP:10.0.0.1"},
                                                            {ip, "10.0.0.256"},
                                                            {uri, "urn:sallyport:user:u1"},
                                                            {email, "a@mail.example"}}) {
    const auto made = issue(ca_, ca_key_, key(), server({name}), random_);
    ASSERT_FALSE(made) << name.value;
    EXPECT_EQ(made.error().code, Code::validation) << name.value;
  }
  EXPECT_EQ(issue(ca_, ca_key_, key(), server({}), random_).error().code, Code::validation);
  EXPECT_EQ(issue(ca_, ca_key_, key(), server(std::vector<AltName>(101, {dns, "a.example"})), random_).error().code,
            Code::validation);
}

TEST_F(X509, AnAuthorityIsUsedWithItsOwnKeyAlone) {
  const CertificateKey other = key();
  EXPECT_EQ(issue(ca_, other, key(), server(), random_).error().code, Code::crypto);
  const CertificateKey own = key();
  const auto leaf = issue(ca_, ca_key_, own, server(), random_);
  ASSERT_TRUE(leaf);
  EXPECT_EQ(issue(*leaf, own, key(), server(), random_).error().code, Code::crypto);  // a leaf issues nothing
}

TEST_F(X509, TwoAuthoritiesOfOneNameAreToldApart) {
  const CertificateKey other_key = key();
  const Certificate other = authority(other_key);
  const auto made = issue(ca_, ca_key_, key(), server(), random_);
  ASSERT_TRUE(made);
  EXPECT_FALSE(made->issued_by(other));
}

// S2-27
TEST_F(X509, ARevocationListHoldsWhatWasRevokedAndItsSigner) {
  RevocationList list{7, now_, now_ + days(30), {}};
  for (const auto reason : {RevocationReason::unspecified, RevocationReason::key_compromise,
                            RevocationReason::affiliation_changed, RevocationReason::superseded,
                            RevocationReason::cessation_of_operation, RevocationReason::privilege_withdrawn}) {
    const auto leaf = issue(ca_, ca_key_, key(), server(), random_);
    ASSERT_TRUE(leaf);
    list.revoked.push_back({leaf->facts().serial, now_ - seconds(9), reason});
  }
  const auto pem = make_crl(ca_, ca_key_, list);
  ASSERT_TRUE(pem) << pem.error().detail;
  auto read = read_crl(*pem, ca_);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->number, 7U);
  EXPECT_EQ(read->this_update, list.this_update);
  EXPECT_EQ(read->next_update, list.next_update);
  std::ranges::sort(list.revoked, {}, &Revoked::serial);
  std::ranges::sort(read->revoked, {}, &Revoked::serial);
  EXPECT_EQ(read->revoked, list.revoked);

  const CertificateKey other_key = key();
  EXPECT_EQ(read_crl(*pem, authority(other_key)).error().code, Code::crypto);
  std::string flipped = *pem;
  const std::size_t middle = flipped.size() / 2;
  flipped[middle] = flipped[middle] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(read_crl(flipped, ca_));
}

TEST_F(X509, AnEmptyRevocationListIsOne) {
  const auto pem = make_crl(ca_, ca_key_, {1, now_, now_ + days(1), {}});
  ASSERT_TRUE(pem);
  const auto read = read_crl(*pem, ca_);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->revoked.empty());
}

TEST_F(X509, PemIsReadInOneFormOnly) {
  const std::string pem = ca_.pem();
  EXPECT_TRUE(Certificate::from_pem(pem));
  EXPECT_TRUE(Certificate::from_pem("\n" + pem + "\n \n"));
  EXPECT_EQ(Certificate::chain_from_pem(pem + pem)->size(), 2U);
  for (const std::string& bad : {std::string(), std::string("x"), "words before\n" + pem, pem + "words behind",
                                 pem.substr(0, pem.size() / 2), pem + pem.substr(0, 40), pem + pem,
                                 std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                                 std::string("-----BEGIN X509 CERTIFICATE-----\n") + pem.substr(28)}) {
    EXPECT_FALSE(Certificate::from_pem(bad)) << bad;
  }
  std::string many;
  for (int i = 0; i < 11; ++i) many += pem;
  EXPECT_FALSE(Certificate::chain_from_pem(many));
  EXPECT_EQ(Certificate::from_pem(std::string(kChainPemBytesMax + 1, 'A')).error().code, Code::limit);
}

TEST_F(X509, AKeyIsReadAsPkcs8WithoutAPasswordAlone) {
  const auto pem = ca_key_.private_pem();
  ASSERT_TRUE(pem);
  EXPECT_EQ(CertificateKey::from_pem(pem->reveal())->spki_sha256(), ca_key_.spki_sha256());
  const std::string text(pem->reveal());
  EXPECT_FALSE(CertificateKey::from_pem(text + text));
  EXPECT_FALSE(CertificateKey::from_pem(ca_.pem()));
  EXPECT_FALSE(CertificateKey::from_pem(text.substr(0, text.size() - 40)));
  EXPECT_EQ(CertificateKey::from_pem(std::string(kKeyPemBytesMax + 1, 'A')).error().code, Code::limit);
}

TEST_F(X509, Pkcs12NeedsAPasswordWorthTheName) {
  const CertificateKey own = key();
  const auto leaf = issue(ca_, ca_key_, own, server(), random_);
  ASSERT_TRUE(leaf);
  const std::vector<Certificate> none;
  EXPECT_EQ(make_pkcs12(own, *leaf, none, "x", Secret("short")).error().code, Code::validation);
  EXPECT_EQ(make_pkcs12(own, *leaf, none, "x", Secret(std::string("\0aaaaaaaa", 9))).error().code, Code::validation);
  EXPECT_TRUE(make_pkcs12(own, *leaf, std::span(&ca_, 1), "x", Secret("long enough")));
}

Result<Certificate> from_corpus(const std::string& name) {
  std::ifstream file(SALLYPORT_SOURCE_DIR "/tests/fuzz/x509/" + name, std::ios::binary);
  return Certificate::from_pem(std::string{std::istreambuf_iterator<char>(file), {}});
}

TEST(X509Read, NamesOfOtherKindsAreSaid) {
  const auto read = from_corpus("certificate");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->facts().other_names);
  EXPECT_EQ(read->facts().alt_names,
            (std::vector<AltName>{
                {dns, "a.example"}, {ip, "127.0.0.1"}, {ip, "::1"}, {uri, "urn:a:b"}, {email, "a@b.example"}}));
}

// "good.example\0evil.example": a reader that stops at the NUL would take it for good.example.
TEST(X509Read, ANameWithANulIsNoName) {
  const auto read = from_corpus("nul_in_name");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->facts().other_names);
  EXPECT_TRUE(read->facts().alt_names.empty());
}

TEST(X509Read, OfTwoCommonNamesNoneIsTaken) {
  const auto read = from_corpus("rsa");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->facts().common_name, "");
  EXPECT_EQ(read->facts().key, "RSA 2048");
}

TEST(AltNames, HostsAreReadAsNamesOrAddresses) {
  EXPECT_EQ(host_name("Gateway.Example"), (AltName{dns, "gateway.example"}));
  EXPECT_EQ(host_name("localhost"), (AltName{dns, "localhost"}));
  EXPECT_EQ(host_name("*.svc.example"), (AltName{dns, "*.svc.example"}));
  EXPECT_EQ(host_name("127.0.0.1"), (AltName{ip, "127.0.0.1"}));
  EXPECT_EQ(host_name("[::1]"), (AltName{ip, "::1"}));
  EXPECT_EQ(host_name("0:0:0:0:0:0:0:1"), (AltName{ip, "::1"}));
  for (const std::string_view bad :
       {"", "*", "*.example", "a..b", "-a.example", "a-.example", "1.2.3.4.5", "10.0.0.256", "a_b.example", "gate way",
        "x\n", "a.example.", "[127.0.0.1", "ex\xc3\xa4mple.com"}) {
    EXPECT_EQ(host_name(bad).error().code, Code::validation) << bad;
  }
  EXPECT_FALSE(host_name(std::string(64, 'a')));
  EXPECT_TRUE(host_name(std::string(63, 'a')));
}

TEST(AltNames, UrisAndAddressesOfMailAreStrict) {
  EXPECT_TRUE(alt_name(uri, "spiffe://example.org/agent"));
  EXPECT_TRUE(alt_name(email, "a.b+c@mail.example"));
  for (const std::string_view bad : {"", "no-colon", ":x", "1a:x", "a:", "a:b c", "a:\x7f", "a:<b>"}) {
    EXPECT_FALSE(alt_name(uri, bad)) << bad;
  }
  for (const std::string_view bad :
       {"", "@x.example", "a@", "a@b@c.example", "a b@c.example", ".a@c.example", "a..b@c.example"}) {
    EXPECT_FALSE(alt_name(email, bad)) << bad;
  }
}

TEST(AltNames, TheirTextIsReadBack) {
  for (const AltName& name : {AltName{dns, "a.example"}, AltName{ip, "2001:db8::1"}, AltName{uri, "urn:a:b"},
                              AltName{email, "a@b.example"}}) {
    EXPECT_EQ(read_alt_name(to_string(name)), name);
  }
  EXPECT_FALSE(read_alt_name("gateway.example"));
}

}  // namespace
}  // namespace sallyport::crypto
