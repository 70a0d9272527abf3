// Revocation lists as they are asked at each request (S2-26).
#include "net/revocations.h"

#include <gtest/gtest.h>

#include <memory>

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

Result<Revocations> read(std::string_view pem) {
  const auto lists = read_pem_lists(pem, 200);
  if (!lists.whole) return fail(Code::config, "one that cannot be read");
  return Revocations::of(lists.found);
}

// One of `authority` with that number, in hex.
std::string link(const Issued& authority, const char* number) {
  const std::unique_ptr<X509, decltype(&X509_free)> x509(X509_new(), X509_free);
  BIGNUM* value = nullptr;
  BN_hex2bn(&value, number);
  BN_to_ASN1_INTEGER(value, X509_get_serialNumber(x509.get()));
  BN_free(value);
  X509_set_issuer_name(x509.get(), X509_get_subject_name(authority.x509.get()));
  return revocation_link(*x509).value();
}

TEST(Revocations, OfEachIssuerAreItsOwn) {
  const Issued one(Wanted{.common_name = "one", .authority = true}),
      two(Wanted{.common_name = "two", .authority = true});
  const auto all = read(list_of(one, {0x1a2b, 7}) + list_of(two, {8}));
  ASSERT_TRUE(all) << all.error().detail;
  EXPECT_EQ(all->size(), 3U);
  EXPECT_TRUE(all->contain(link(one, "1a2b")));
  EXPECT_TRUE(all->contain(link(one, "7")));
  EXPECT_TRUE(all->contain(link(two, "8")));
  EXPECT_FALSE(all->contain(link(two, "7")));
  EXPECT_FALSE(all->contain(link(one, "8")));
  EXPECT_FALSE(all->contain(link(one, "-7")));
  EXPECT_FALSE(all->contain(link(one, "700")));
  EXPECT_FALSE(all->contain({}));
}

// S2-26: a chain is no better than the worst of it.
TEST(Revocations, S2_26_OneAboveIsRevoked) {
  const Issued root(Wanted{.common_name = "root", .authority = true}),
      middle(Wanted{.common_name = "middle", .authority = true});
  const std::string good = link(middle, "1") + link(root, "2"), bad = link(middle, "1") + link(root, "3");
  const auto all = read(list_of(root, {3}) + list_of(middle, {2})).value();
  EXPECT_FALSE(all.contain(good));
  EXPECT_TRUE(all.contain(bad));
  EXPECT_TRUE(all.contain(bad + good));
}

// As handshakes have it (X509_V_FLAG_CRL_CHECK_ALL): a list of each issuer, in force.
TEST(Revocations, S2_26_EachIssuerOfAChainNeedsAListInForce) {
  const Issued root(Wanted{.common_name = "root", .authority = true}),
      middle(Wanted{.common_name = "middle", .authority = true});
  const std::string chain = link(middle, "1") + link(root, "2") + link(root, "1");
  const WallTime now = SystemClock().wall();
  const auto minutes = [now](int n) { return now + std::chrono::minutes(n); };
  const auto both = read(list_of(root, {}, 7200) + list_of(middle, {}, 3600)).value();
  EXPECT_FALSE(both.cover(chain, minutes(-5))) << "none has begun";
  EXPECT_TRUE(both.cover(chain, minutes(59)));
  EXPECT_FALSE(both.cover(chain, minutes(61))) << "the one of the intermediate has ended";
  EXPECT_TRUE(both.cover(link(root, "9"), minutes(61))) << "whom that does not concern";
  EXPECT_FALSE(both.cover(link(root, "9"), minutes(121)));
  EXPECT_FALSE(both.cover({}, now)) << "nothing is known of it";
  EXPECT_FALSE(read(list_of(root, {}, 7200))->cover(chain, now)) << "no list of the intermediate's";
  EXPECT_TRUE(read(list_of(root, {}, 7200) + list_of(middle, {}, -60) + list_of(middle, {}, 3600))->cover(chain, now))
      << "an old list beside the new one";
  EXPECT_TRUE(read("")->cover(chain, now)) << "revocation is not looked at";
  EXPECT_EQ(both.turns(minutes(-5)), 0U);
  EXPECT_EQ(both.turns(now), 2U);
  EXPECT_EQ(both.turns(minutes(61)), 3U);
  EXPECT_EQ(both.turns(minutes(121)), 4U);
}

// RFC 5280 7.1, and what OpenSSL's X509_NAME_cmp does.
TEST(Revocations, AnIssuersNameMayBeWrittenInOtherWays) {
  const Issued one(Wanted{.common_name = "The Authority", .authority = true}),
      same(Wanted{.common_name = "the  authority", .authority = true}),
      other(Wanted{.common_name = "theauthority", .authority = true});
  ASSERT_EQ(X509_NAME_cmp(X509_get_subject_name(one.x509.get()), X509_get_subject_name(same.x509.get())), 0);
  const auto all = read(list_of(one, {7}, 3600)).value();
  EXPECT_TRUE(all.contain(link(same, "7")));
  EXPECT_TRUE(all.cover(link(same, "7"), SystemClock().wall()));
  EXPECT_FALSE(all.contain(link(other, "7")));
}

TEST(Revocations, HoldWhileEachListDoes) {
  const Issued one(Wanted{.common_name = "one", .authority = true}),
      two(Wanted{.common_name = "two", .authority = true});
  const WallTime now = SystemClock().wall();
  const auto all = read(list_of(one, {}, 3600) + list_of(two, {}, 7200)).value();
  EXPECT_FALSE(all.hold(now - std::chrono::minutes(5))) << "none has begun";
  EXPECT_TRUE(all.hold(now + std::chrono::minutes(59)));
  EXPECT_FALSE(all.hold(now + std::chrono::minutes(61))) << "one has ended";
  EXPECT_TRUE(read("")->hold(now));
}

TEST(Revocations, NoListRevokesNothing) {
  EXPECT_EQ(read("")->size(), 0U);
  const Issued one(Wanted{.authority = true});
  EXPECT_EQ(read(list_of(one, {}))->size(), 0U);
}

TEST(Revocations, ABrokenListIsNoList) {
  const Issued one(Wanted{.authority = true});
  const std::string good = list_of(one, {1});
  EXPECT_FALSE(read(good + "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"));
  EXPECT_FALSE(read(good.substr(0, good.size() / 2)));
}

}  // namespace
}  // namespace sallyport::net
