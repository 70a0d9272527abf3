#include "net/peer_certificate.h"

#include <gtest/gtest.h>

#include "net/tls_test_support.h"

namespace sallyport::net {
namespace {

TEST(PeerCertificate, SaysWhoItIs) {
  const TestCertificate ca(authority("the authority"));
  const TestCertificate agent(
      CertificateWish{.name = "agent",
             .names = "DNS:Agent.Example,DNS:b.example,URI:spiffe://test/agent,email:a@b.example,IP:10.0.0.7,IP:::1"},
      &ca);
  const auto read = read_certificate(agent.x509());
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->subject, "CN=agent");
  EXPECT_EQ(read->issuer, "CN=the authority");
  EXPECT_EQ(read->dns, (std::vector<std::string>{"agent.example", "b.example"})) << "lower case: DNS compares so";
  EXPECT_EQ(read->uris, std::vector<std::string>{"spiffe://test/agent"});
  EXPECT_EQ(read->emails, std::vector<std::string>{"a@b.example"});
  EXPECT_EQ(read->ips, (std::vector<IpAddress>{*IpAddress::parse("10.0.0.7"), *IpAddress::parse("::1")}));
  EXPECT_EQ(read->fingerprint_sha256.size(), 64U);
  EXPECT_EQ(read->fingerprint_sha256.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_LT(read->not_before, SystemClock().wall());
  EXPECT_GT(read->not_after, SystemClock().wall());
}

TEST(PeerCertificate, TheKeysDigestOutlivesTheCertificate) {
  const TestCertificate first(CertificateWish{}), second(CertificateWish{});
  const auto a = read_certificate(first.x509()), b = read_certificate(second.x509());
  ASSERT_TRUE(a && b);
  EXPECT_NE(a->spki_sha256, b->spki_sha256);
  X509_set_pubkey(second.x509(), first.key());
  const auto renewed = read_certificate(second.x509());
  ASSERT_TRUE(renewed);
  EXPECT_EQ(renewed->spki_sha256, a->spki_sha256);
  EXPECT_NE(renewed->fingerprint_sha256, a->fingerprint_sha256);
}

TEST(PeerCertificate, ANameCannotReadAsAnotherAttribute) {
  const TestCertificate odd(CertificateWish{.name = "x,O=Bank\nadmin", .names = nullptr});
  EXPECT_EQ(read_certificate(odd.x509()).value().subject, "CN=x\\,O=Bank\\0Aadmin");
}

void add_names(const TestCertificate& to, int type, const std::string& value, int times) {
  GENERAL_NAMES* const names = sk_GENERAL_NAME_new_null();
  for (int i = 0; i < times; ++i) {
    GENERAL_NAME* const name = GENERAL_NAME_new();
    ASN1_STRING* const text = ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    ASN1_STRING_set(text, value.data(), static_cast<int>(value.size()));
    GENERAL_NAME_set0_value(name, type, text);
    sk_GENERAL_NAME_push(names, name);
  }
  X509_add1_ext_i2d(to.x509(), NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE);
  GENERAL_NAMES_free(names);
}

TEST(PeerCertificateAbuse, NamesThatDeceive) {
  struct Case {
    const char* what;
    int type;
    std::string value;
    int times = 1;
  };
  for (const Case& c :
       {Case{"NUL inside", GEN_DNS, std::string("good.example\0.evil.example", 26)}, Case{"empty", GEN_DNS, ""},
        Case{"newline", GEN_URI, "spiffe://a\nb"}, Case{"not ASCII", GEN_DNS, "b\xC3\xBCro.example"},
        Case{"blank", GEN_EMAIL, "a b@c.example"}, Case{"too long", GEN_DNS, std::string(254, 'a')},
        Case{"far too long", GEN_URI, std::string(2049, 'a')}, Case{"an address of five bytes", GEN_IPADD, "abcde"},
        Case{"too many", GEN_DNS, "a.example", 65}}) {
    const TestCertificate odd(CertificateWish{});
    add_names(odd, c.type, c.value, c.times);
    EXPECT_FALSE(read_certificate(odd.x509())) << c.what;
  }
  const TestCertificate most(CertificateWish{});
  add_names(most, GEN_DNS, "a.example", 64);
  EXPECT_EQ(read_certificate(most.x509()).value().dns.size(), 64U);
}

TEST(PeerCertificateAbuse, AnExtensionThatIsNone) {
  const TestCertificate odd(CertificateWish{.names = nullptr});
  ASN1_OCTET_STRING* const junk = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(junk, reinterpret_cast<const unsigned char*>("junk"), 4);
  X509_EXTENSION* const extension = X509_EXTENSION_create_by_NID(nullptr, NID_subject_alt_name, 0, junk);
  X509_add_ext(odd.x509(), extension, -1);
  X509_EXTENSION_free(extension);
  ASN1_OCTET_STRING_free(junk);
  EXPECT_FALSE(read_certificate(odd.x509()));
}

}  // namespace
}  // namespace sallyport::net
