// Whom client certificates stand for, in the database (S2-26).
#include "storage/certificates.h"

#include <gtest/gtest.h>

#include "storage/sqlite_repository.h"
#include "storage/test_home.h"

namespace sallyport::storage {
namespace {

constexpr WallTime kNow{std::chrono::microseconds(1'790'000'000'123'456)};

class CertificatesInStore : public testing::Test {
 protected:
  std::vector<CertificateMapping> reopened() {
    repository_.reset();
    repository_ = std::move(*SqliteRepository::open(home_.path("sallyport.db"), clock_));
    return repository_->load()->certificates;
  }
  SystemClock clock_;
  TestHome home_;
  std::unique_ptr<SqliteRepository> repository_ =
      std::move(*SqliteRepository::open(home_.path("sallyport.db"), clock_));
};

TEST_F(CertificatesInStore, KeepEveryField) {
  const CertificateMapping one{"01", "uri:spiffe://x/'; --", "user:a", "local:0", kNow, std::string(64, '1')};
  ASSERT_TRUE(repository_->put_certificate(one));
  EXPECT_EQ(reopened(), std::vector{one});
  ASSERT_TRUE(repository_->delete_certificate("01"));
  EXPECT_TRUE(reopened().empty());
  EXPECT_EQ(repository_->delete_certificate("01").error().code, Code::not_found);
}

TEST_F(CertificatesInStore, ANameStandsForOneAlone) {
  ASSERT_TRUE(repository_->put_certificate({"01", "dns:a.example", "user:a", "local:0", kNow}));
  const auto again = repository_->put_certificate({"02", "dns:a.example", "user:b", "local:0", kNow});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::already_exists);
  EXPECT_EQ(reopened().at(0).principal, "user:a");
}

TEST_F(CertificatesInStore, TheSameNameOfTwoAuthoritiesIsTwoNames) {
  const CertificateMapping any{"01", "dns:a.example", "user:a", "local:0", kNow};
  CertificateMapping one = any, two = any;
  one.id = "02";
  one.issuer = std::string(64, '1');
  two.id = "03";
  two.issuer = std::string(64, '2');
  for (const auto& mapping : {any, one, two}) ASSERT_TRUE(repository_->put_certificate(mapping));
  EXPECT_EQ(reopened(), (std::vector{any, one, two}));
  two.id = "04";
  EXPECT_EQ(repository_->put_certificate(two).error().code, Code::already_exists);
}

TEST_F(CertificatesInStore, GoWithWhoseTheyAre) {
  UserRecord ada;
  ada.id = "00000000000000aa";
  ada.name = "ada";
  ASSERT_TRUE(repository_->put_user(ada));
  KeyRecord own{.id = "own"};
  own.owner_user_id = ada.id;
  for (const KeyRecord& key : {own, KeyRecord{.id = "other"}, KeyRecord{.id = "stays"}}) {
    ASSERT_TRUE(repository_->put_key(key));
    ASSERT_TRUE(repository_->put_certificate({key.id, "dns:" + key.id, "key:" + key.id, "", kNow}));
  }
  ASSERT_TRUE(repository_->put_certificate({"ada", "dns:ada", "user:" + ada.id, "", kNow}));
  ASSERT_TRUE(repository_->delete_user(ada.id));
  ASSERT_TRUE(repository_->delete_key("other"));
  const auto left = reopened();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].id, "stays");
}

}  // namespace
}  // namespace sallyport::storage
