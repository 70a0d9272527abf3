// What hostile bytes may try (issue 2, done-when 4; threats.md, section 4).
#include <gtest/gtest.h>

#include <ctime>

#include "json/document.h"
#include "json/duplicates.h"

namespace sallyport::json {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr int kSlow = 20;
#else
constexpr int kSlow = 1;
#endif
#endif

// Nothing under 1 MB takes over 50 ms of the processor (times two: caches are shared).
template <class Fn>
void within_budget(Fn fn) {
  const std::clock_t start = std::clock();
  fn();
  EXPECT_LT((std::clock() - start) * 1000 / CLOCKS_PER_SEC, 100 * kSlow);
}

TEST(JsonAbuse, RefusesTenThousandLevelsCheaply) {
  for (const char* open : {"[", "{\"a\":"}) {
    std::string text;
    for (int i = 0; i < 10'000; ++i) text += open;
    const auto d = read(text);
    ASSERT_FALSE(d);
    EXPECT_TRUE(d.error().detail.contains("nested too deeply"));
    EXPECT_LT(d.error().detail.size(), 700U);
  }
}

TEST(JsonAbuse, RefusesDuplicateKeysAtEveryLevel) {
  for (const char* text :
       {R"({"a":1,"a":2})", R"([[{"b":{"x":1,"y":2,"x":3}}]])", R"({"a":1,"\u0061":2})", R"({"":1,"":2})"}) {
    const auto d = read(text);
    ASSERT_FALSE(d) << text;
    EXPECT_EQ(d.error().code, Code::invalid_request);
    EXPECT_TRUE(d.error().detail.contains("duplicate key")) << d.error().detail;
    EXPECT_FALSE(read_upstream(text));
  }
  EXPECT_TRUE(read(R"({"a":{"a":{"a":1}},"A":1,"a ":1})"));
  EXPECT_TRUE(read(R"([[{"b":{"x":1,"y":2,"x":3}}]])").error().detail.contains("\"/0/0/b\""));
}

TEST(JsonAbuse, FindsADuplicateAmongManyKeys) {
  std::string text = "{";
  for (int i = 0; i < 5'000; ++i) text += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_TRUE(read(text + "\"last\":1}"));
  EXPECT_FALSE(read(text + "\"k2500\":1}"));
  EXPECT_FALSE(read(text + "\"\\u006b2500\":1}"));
}

TEST(JsonAbuse, ReadsAMegabyteOfKeysInTime) {
  std::string text = "{";
  for (int i = 0; text.size() < 990'000; ++i) text += "\"" + std::to_string(i) + "\":1,";
  text += "\"end\":1}";
  within_budget([&] { EXPECT_TRUE(read(text)); });
}

// Whatever an attacker makes of the hash, equal hashes are told apart by sorting, not by pairs.
TEST(JsonAbuse, ReadsManyKeysOfOneLongPrefixInTime) {
  std::string text = "{";
  const std::string prefix(200, 'p');
  for (int i = 0; text.size() < 980'000; ++i) text += "\"" + prefix + std::to_string(i) + "\":1,";
  text += "\"end\":1}";
  within_budget([&] { EXPECT_TRUE(read(text)); });
}

TEST(JsonAbuse, ReadsAMegabyteOfAnythingInTime) {
  const auto repeated = [](std::string_view unit, std::string_view close) {
    std::string text = "[";
    while (text.size() < 990'000) text += unit;
    return text.append(close);
  };
  for (const auto& text :
       {repeated("1,", "1]"), repeated("[],", "1]"), repeated("\"\\u00e9\",", "1]"), repeated("{\"a\":1},", "1]"),
        repeated("1.2345678901234567e-300,", "1]"), repeated(" ", "1]"), repeated("\n1 ,", "1]")}) {
    within_budget([&] { EXPECT_TRUE(read(text)) << text.substr(0, 20); });
  }
  within_budget([&] { EXPECT_FALSE(read(std::string(999'999, '9'))); });
  within_budget([&] { EXPECT_TRUE(read("0." + std::string(999'990, '3') + "e1")); });
  within_budget([&] { EXPECT_FALSE(read("\"" + std::string(999'990, '\\'))); });
}

TEST(JsonAbuse, RefusesBadUnicode) {
  for (const char* text :
       {"\"\\ud800\"", "\"\\udc00\"", "\"\\ud800x\"", "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"", "\"\xFF\"",
        "\"\xC0\x80\"", "\"\xED\xA0\x80\"", "\"\xF5\x80\x80\x80\"", "\"\xE2\x82\"", "{\"\\udc00\":1}"}) {
    EXPECT_FALSE(read(text)) << text;
    EXPECT_FALSE(read_upstream(text)) << text;
  }
}

// Arguments with raw newlines that hide a second JSON-RPC message (design, principle 4).
TEST(JsonAbuse, LeavesNoNewlineThatCouldStartAnotherMessage) {
  const auto d = read("{\"a\":\n{\r\n\"jsonrpc\":\"2.0\"\n}\r}\n");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->text().find_first_of("\r\n\t "), std::string_view::npos);
  EXPECT_FALSE(read("{\"a\":\"x\ny\"}"));
}

TEST(JsonAbuse, TruncationAtEveryByteIsRefused) {
  const std::string text = R"({"a":[1,2.5e3,"x\u00e9\"y",{"b":null,"c":true}],"d":{}})";
  for (std::size_t n = 0; n < text.size(); ++n) EXPECT_FALSE(read(text.substr(0, n))) << n;
  EXPECT_TRUE(read(text));
}

}  // namespace
}  // namespace sallyport::json
