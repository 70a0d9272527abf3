#include "model/label.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

TEST(Label, HasAFormOfItsOwn) {
  for (const char* good : {"private_data", "a", "x9_"}) EXPECT_TRUE(is_label(good)) << good;
  for (const char* bad : {"", "9a", "_a", "A", "private-data", "a b", "pri\u0441", "a\n"})
    EXPECT_FALSE(is_label(bad)) << bad;
  EXPECT_TRUE(is_label(std::string(32, 'a')));
  EXPECT_FALSE(is_label(std::string(33, 'a')));
}

TEST(Label, OfASinkStaysWithTheTool) {
  EXPECT_TRUE(stays_with_tool("external_sink"));
  EXPECT_TRUE(stays_with_tool("mail_sink"));
  EXPECT_FALSE(stays_with_tool("private_data"));
  EXPECT_FALSE(stays_with_tool("sinking"));
}

TEST(Label, ListsAreBoundedAndNameEachOnce) {
  EXPECT_TRUE(check_labels({"private_data", "external_sink"}));
  EXPECT_FALSE(check_labels({"private_data", "private_data"}));
  EXPECT_FALSE(check_labels({"Private"}));
  std::vector<std::string> many;
  for (int i = 0; i < 17; ++i) many.push_back("l" + std::to_string(i));
  EXPECT_FALSE(check_labels(many));
  many.pop_back();
  EXPECT_TRUE(check_labels(many));
  EXPECT_EQ(united({"b", "a"}, {"c", "a"}), (std::vector<std::string>{"a", "b", "c"}));
}

}  // namespace
}  // namespace sallyport
