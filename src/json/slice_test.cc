#include "json/slice.h"

#include <gtest/gtest.h>

#include "json/document.h"

namespace sallyport::json {
namespace {

TEST(JsonSlice, CutsMembersOut) {
  const std::string_view text =
      R"({"jsonrpc":"2.0","id":7,"method":"a\"}b","params":{"x":["]",{"id":1}]},"e\u0064":null})";
  EXPECT_EQ(member(text, "id"), "7");
  EXPECT_EQ(member(text, "method"), R"("a\"}b")");
  EXPECT_EQ(member(text, "params"), R"({"x":["]",{"id":1}]})");
  EXPECT_EQ(member(text, "ed"), "null");
  EXPECT_FALSE(member(text, "x"));
  EXPECT_FALSE(member("[1]", "x"));
  EXPECT_FALSE(member("{}", "x"));
}

TEST(JsonSlice, DecodesStrings) {
  EXPECT_EQ(*decode_string(R"("a\u00e9\ud834\udd1e\n")"), "a\xC3\xA9\xF0\x9D\x84\x9E\n");
  EXPECT_FALSE(decode_string("\"a"));
  EXPECT_FALSE(decode_string("7"));
  EXPECT_FALSE(decode_string("\""));
}

void expect_same(Value value) {
  const std::string_view raw = value.raw();
  std::vector<std::string> by_slice, by_document;
  for_each_member(raw, [&](std::string_view key, std::string_view v) {
    by_slice.push_back(*decode_string('"' + std::string(key) + '"') + "=" + std::string(v));
  });
  for_each_element(raw, [&](std::string_view v) { by_slice.emplace_back(v); });
  for (const auto [key, v] : value.members()) {
    by_document.push_back(std::string(key) + "=" + std::string(v.raw()));
    EXPECT_EQ(member(raw, key), v.raw());
    expect_same(v);
  }
  for (const Value v : value.elements()) {
    by_document.emplace_back(v.raw());
    expect_same(v);
  }
  EXPECT_EQ(by_slice, by_document);
}

TEST(JsonSlice, AgreesWithTheDocument) {
  for (const char* text :
       {R"({"a":{"b":[1,[],{},"]}",{"\"":"\\"}],"":[""]},"c\\":-1.5e9,"d":[true,false,null]})", "[]", "{}", "[[[]],{}]",
        R"({"long key over sixteen bytes \" yes":"long value over sixteen bytes ]}{[ \\\" x"})"}) {
    const auto d = read(text);
    ASSERT_TRUE(d) << text;
    expect_same(d->root());
  }
}

// Escapes and brackets at every place of the 64-byte blocks.
TEST(JsonSlice, FindsTheEndWhereverBlocksFall) {
  for (std::size_t shift = 0; shift < 140; ++shift) {
    for (const char* inner : {R"("\\")", R"("\"]}")", R"("]}[{")", R"({"a":[[]],"b\\":"\""})", R"(["\\\"","]"])"}) {
      const std::string value = "[\"" + std::string(shift, 'x') + "\"," + inner + ",[1]]";
      const std::string text = R"({"v":)" + value + R"(,"w":{}})";
      ASSERT_TRUE(read(text)) << text;
      EXPECT_EQ(member(text, "v"), value);
      EXPECT_EQ(member(text, "w"), "{}");
    }
  }
}

// Never out of bounds, whatever comes (ASan looks on).
TEST(JsonSlice, StaysInsideTruncatedText) {
  const std::string text = R"({"a":[1,{"b":"x\"y"}],"c":"\\"})";
  for (std::size_t n = 0; n <= text.size(); ++n) {
    const auto piece = std::make_unique<char[]>(n);
    std::copy_n(text.data(), n, piece.get());
    const std::string_view view(piece.get(), n);
    (void)member(view, "nothing");
    for_each_member(view, [](std::string_view, std::string_view) {});
    for_each_element(view.substr(std::min<std::size_t>(n, 5)), [](std::string_view) {});
  }
}

}  // namespace
}  // namespace sallyport::json
