#include "telemetry/log.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "telemetry/escape.h"

namespace sallyport::telemetry {
namespace {

struct Captured {
  explicit Captured(bool json, Level level = Level::info) : log(clock, {level, json, &text}) {}
  FakeClock clock;
  std::string text;
  Log log;
};

TEST(Log, WritesOneJsonLineWithRequestIdAndTypedFields) {
  Captured c(true);
  c.log.write(Level::info, "call.refused", {{"tool", "add"}, {"status", 403}, {"allow", false}, {"took", 0.5}}, "r-1");
  EXPECT_EQ(c.text, "{\"timestamp\":\"2026-09-21T14:13:20.000000Z\",\"level\":\"info\",\"event\":\"call.refused\","
                    "\"request_id\":\"r-1\",\"tool\":\"add\",\"status\":403,\"allow\":false,\"took\":0.5}\n");
}

TEST(Log, WritesOneTextLine) {
  Captured c(false);
  c.log.warning("slow client", {{"address", "127.0.0.1:5"}, {"note", "two words"}, {"none", ""}});
  EXPECT_EQ(c.text,
            "2026-09-21T14:13:20.000000Z warning slow client address=127.0.0.1:5 note=\"two words\" none=\"\"\n");
}

TEST(Log, PassesOverWhatIsBelowItsLevel) {
  Captured c(false, Level::warning);
  c.log.info("quiet");
  EXPECT_EQ(c.text, "");
  c.log.set_level(Level::debug);
  c.log.debug("loud");
  EXPECT_NE(c.text, "");
}

TEST(Log, HoldsAFloodBackAndSaysHowMuch) {
  Captured c(false);
  FloodGate gate(2);
  for (int i = 0; i < 100; ++i) c.log.write(gate, Level::warning, "bad frame");
  EXPECT_EQ(std::ranges::count(c.text, '\n'), 2);
  c.clock.advance(std::chrono::seconds(1));
  c.text.clear();
  c.log.write(gate, Level::warning, "bad frame");
  EXPECT_NE(c.text.find("held_back=98"), std::string::npos);
}

// S2 section 7: log injection.
TEST(LogAbuse, NoValueCanStartALineOrEndItsQuotes) {
  const std::string attack = "x\r\n2026 error forged=\"1\"\x1b[2J\xc2\x9b\xe2\x80\xa8\xe2\x80\xae\xff\0end";
  for (const bool json : {false, true}) {
    Captured c(json);
    c.log.write(Level::info, attack, {{"value", attack}, {"key", std::string("a\0b", 3)}}, attack);
    EXPECT_EQ(std::ranges::count(c.text, '\n'), 1) << c.text;
    for (const char* bad : {"\r", "\x1b", "\xc2\x9b", "\xe2\x80\xa8", "\xe2\x80\xae", "\xff"}) {
      EXPECT_EQ(c.text.find(bad), std::string::npos) << c.text;
    }
    EXPECT_EQ(c.text.find("forged=\"1\""), std::string::npos) << c.text;
  }
}

TEST(LogAbuse, CutsAValueAtItsLimit) {
  std::string out;
  append_escaped(out, std::string(100'000, 'a'), EscapeStyle::json);
  EXPECT_EQ(out.size(), 4096U + 3);
}

TEST(LogAbuse, RefusesOverlongAndSurrogateForms) {
  std::string out;
  append_escaped(out, "\xc0\xaf\xed\xa0\x80\xf5\x80\x80\x80\xe2\x82", EscapeStyle::json);
  EXPECT_EQ(out, "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd");
}

}  // namespace
}  // namespace sallyport::telemetry
