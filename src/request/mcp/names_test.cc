#include "request/mcp/names.h"

#include <gtest/gtest.h>

namespace sallyport::mcp {
namespace {

ServerPtr server(const std::string& name, const std::string& prefix, bool enabled = true) {
  auto out = std::make_shared<ServerRecord>();
  out->name = name;
  out->prefix = prefix;
  out->enabled = enabled;
  return out;
}

Catalogue catalogue(std::initializer_list<ServerPtr> servers) {
  Catalogue out;
  for (const auto& one : servers) out.servers[one->name] = one;
  return out;
}

TEST(McpNames, RoundTrip) {
  const auto everything = server("everything", "every");
  const auto known = catalogue({everything, server("files", "files")});
  const auto name = resolve_name(known, expose_name(*everything, "get_sum"));
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->server, everything);
  EXPECT_EQ(name->name, "get_sum");  // the first "_" ends the prefix
  const auto uri = resolve_uri(known, expose_uri(*everything, "git+ssh://x/y"));
  ASSERT_TRUE(uri.has_value());
  EXPECT_EQ(uri->server, everything);
  EXPECT_EQ(uri->name, "git+ssh://x/y");  // the first "+" ends the prefix
}

TEST(McpNames, APartLiesBelowTheWhole) {
  for (const std::string_view part : {"x://a/b/c", "x://a/b/", "x://a/b?c", "x://a/b#c"})
    EXPECT_TRUE(is_part(part, "x://a/b")) << part;
  EXPECT_TRUE(is_part("x://a/b/c", "x://a/b/"));
  for (const std::string_view other : {"x://a/b", "x://a/bc", "x://a/", "x://a", "y://a/b/c", ""}) {
    EXPECT_FALSE(is_part(other, "x://a/b")) << other;
  }
  EXPECT_FALSE(is_part("x://a", ""));
}

TEST(McpNames, AnUnknownPrefixIsNobodys) {
  const auto known = catalogue({server("files", "files")});
  for (const std::string_view name : {"", "_", "file_x", "filesx", "FILES_x", "files"}) {
    EXPECT_FALSE(resolve_name(known, name).has_value()) << name;
  }
}

TEST(McpNames, ADisabledServerIsNobody) {
  EXPECT_FALSE(resolve_name(catalogue({server("files", "files", false)}), "files_x").has_value());
}

TEST(McpNames, APrefixWinsOverTheServerWithoutOne) {
  const auto bare = server("a-bare", "");
  const auto files = server("files", "files");
  const auto known = catalogue({bare, files});
  EXPECT_EQ(resolve_name(known, "files_read")->server, files);
  EXPECT_EQ(resolve_name(known, "other_read")->server, bare);
  EXPECT_EQ(resolve_name(known, "other_read")->name, "other_read");
}

TEST(McpNames, ResultsCarryExposedUris) {
  const auto one = server("one", "one");
  EXPECT_EQ(expose_result_uris(*one, R"({"content":[{"type":"resource_link","uri":"f:///a","name":"a"},{"type":"text","text":"\"uri\""}]})"),
            R"({"content":[{"type":"resource_link","uri":"one+f:///a","name":"a"},{"type":"text","text":"\"uri\""}]})");
  EXPECT_EQ(expose_result_uris(*one, R"({"content":[{"type":"resource","resource":{"uri":"f:///a","text":"t"}}],"isError":false})"),
            R"({"content":[{"type":"resource","resource":{"uri":"one+f:///a","text":"t"}}],"isError":false})");
  EXPECT_EQ(expose_result_uris(*one, R"({"contents":[{"uri":"f:///a","text":"t"}]})"),
            R"({"contents":[{"uri":"one+f:///a","text":"t"}]})");
  EXPECT_EQ(expose_result_uris(*one, R"({"messages":[{"role":"user","content":{"type":"resource_link","uri":"f:///a"}}]})"),
            R"({"messages":[{"role":"user","content":{"type":"resource_link","uri":"one+f:///a"}}]})");
}

TEST(McpNames, WhatHasNoUriIsUntouched) {
  const auto one = server("one", "one");
  const std::string_view text = R"({"content":[{"type":"text","text":"x"}],"structuredContent":{"uri":"f:///a"}})";
  EXPECT_EQ(expose_result_uris(*one, text), text);
  EXPECT_EQ(expose_result_uris(*server("two", ""), R"({"contents":[{"uri":"f:///a"}]})"), R"({"contents":[{"uri":"f:///a"}]})");
}

TEST(McpNames, HostileBlocksDoNotBreakTheResult) {
  const auto one = server("one", "one");
  for (const std::string_view text : {R"({"contents":[7,null,"uri",[],{"uri":7}]})", R"({"content":{"uri":"a"}})",
                                      R"({"content":[{"type":"resource","resource":7,"uri":"a"}]})", R"({"messages":["uri"]})"}) {
    EXPECT_EQ(expose_result_uris(*one, text), text);
  }
}

TEST(McpNames, ItemsByTheirKind) {
  const auto one = server("one", "one");
  EXPECT_EQ(expose_item(*one, R"({"uri":"f:///a","name":"a"})"), R"({"uri":"one+f:///a","name":"a"})");
  EXPECT_EQ(expose_item(*one, R"({"uriTemplate":"f:///{x}","name":"a"})"), R"({"uriTemplate":"one+f:///{x}","name":"a"})");
  EXPECT_EQ(expose_item(*one, R"({"name":"a\"b","title":"t"})"), R"({"name":"one_a\"b","title":"t"})");
}

}  // namespace
}  // namespace sallyport::mcp
