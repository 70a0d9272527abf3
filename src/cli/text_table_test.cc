#include "cli/text_table.h"

#include <gtest/gtest.h>

#include "json/document.h"

namespace sallyport::cli {
namespace {

json::Document doc(std::string_view text) {
  auto d = json::read_upstream_document(text);
  EXPECT_TRUE(d) << text;
  return d ? std::move(*d) : json::Document();
}

TEST(TextTable, AlignsByColumnsNotBytes) {
  const auto d =
      doc(R"([{"name":"é","n":1,"tags":["a","b"]},{"name":"日本","n":22,"tags":[]},{"name":"abc","n":null}])");
  EXPECT_EQ(render_table(d.root(), {{"name", "NAME"}, {"n", "N"}, {"tags", "TAGS"}}, false), "NAME  N   TAGS\n"
                                                                                             "é     1   a, b\n"
                                                                                             "日本  22  \n"
                                                                                             "abc       \n");
}

TEST(TextTable, ColoursNewsOnATerminalOnly) {
  const auto d = doc(R"([{"s":"denied"},{"s":"ok"},{"s":"x"}])");
  EXPECT_EQ(render_table(d.root(), {{"s", "S"}}, false).find('\x1b'), std::string::npos);
  const std::string coloured_text = render_table(d.root(), {{"s", "S"}}, true);
  EXPECT_NE(coloured_text.find("\x1b[31mdenied\x1b[0m"), std::string::npos);
  EXPECT_NE(coloured_text.find("\x1b[32mok\x1b[0m"), std::string::npos);
}

TEST(TextTable, CutsLongCells) {
  const auto d = doc(R"([{"d":"0123456789"}])");
  EXPECT_EQ(render_table(d.root(), {{"d", "D", 5}}, false), "D\n0123…\n");
  EXPECT_EQ(printable("01234", 5), "01234");
}

TEST(TextTable, ShowsAnyObjectAsLines) {
  const auto d = doc(R"({"name":"calc","tools":3,"env":{"A":"1"},"list":[{"x":true}]})");
  EXPECT_EQ(render_value(d.root(), false), "name:  calc\ntools: 3\nenv:\n  A: 1\nlist:\n  -\n    x: true\n");
}

// A tool's description is the upstream's text: it must not drive the operator's terminal.
TEST(TextTableAbuse, NoEscapeSequenceReachesTheTerminal) {
  const auto d = doc("[{\"d\":\"\\u001b]0;owned\\u0007\\u001b[2J a\\nb \\u009b31m \\u202egnp.exe \\ufeff\\u200b\"}]");
  const std::string text = render_table(d.root(), {{"d", "D"}}, false) + render_value(d.root(), false);
  for (const char* bad : {"\x1b", "\x07", "\xc2\x9b", "\xe2\x80\xae", "\xef\xbb\xbf", "\xe2\x80\x8b"})
    EXPECT_EQ(text.find(bad), std::string::npos);
  EXPECT_EQ(printable("a\xff\xfe"
                      "b"),
            "a��b");
}

}  // namespace
}  // namespace sallyport::cli
