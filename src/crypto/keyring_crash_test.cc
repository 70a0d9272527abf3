// Killed at each step of each change, the keyring is the one from before or the one from after, and the change can be made
// again (done-when 4 of issue 6). Environment and file are the sources, since scrypt would make each step a second.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>

#include "core/encoding.h"
#include "core/fault_point.h"
#include "crypto/hash.h"
#include "crypto/keyring.h"
#include "crypto/sealed_record.h"

#ifdef SALLYPORT_FAULTS

namespace sallyport::crypto {
namespace {

namespace fs = std::filesystem;

const Binding kPlace{"t", "r", "c", 1};
constexpr WallTime kNow{std::chrono::seconds(1'790'000'000)};

UnsealSource by_file() { return {}; }
UnsealSource by_environment() {
  UnsealSource source;
  source.kind = UnsealKind::environment;
  source.secret = Secret("tLoYyHD6qB8vM1wQ3kz9nR5uXc7eJ2aG4sF0iVbUdHo=");
  return source;
}

class KeyringCrash : public ::testing::Test {
 protected:
  using Change = std::function<bool(const fs::path& home)>;

  // True where the change ended before it came to that step.
  static bool killed_at(unsigned step, const fs::path& home, const Change& change) {
    const pid_t child = ::fork();
    if (child == 0) {
      arm_fault(kAnyFaultPoint, step);
      ::_exit(change(home) ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
      EXPECT_EQ(WTERMSIG(status), SIGKILL);
      return true;
    }
    EXPECT_EQ(WEXITSTATUS(status), 0) << "the change failed";
    return false;
  }

  // Kills `change` at its first step, its second, ... in a fresh home each; afterwards a record sealed before still opens and
  // the change can be made.
  void kill_everywhere(const UnsealSource& before, const std::vector<UnsealSource>& after, const Change& change) {
    for (unsigned step = 1;; ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      std::string pattern = (fs::temp_directory_path() / "sallyport-crash-XXXXXX").string();
      const fs::path home = ::mkdtemp(pattern.data());
      const Keyring ring = Keyring::create(home, before, std::nullopt, random_, kNow).value();
      const SealedRecord record = seal_record(*ring.store(), "kept", kPlace, random_).value();
      const bool killed = killed_at(step, home, change);
      EXPECT_TRUE(opens(home, after, ring, record));
      if (killed) {
        EXPECT_TRUE(change(home)) << "it cannot be made again";
      }
      EXPECT_TRUE(opens(home, after, ring, record));
      fs::remove_all(home);
      if (!killed || ::testing::Test::HasFailure()) break;
      ++kills_;
    }
  }

  static bool opens(const fs::path& home, const std::vector<UnsealSource>& sources, const Keyring& ring,
                    const SealedRecord& record) {
    for (const UnsealSource& source : sources) {
      const auto found = Keyring::open(home, source);
      if (!found) continue;
      const auto plain = open_record(*found->store(), record, kPlace);
      return found->id() == ring.id() && plain && plain->reveal() == "kept";
    }
    return false;
  }

  static std::vector<UnsealSource> both() {
    std::vector<UnsealSource> all;
    all.push_back(by_file());
    all.push_back(by_environment());
    return all;
  }

  SystemRandom random_;
  unsigned kills_ = 0;
};

TEST_F(KeyringCrash, RotationIsWholeOrNotThere) {
  kill_everywhere(by_file(), both(), [this](const fs::path& home) {
    auto ring = Keyring::open(home, by_file());
    return ring && ring->tidy() && ring->rotate(random_, kNow);
  });
  EXPECT_GE(kills_, 4U);
}

TEST_F(KeyringCrash, AChangeToAStrongerSourceIsWholeOrNotThere) {
  kill_everywhere(by_file(), both(), [this](const fs::path& home) {
    auto ring = Keyring::open(home, by_environment());  // what the key file opens too
    return ring && ring->tidy() && ring->reseal(by_environment(), random_);
  });
  EXPECT_GE(kills_, 5U);
}

TEST_F(KeyringCrash, AChangeBackToAKeyFileIsWholeOrNotThere) {
  kill_everywhere(by_environment(), both(), [this](const fs::path& home) {
    auto ring = Keyring::open(home, by_environment());
    return ring && ring->tidy() && ring->reseal(by_file(), random_);
  });
  EXPECT_GE(kills_, 6U);
}

TEST_F(KeyringCrash, AFirstKeyringIsWholeOrNotThere) {
  for (unsigned step = 1;; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    std::string pattern = (fs::temp_directory_path() / "sallyport-crash-XXXXXX").string();
    const fs::path home = ::mkdtemp(pattern.data());
    const bool killed = killed_at(step, home, [this](const fs::path& at) {
      return Keyring::create(at, by_file(), std::nullopt, random_, kNow).has_value();
    });
    auto found = Keyring::open(home, by_file());
    if (!found) {
      EXPECT_EQ(found.error().code, Code::not_found) << found.error().detail;
      found = Keyring::create(home, by_file(), std::nullopt, random_, kNow);
    }
    EXPECT_TRUE(found && found->store() && Keyring::open(home, by_file()));
    fs::remove_all(home);
    if (!killed || HasFailure()) break;
    ++kills_;
  }
  EXPECT_GE(kills_, 6U);
}

}  // namespace
}  // namespace sallyport::crypto

#endif
