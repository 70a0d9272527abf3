// The crash test (issue 6, done-when 4): a change on the disk is made in a child process that ends by SIGKILL at a point of
// core/fault_point.h; the parent opens what is left. Tests only, and only where there are points (AddressSanitizer).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/backup/test_support.h"
#include "core/fault_point.h"
#include "crypto/scrypt.h"

#ifdef SALLYPORT_FAULTS
namespace sallyport::app {

struct Scenario {
  std::string name;
  std::function<void(const std::string& home)> prepare;  // the home before; each run has a copy of it
  std::function<bool(const std::string& home)> act;  // the change, in the child; false: it failed
  std::function<void(const std::string& home)> check;  // what must be true however far it came; EXPECT_...
};

using Hits = std::array<unsigned, kFaultPoints.size()>;

class CrashTest {
 public:
  // Each scenario whole, once as it is and once for the runs, whose passwords are cheap: a run is about steps of a change, and
  // scrypt would be nine tenths of it.
  explicit CrashTest(std::vector<Scenario> scenarios);

  // How often the scenarios come to each point.
  [[nodiscard]] const Hits& covered() const noexcept { return covered_; }
  // Every point of every scenario, at a hit by chance, again and again; `runs` in all. Ends at the first failure.
  void run(std::size_t runs, unsigned seed);

 private:
  struct Kill {
    std::size_t scenario;
    std::size_t place;
    unsigned hit;  // in kills_: how often it comes there
  };
  [[nodiscard]] std::string home_of(std::size_t scenario) const;
  [[nodiscard]] std::string copy_of(std::size_t scenario);
  Hits count(std::size_t scenario);
  void prepare();
  bool one(const Kill& kill);  // true: it was killed, and not through before

  backup::TestFolder root_;
  std::vector<Scenario> scenarios_;
  std::vector<Kill> kills_;
  Hits covered_{};
  std::optional<crypto::CheapScrypt> cheap_;
  std::size_t copies_ = 0;
};

// SALLYPORT_FAULT_RUNS, SALLYPORT_FAULT_SEED; else 200 runs and a seed of the kernel's.
std::size_t wanted_runs();
unsigned wanted_seed();

}  // namespace sallyport::app
#endif
