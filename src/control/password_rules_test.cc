#include "control/password_rules.h"

#include <gtest/gtest.h>

#include "crypto/known_secrets.h"

namespace sallyport::control {
namespace {

using std::chrono::days;
using std::chrono::microseconds;
using enum PasswordProfile;

std::optional<std::string> guide_problem(std::string_view password, std::string_view name = "bob") {
  return password_problem(guide, password, {.name = name, .email = {}});
}
std::optional<std::string> nist_problem(std::string_view password, bool second_factor = false) {
  return password_problem(nist, password,
                          {.name = "bob", .email = "robert.tables@example.org", .second_factor = second_factor});
}

TEST(PasswordRules, GuideWantsTwelveCharactersOfFourClasses_S2_35) {
  EXPECT_EQ(guide_problem("Vkcdqfgzij1!"), std::nullopt);
  EXPECT_EQ(guide_problem("Vkcdqfgzi1!"), "The password has fewer than 12 characters");
  for (const char* bad : {"vkcdqfgzijk1!", "VKCDQFGZIJK1!", "Vkcdqfgzijkl!", "Vkcdqfgzijk12"}) {
    EXPECT_EQ(guide_problem(bad), "The password needs an upper-case letter, a lower-case letter, a digit and a symbol");
  }
  EXPECT_EQ(guide_problem("Äkcdqfgzij1A"), std::nullopt) << "a letter beyond ASCII counts as a symbol";
  EXPECT_TRUE(guide_problem("Vk1!ääää").has_value()) << "characters are counted, not bytes";
}

// NIST SP 800-63B-4, 3.1.1.2.
TEST(PasswordRules, NistWantsFifteenCharactersOfAnyKind_C21) {
  EXPECT_EQ(nist_problem("vkcdqfgzijmwuyt"), std::nullopt);
  EXPECT_EQ(nist_problem("vkcdqfgzijmwuy"), "The password has fewer than 15 characters");
  EXPECT_EQ(nist_problem("violet tractor under the moss"), std::nullopt) << "spaces are characters";
  EXPECT_EQ(nist_problem("ключ под ковриком"), std::nullopt);
  EXPECT_TRUE(nist_problem("Vkcdqfgzij1!").has_value()) << "classes do not stand for length";
}

TEST(PasswordRules, NistWantsEightWhereThereIsASecondFactor_C21) {
  EXPECT_EQ(nist_problem("vkcdqfgz", true), std::nullopt);
  EXPECT_EQ(nist_problem("vkcdqfg", true), "The password has fewer than 8 characters");
  EXPECT_TRUE(nist_problem("sunshine", true).has_value()) << "common all the same";
}

TEST(PasswordRules, BothRefuseDefaultsAndControlCharacters) {
  EXPECT_EQ(guide_problem("admin", "admin"), "The password is a published default");
  EXPECT_EQ(guide_problem("Change-Me-Now-1"), "The password is a published default");
  EXPECT_EQ(nist_problem("change-me-now-please"), "The password is a published default");
  EXPECT_EQ(guide_problem("Vkcdqfgzij1!\n"), "The password contains control characters");
  EXPECT_EQ(nist_problem("vkcdqfgzijmwuyt\x7f"), "The password contains control characters");
  EXPECT_TRUE(guide_problem(std::string(1'025, 'A') + "b1!").has_value());
}

TEST(PasswordRules, TheGuidesDefaultsAreRefusedForEver_C8) {
  EXPECT_EQ(guide_problem("admin/admin", "root"), "The password is a published default");
  EXPECT_EQ(guide_problem(crypto::kPublishedApiKey, "root"), "The password is a published default");
  EXPECT_EQ(nist_problem(crypto::kPublishedApiKey), "The password is a published default");
}

TEST(PasswordRules, BothRefuseContextWords) {
  EXPECT_TRUE(guide_problem("Xy1!-Admin-Alice", "admin-alice").has_value());
  EXPECT_TRUE(nist_problem("my Robert.Tables is best").has_value()) << "the name in the e-mail address";
  EXPECT_TRUE(nist_problem("kqzv sallyport wmxj").has_value());
  EXPECT_EQ(nist_problem("bobsleigh in a quarry"), std::nullopt) << "a name of three letters is in too many words";
}

TEST(PasswordRules, BothRefuseOneOrTwoCommonWords) {
  for (const char* bad : {"sunshine sunshine!", "Strawberry-basketball", "qwertyuiop123456", "1234567890123456",
                          "iloveyouiloveyou!!", "m-o-n-k-e-y dragon 77"}) {
    EXPECT_TRUE(nist_problem(bad).has_value()) << bad;
  }
  EXPECT_TRUE(guide_problem("Strawberry-12!").has_value());
  EXPECT_EQ(nist_problem("strawberry basketball quarry"), std::nullopt) << "a third word makes it one's own";
}

TEST(PasswordRules, BothRefusePatterns) {
  for (const char* bad : {"aaaaaaaaaaaaaaaa", "xyzxyzxyzxyzxyzxyz", "ponmlkjihgfedcba", "3333333333333333"}) {
    EXPECT_TRUE(nist_problem(bad).has_value()) << bad;
  }
}

TEST(PasswordRules, GuideEndsAPasswordAfterNinetyDays_S2_36) {
  const WallTime set{days(20'000)};
  EXPECT_FALSE(password_expired(guide, set, set + days(90) - microseconds(1)));
  EXPECT_TRUE(password_expired(guide, set, set + days(90)));
  EXPECT_FALSE(password_expired(nist, set, set + days(10'000)));
}

TEST(PasswordRules, ThePasswordInUseAndFourBeforeItAreKept_S2_37) {
  UserRecord user;
  const WallTime now{days(20'000)};
  for (const char* hash : {"1", "2", "3", "4", "5", "6"}) put_password(user, hash, now);
  EXPECT_EQ(user.password_hash, "6");
  EXPECT_EQ(user.password_history, (std::vector<std::string>{"5", "4", "3", "2"}));
  EXPECT_EQ(user.password_set_at, now);
}

}  // namespace
}  // namespace sallyport::control
