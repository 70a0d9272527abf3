// Killed at each step of a change on the disk, nothing is lost and nothing is half (issue 6, done-when 4; S2-11, S0-40).
#include <gtest/gtest.h>

#include "app/crash_home.h"

#ifdef SALLYPORT_FAULTS
namespace sallyport::app {
namespace {

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all = crash::backup_scenarios();
  for (Scenario& one : crash::key_scenarios()) all.push_back(std::move(one));
  return all;
}

TEST(CrashTest, NothingIsLostAtAnyStep) {
  CrashTest test(all_scenarios());
  ASSERT_FALSE(HasFailure());
  for (std::size_t place = 0; place < kFaultPoints.size(); ++place) {
    EXPECT_GT(test.covered()[place], 0U) << kFaultPoints[place] << " stands in no scenario";
  }
  test.run(wanted_runs(), wanted_seed());
}

}  // namespace
}  // namespace sallyport::app
#endif
