#include "core/fault_point.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>

namespace sallyport {
namespace {

#ifdef SALLYPORT_FAULTS

constexpr FaultPoint kPoint = "restore.aside";

TEST(FaultPoint, EndsTheProcessAtTheHitThatWasChosen) {
  const auto third = [] {
    arm_fault(kPoint.place(), 3);
    for (int i = 0; i < 2; ++i) fault_point("restore.aside");
    fault_point("restore.named");  // another one's hits do not count
    std::fputs("two\n", stderr);
    fault_point("restore.aside");
    std::fputs("three\n", stderr);
  };
  EXPECT_EXIT(third(), testing::KilledBySignal(SIGKILL), "^two\n$");
}

TEST(FaultPoint, EndsTheProcessAtAnyPointWhereNoneIsNamed) {
  const auto second = [] {
    arm_fault(kAnyFaultPoint, 2);
    fault_point("restore.aside");
    fault_point("restore.named");
  };
  EXPECT_EXIT(second(), testing::KilledBySignal(SIGKILL), "");
}

TEST(FaultPoint, OnlyCountsUntilItIsArmed) {
  arm_fault(kPoint.place(), 0);
  for (int i = 0; i < 5; ++i) fault_point("restore.aside");
  EXPECT_EQ(fault_hits()[kPoint.place()], 5U);
  arm_fault(kPoint.place(), 0);
  EXPECT_EQ(fault_hits()[kPoint.place()], 0U);
}

#endif

TEST(FaultPoint, NoNameIsTwiceInTheList) {
  for (const std::string_view name : kFaultPoints) EXPECT_EQ(std::ranges::count(kFaultPoints, name), 1) << name;
}

}  // namespace
}  // namespace sallyport
