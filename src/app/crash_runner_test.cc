// Of the crash test, what runs it: crash_runner.h.
#include "app/crash_runner.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#ifdef SALLYPORT_FAULTS
namespace sallyport::app {
namespace {

constexpr std::size_t kTellAfter = 500;

}  // namespace

CrashTest::CrashTest(std::vector<Scenario> scenarios) : scenarios_(std::move(scenarios)) {
  prepare();
  for (std::size_t i = 0; i < scenarios_.size(); ++i) {
    (void)count(i);
    std::filesystem::remove_all(home_of(i));
  }
  cheap_.emplace();
  prepare();
  for (std::size_t i = 0; i < scenarios_.size(); ++i) {
    const Hits hits = count(i);
    for (std::size_t place = 0; place < hits.size(); ++place) {
      if (hits[place] != 0) kills_.push_back({i, place, hits[place]});
      covered_[place] += hits[place];
    }
  }
}

void CrashTest::prepare() {
  for (std::size_t i = 0; i < scenarios_.size(); ++i) scenarios_[i].prepare(home_of(i));
}

void CrashTest::run(std::size_t runs, unsigned seed) {
  std::mt19937 random(seed);
  std::size_t died = 0;
  for (std::size_t done = 0; done < runs && !kills_.empty();) {
    std::ranges::shuffle(kills_, random);
    for (std::size_t i = 0; i < kills_.size() && done < runs; ++i, ++done) {
      Kill kill = kills_[i];
      kill.hit = std::uniform_int_distribution<unsigned>(1, kill.hit)(random);
      died += one(kill) ? 1U : 0U;
      if (testing::Test::HasFailure()) {
        std::printf("crash test: failed in run %zu, seed %u\n", done + 1, seed);
        return;
      }
      if ((done + 1) % kTellAfter == 0) {
        std::printf("crash test: %zu of %zu runs, seed %u\n", done + 1, runs, seed);
        std::fflush(stdout);
      }
    }
  }
  std::printf("crash test: %zu runs at %zu steps of %zu scenarios, %zu killed, seed %u\n", runs, kills_.size(),
              scenarios_.size(), died, seed);
}

std::string CrashTest::home_of(std::size_t scenario) const { return root_.path("home" + std::to_string(scenario)); }

std::string CrashTest::copy_of(std::size_t scenario) {
  const std::string copy = root_.path("run" + std::to_string(++copies_));
  std::filesystem::copy(home_of(scenario), copy, std::filesystem::copy_options::recursive);
  std::filesystem::permissions(copy, std::filesystem::perms::owner_all);
  return copy;
}

Hits CrashTest::count(std::size_t scenario) {
  const std::string home = copy_of(scenario);
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) std::abort();
  const pid_t child = ::fork();
  if (child == 0) {
    arm_fault(kAnyFaultPoint, 0);
    const bool good = scenarios_[scenario].act(home);
    const Hits hits = fault_hits();
    const bool told = ::write(ends[1], hits.data(), sizeof hits) == sizeof hits;
    ::_exit(good && told ? 0 : 1);
  }
  Hits hits{};
  ::close(ends[1]);
  const bool told = ::read(ends[0], hits.data(), sizeof hits) == sizeof hits;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(told && WIFEXITED(status) && WEXITSTATUS(status) == 0) << scenarios_[scenario].name << " fails by itself";
  scenarios_[scenario].check(home);
  std::filesystem::remove_all(home);
  return hits;
}

bool CrashTest::one(const Kill& kill) {
  const Scenario& scenario = scenarios_[kill.scenario];
  const std::string home = copy_of(kill.scenario);
  const testing::ScopedTrace trace(
      __FILE__, __LINE__,
      scenario.name + ", killed at " + std::string(kFaultPoints[kill.place]) + " " + std::to_string(kill.hit));
  const pid_t child = ::fork();
  if (child == 0) {
    arm_fault(kill.place, kill.hit);
    ::_exit(scenario.act(home) ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  EXPECT_TRUE(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << "status " << status;
  scenario.check(home);
  std::filesystem::remove_all(home);
  return killed;
}

std::size_t wanted_runs() {
  const char* runs = std::getenv("SALLYPORT_FAULT_RUNS");
  return runs != nullptr ? std::strtoul(runs, nullptr, 10) : 200;
}

unsigned wanted_seed() {
  const char* seed = std::getenv("SALLYPORT_FAULT_SEED");
  return seed != nullptr ? static_cast<unsigned>(std::strtoul(seed, nullptr, 10)) : std::random_device{}();
}

}  // namespace sallyport::app
#endif
