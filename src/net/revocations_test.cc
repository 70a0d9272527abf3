// Revocation lists as they are asked at each request (S2-26).
#include "net/revocations.h"

#include <gtest/gtest.h>

#include "net/egress_tls_test_support.h"

namespace sallyport::net {
namespace {

using made::Issued;
using made::Wanted;

std::string list_of(const Issued& authority, const std::vector<long>& serials, long seconds = 0) {
  X509_CRL* const list = X509_CRL_new();
  X509_CRL_set_version(list, 1);
  X509_CRL_set_issuer_name(list, X509_get_subject_name(authority.x509.get()));
  ASN1_TIME* const now = X509_gmtime_adj(nullptr, 0);
  X509_CRL_set1_lastUpdate(list, now);
  ASN1_TIME* const next = X509_gmtime_adj(nullptr, seconds);
  X509_CRL_set1_nextUpdate(list, next);
  ASN1_TIME_free(next);
  for (const long serial : serials) {
    X509_REVOKED* const one = X509_REVOKED_new();
    ASN1_INTEGER* const number = ASN1_INTEGER_new();
    ASN1_INTEGER_set(number, serial);
    X509_REVOKED_set_serialNumber(one, number);
    X509_REVOKED_set_revocationDate(one, now);
    X509_CRL_add0_revoked(list, one);
    ASN1_INTEGER_free(number);
  }
  X509_CRL_sign(list, authority.key.get(), EVP_sha256());
  BIO* const bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509_CRL(bio, list);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  ASN1_TIME_free(now);
  X509_CRL_free(list);
  return text;
}

TEST(Revocations, OfEachIssuerAreItsOwn) {
  const Issued one(Wanted{.common_name = "one", .authority = true}),
      two(Wanted{.common_name = "two", .authority = true});
  const auto all = Revocations::read(list_of(one, {0x1a2b, 7}) + list_of(two, {8}));
  ASSERT_TRUE(all) << all.error().detail;
  EXPECT_EQ(all->size(), 3U);
  EXPECT_TRUE(all->contains("CN=one", "1a2b"));
  EXPECT_TRUE(all->contains("CN=one", "7"));
  EXPECT_TRUE(all->contains("CN=two", "8"));
  EXPECT_FALSE(all->contains("CN=two", "7"));
  EXPECT_FALSE(all->contains("CN=one", "8"));
  EXPECT_FALSE(all->contains("CN=one", "07"));
}

TEST(Revocations, HoldWhileEachListDoes) {
  const Issued one(Wanted{.common_name = "one", .authority = true}),
      two(Wanted{.common_name = "two", .authority = true});
  const WallTime now = SystemClock().wall();
  const auto all = Revocations::read(list_of(one, {}, 3600) + list_of(two, {}, 7200)).value();
  EXPECT_FALSE(all.hold(now - std::chrono::minutes(5))) << "none has begun";
  EXPECT_TRUE(all.hold(now + std::chrono::minutes(59)));
  EXPECT_FALSE(all.hold(now + std::chrono::minutes(61))) << "one has ended";
  EXPECT_TRUE(Revocations::read("")->hold(now));
}

TEST(Revocations, NoListRevokesNothing) {
  EXPECT_EQ(Revocations::read("")->size(), 0U);
  const Issued one(Wanted{.authority = true});
  EXPECT_EQ(Revocations::read(list_of(one, {}))->size(), 0U);
}

TEST(Revocations, ABrokenListIsNoList) {
  const Issued one(Wanted{.authority = true});
  const std::string good = list_of(one, {1});
  EXPECT_FALSE(Revocations::read(good + "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"));
  EXPECT_FALSE(Revocations::read(good.substr(0, good.size() / 2)));
}

}  // namespace
}  // namespace sallyport::net
