#include "crypto/locked_key.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "core/encoding.h"

namespace sallyport::crypto {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;  // they answer mlock() themselves and lock nothing
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

// The kernel's flags of the mapping that holds `address` (proc(5), smaps: lo locked, dd not dumped); with a space around
// each.
std::string mapping_flags(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long long from = 0;
    unsigned long long to = 0;
    char dash = 0;
    std::istringstream head(line);
    if (head >> std::hex >> from >> dash >> to && dash == '-') inside = wanted >= from && wanted < to;
    if (inside && line.starts_with("VmFlags:")) return line.substr(8) + " ";
  }
  return {};
}

TEST(LockedKey, IsLockedAndLeftOutOfCoreDumps) {
  SystemRandom random;
  const LockedKey key = LockedKey::random(random);
  const std::string flags = mapping_flags(key.bytes().data());
  EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_MEMLOCK, &limit), 0);
  if (kSanitized || limit.rlim_cur < (64U << 10)) GTEST_SKIP() << "nothing can be locked here";
  EXPECT_NE(flags.find(" lo "), std::string::npos) << flags;
}

TEST(LockedKey, CopiesExactly32Bytes) {
  const std::string bytes = "0123456789abcdef0123456789ABCDEF";
  EXPECT_EQ(as_text(LockedKey::copy_of(as_bytes(bytes)).value().bytes()), bytes);
  EXPECT_EQ(LockedKey::copy_of(as_bytes(bytes.substr(1))).error().code, Code::crypto);
  EXPECT_EQ(LockedKey::copy_of(as_bytes(bytes + "0")).error().code, Code::crypto);
  EXPECT_EQ(LockedKey::copy_of({}).error().code, Code::crypto);
}

TEST(LockedKey, StartsAsZeroesAndMovesWithItsBytes) {
  LockedKey zero;
  EXPECT_EQ(as_text(zero.bytes()), std::string(32, '\0'));
  const auto* const where = zero.bytes().data();
  const LockedKey moved = std::move(zero);
  EXPECT_EQ(moved.bytes().data(), where) << "a move left a copy behind";
}

// The page is given back with the key: nothing is left to be read.
TEST(LockedKeyDeathTest, NothingCanBeReadAfterItsEnd) {
  const auto read_late = [] {
    const volatile std::byte* late = nullptr;
    {
      const LockedKey key;
      late = key.bytes().data();
    }
    std::exit(std::to_integer<int>(*late));
  };
  EXPECT_EXIT(read_late(), [](int status) { return !WIFEXITED(status) || WEXITSTATUS(status) != 0; }, "");
}

}  // namespace
}  // namespace sallyport::crypto
