// What people are told of certificates that end, when, and how often.
#include "control/certificate_terms.h"

#include <gtest/gtest.h>

#include <map>

#include "control/repository_test_support.h"

namespace sallyport::control {
namespace {

using std::chrono::days;
using std::chrono::hours;

const WallTime kBegins = WallTime{} + days(20'000);

// Issue 6: "expiry in metrics and alerts".
TEST(CertificateTerms, SoonIsThirtyDaysOrTheLastQuarter) {
  struct Case {
    hours life, left;
    CertificateState state;
  };
  const Case cases[]{
      {days(365), days(365), CertificateState::good},          {days(365), days(30) + hours(1), CertificateState::good},
      {days(365), days(30), CertificateState::ends_soon},      {days(365), days(7) + hours(1), CertificateState::ends_soon},
      {days(365), days(7), CertificateState::ends_very_soon},  {days(365), hours(1), CertificateState::ends_very_soon},
      {days(365), hours(0), CertificateState::ended},          {days(365), -hours(1), CertificateState::ended},
      {days(8), days(2) + hours(1), CertificateState::good},   {days(8), days(2), CertificateState::ends_soon},
      {days(8), hours(19), CertificateState::ends_very_soon},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(state_of(kBegins, kBegins + c.life, kBegins + c.life - c.left), c.state) << c.life << " " << c.left;
  }
}

CertificateTerm term(std::string what, std::string id, hours life, std::string failed = {}) {
  return {std::move(what), "gateway.example", std::move(id), kBegins, kBegins + life, std::move(failed), "do this"};
}

TEST(CertificateTerms, WarningsNameWhatEndsAndWhy) {
  const WallTime now = kBegins + days(340);
  const auto said = warnings_of({term("served", "a", days(365)), term("authority", "b", days(3650)),
                                 term("server", "c", days(365), "no disk"), term("revocations", "d", days(30)),
                                 term("authority", "e", days(3650), "no network")},
                                now);
  ASSERT_EQ(said.size(), 4U);
  EXPECT_EQ(said[0].text, "the certificate that is served (gateway.example) ends in 25 days, at " +
                              iso_time(kBegins + days(365)));
  EXPECT_EQ(said[0].state, "ends_soon");
  EXPECT_EQ(said[0].fix, "do this");
  EXPECT_NE(said[1].text.find("; its renewal failed: no disk"), std::string::npos);
  EXPECT_EQ(said[1].state, "ends_soon");
  EXPECT_EQ(said[2].text,
            "the revocation list (gateway.example) has expired at " + iso_time(kBegins + days(30)));
  EXPECT_EQ(said[2].state, "expired");
  EXPECT_EQ(said[3].state, "renewal_failed") << "though it holds for years";
  EXPECT_TRUE(expired(said));
  EXPECT_FALSE(expired({said[0], said[1], said[3]})) << "to be near its end is no fault yet";
}

class Kept : public testing::NoRepository {
 public:
  Result<void> put_meta(std::string_view name, std::string_view value) override {
    if (broken) return fail(Code::io, "disk full");
    rows[std::string(name)] = value;
    return {};
  }
  Result<std::optional<std::string>> get_meta(std::string_view name) override {
    const auto found = rows.find(std::string(name));
    return found == rows.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<std::string, std::string> rows;
  bool broken = false;
};

class CertificateAlertsTest : public ::testing::Test {
 protected:
  std::vector<std::string> look(CertificateAlerts& alerts, const std::vector<CertificateTerm>& terms, hours age) {
    told_.clear();
    EXPECT_EQ(alerts.look(warnings_of(terms, kBegins + age)).has_value(), !repository_.broken);
    return told_;
  }
  CertificateAlerts::Tell tell_ = [this](const CertificateWarning& one) {
    told_.push_back(std::string(one.state) + " " + one.id);
  };
  std::vector<std::string> told_;
  Kept repository_;
};

using Told = std::vector<std::string>;

TEST_F(CertificateAlertsTest, EachIsToldOnceThatItEndsAndOnceThatItHasExpired) {
  CertificateAlerts alerts(repository_, tell_);
  const std::vector<CertificateTerm> terms{term("served", "a", days(365)), term("authority", "b", days(3650), "why")};
  EXPECT_EQ(look(alerts, terms, days(300)), Told{}) << "a failed renewal has a record of its own each time";
  EXPECT_EQ(look(alerts, terms, days(336)), Told{"ends_soon a"});
  EXPECT_EQ(look(alerts, terms, days(337)), Told{});
  EXPECT_EQ(look(alerts, terms, days(364)), Told{});
  EXPECT_EQ(look(alerts, terms, days(365)), Told{"expired a"});
  EXPECT_EQ(look(alerts, terms, days(366)), Told{});
  EXPECT_EQ(look(alerts, {term("served", "new", days(730))}, days(366)), Told{});
  EXPECT_EQ(look(alerts, {term("served", "new", days(730))}, days(729)), Told{"ends_soon new"});
}

TEST_F(CertificateAlertsTest, ARestartRemembers) {
  const std::vector<CertificateTerm> terms{term("served", "a", days(365))};
  CertificateAlerts first(repository_, tell_), second(repository_, tell_);
  EXPECT_EQ(look(first, terms, days(336)), Told{"ends_soon a"});
  EXPECT_EQ(look(second, terms, days(337)), Told{});
  EXPECT_EQ(look(second, terms, days(365)), Told{"expired a"});
}

TEST_F(CertificateAlertsTest, ADiskThatIsFullDoesNotMakeItSayMore) {
  const std::vector<CertificateTerm> terms{term("served", "a", days(365))};
  CertificateAlerts alerts(repository_, tell_);
  repository_.broken = true;
  EXPECT_EQ(look(alerts, terms, days(336)), Told{"ends_soon a"});
  repository_.broken = false;
  EXPECT_EQ(look(alerts, terms, days(337)), Told{});
  EXPECT_EQ(look(alerts, terms, days(365)), Told{"expired a"});
}

}  // namespace
}  // namespace sallyport::control
