#include "cli/line_diff.h"

#include <gtest/gtest.h>

#include <random>
#include <sstream>
#include <vector>

namespace sallyport::cli {
namespace {

std::string of(std::string_view a, std::string_view b) { return line_diff(a, b, "a", "b"); }

// What a patch of one hunk after the other makes of `before`.
std::string patched(const std::string& before, const std::string& diff) {
  std::istringstream lines(before);
  std::istringstream patch(diff);
  std::string out;
  std::string line;
  std::size_t at = 0;
  const auto copy = [&] {
    std::string one;
    std::getline(lines, one);
    ++at;
    return one;
  };
  while (std::getline(patch, line)) {
    if (line.starts_with("---") || line.starts_with("+++")) continue;
    if (line.starts_with("@@")) {
      const std::size_t first = std::stoul(line.substr(4));
      const std::size_t count = std::stoul(line.substr(line.find(',') + 1));
      while (at + (count == 0 ? 0 : 1) < first) out += copy() + "\n";
      continue;
    }
    if (line[0] == '+') {
      out += line.substr(1) + "\n";
      continue;
    }
    EXPECT_EQ(copy(), line.substr(1));
    if (line[0] == ' ') out += line.substr(1) + "\n";
  }
  while (std::getline(lines, line)) out += line + "\n";
  return out;
}

TEST(LineDiff, SaysNothingOfWhatIsTheSame) { EXPECT_EQ(of("a\nb\n", "a\nb\n"), ""); }

TEST(LineDiff, ShowsAChangeWithThreeLinesAround) {
  EXPECT_EQ(of("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
            "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(LineDiff, ShowsChangesFarApartInHunksOfTheirOwn) {
  std::string a;
  for (int i = 1; i <= 30; ++i) a += std::to_string(i) + "\n";
  std::string b = a;
  b.replace(b.find("\n3\n") + 1, 1, "three");
  b.erase(b.find("\n28\n"), 3);
  EXPECT_EQ(of(a, b), "--- a\n+++ b\n@@ -1,6 +1,6 @@\n 1\n 2\n-3\n+three\n 4\n 5\n 6\n@@ -25,6 +25,5 @@\n 25\n 26\n "
                      "27\n-28\n 29\n 30\n");
}

TEST(LineDiff, KnowsTheEmptyText) {
  EXPECT_EQ(of("", "x\n"), "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+x\n");
  EXPECT_EQ(of("x\n", ""), "--- a\n+++ b\n@@ -1,1 +0,0 @@\n-x\n");
}

TEST(LineDiff, MakesTheOneOfTheOther) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    std::string texts[2];
    for (auto& text : texts) {
      for (auto lines = random() % 40; lines > 0; --lines)
        text += std::string(1, static_cast<char>('a' + random() % 4)) + "\n";
    }
    if (texts[0] == texts[1]) continue;
    ASSERT_EQ(patched(texts[0], of(texts[0], texts[1])), texts[1]) << texts[0] << "->\n" << texts[1];
  }
}

TEST(LineDiff, IsBounded) {
  std::string a;
  std::string b;
  for (int i = 0; i < 20'000; ++i) {
    a += "a" + std::to_string(i) + "\n";
    b += "b" + std::to_string(i) + "\n";
  }
  EXPECT_EQ(patched(a, of(a, b)), b);
}

}  // namespace
}  // namespace sallyport::cli
