#include "control/names.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::control {
namespace {

TEST(Names, MayBeOfEveryScript) {
  for (const std::string_view name :
       {"a", "Ada Lovelace", "ada.l-7_@x", "Zoë", "Ольга", "李小龍", "عمر", "...", "\U0001f680"}) {
    EXPECT_TRUE(check_name(name, "a name")) << name;
  }
  EXPECT_TRUE(check_name(std::string(255, 'a'), "a name"));
}

TEST(NamesAbuse, WhatIsNotSeenIsRefused) {
  for (const std::string_view part : {"\x1f",   "\n",     "\x7f",   "\u0085", "\u009f", "\u00a0", "\u00ad",    "\u061c",
                                      "\u180e", "\u2003", "\u200b", "\u200e", "\u200f", "\u2028", "\u202e",    "\u202f",
                                      "\u205f", "\u2060", "\u2066", "\u206f", "\u3000", "\ufeff", "\U000e0041"}) {
    const auto refused = check_name("ad" + std::string(part) + "min", "a name");
    ASSERT_FALSE(refused) << testing::PrintToString(part);
    EXPECT_EQ(refused.error().code, Code::validation);
  }
  EXPECT_FALSE(check_name(std::string_view("a\0b", 3), "a name"));
}

TEST(NamesAbuse, WhatIsNoUtf8OrNoNameIsRefused) {
  for (const std::string_view name :
       {"", " a", "a ", ".", "..", "a\x80", "a\xc3", "\xc0\xae", "\xe0\x80\xae", "\xed\xa0\x80", "\xf5\x80\x80\x80",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_FALSE(check_name(name, "a name")) << testing::PrintToString(name);
  }
  EXPECT_FALSE(check_name(std::string(256, 'a'), "a name"));
}

}  // namespace
}  // namespace sallyport::control
