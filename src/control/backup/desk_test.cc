#include "control/backup/desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/backup/test_support.h"

namespace sallyport::backup {
namespace {

using testing::HasSubstr;

class DeskTest : public testing::Test {
 protected:
  std::unique_ptr<Desk> desk(DeskRules rules) {
    return std::make_unique<Desk>(t.places(), t.tools(), std::move(rules), [this](std::string text, bool bad) {
      (bad ? failures : notes).push_back(std::move(text));
    });
  }
  // Runs it to its end on an executor of its own.
  void tick(Desk& desk) {
    asio::io_context io{1};
    asio::co_spawn(io, desk.tick(), asio::detached);
    io.run();
  }
  TestBackups t;
  std::vector<std::string> notes, failures;
};

// S2-11, S0-37: without anybody asking.
TEST_F(DeskTest, MakesOneWhenItIsDueAndNotBefore) {
  const auto one = desk({.every = std::chrono::hours(6)});
  tick(*one);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes.front(), HasSubstr("verified"));
  t.clock.advance(std::chrono::hours(5));
  tick(*one);
  EXPECT_EQ(notes.size(), 1U);
  t.clock.advance(std::chrono::hours(1));
  tick(*one);
  EXPECT_EQ(notes.size(), 2U);
  EXPECT_EQ(one->list()->size(), 2U);
  // After a restart the age of the newest counts.
  const auto next = desk({.every = std::chrono::hours(6)});
  tick(*next);
  EXPECT_EQ(notes.size(), 2U);
}

TEST_F(DeskTest, MakesNoneUnaskedWhereNoHoursAreSet) {
  const auto one = desk({});
  t.clock.advance(std::chrono::hours(10'000));
  tick(*one);
  EXPECT_TRUE(one->list()->empty());
}

TEST_F(DeskTest, TellsOfAFailureAndTriesAgainAnHourLater) {
  t.write("sallyport.db", "broken");
  const auto one = desk({.every = std::chrono::hours(6)});
  tick(*one);
  tick(*one);
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_THAT(failures.front(), HasSubstr("did not stand its trial"));
  EXPECT_TRUE(one->list()->empty());
  EXPECT_THAT(one->metrics(), HasSubstr("sallyport_backup_failures_total 1\n"));
  t.write("sallyport.db", "DATABASE mended");
  t.clock.advance(std::chrono::hours(1));
  tick(*one);
  EXPECT_EQ(notes.size(), 1U);
}

TEST_F(DeskTest, NamesTheKeysThatItsBackupsNeed) {
  const auto one = desk({.every = std::chrono::hours(6)});
  EXPECT_TRUE(one->keys_in_use()->empty());
  tick(*one);
  EXPECT_THAT(*one->keys_in_use(), testing::ElementsAre(1U, 2U));
}

}  // namespace
}  // namespace sallyport::backup
