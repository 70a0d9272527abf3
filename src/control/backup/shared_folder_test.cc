// Several homes that keep their backups in one folder: what one cannot tell to be its own is not its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/backup/desk.h"
#include "control/backup/test_support.h"

namespace sallyport::backup {
namespace {

using testing::HasSubstr;

class SharedFolder : public testing::Test {
 protected:
  SharedFolder() { other.clock.advance(std::chrono::hours(24)); }
  Tools tools_of(TestBackups& home, const std::string& owner) {
    Tools tools = home.tools();
    tools.keys.owner = owner;
    return tools;
  }
  Result<Made> make(TestBackups& home, const std::string& owner) {
    Places places = home.places();
    places.folder = folder.path();
    home.clock.advance(std::chrono::seconds(60));
    return create(places, tools_of(home, owner), {});
  }
  std::string put(const std::string& name) {
    write_file(folder.path(name), "half");
    return folder.path(name);
  }
  TestFolder folder;
  TestBackups mine, other;
};

// S2-11: neither the backups of another gateway nor what it is writing go, nor do its own count for this one.
TEST_F(SharedFolder, KeepsWhatAnotherHomePutThere) {
  const auto first = make(mine, "aaaa");
  ASSERT_TRUE(first);
  std::vector<std::string> theirs;
  for (int i = 0; i < 3; ++i) {
    const auto made = make(other, "bbbb");
    ASSERT_TRUE(made);
    theirs.push_back(made->name);
  }
  const std::string own = put(first->name + ".aaaa.draft"), foreign = put(theirs[0] + ".bbbb.draft"),
                    untold = put(theirs[0] + ".draft");
  std::filesystem::copy_file(folder.path(first->name), folder.path(first->name + ".draft"));
  const Tools tools = tools_of(mine, "aaaa");
  const auto pruned = prune(folder.path(), 1, {&tools.keys, nullptr});
  ASSERT_TRUE(pruned);
  EXPECT_TRUE(pruned->gone.empty());
  EXPECT_EQ(pruned->strange.size(), 3U);
  EXPECT_FALSE(exists(own));
  EXPECT_FALSE(exists(folder.path(first->name + ".draft"))) << "of before drafts told whose they are: its head opens";
  EXPECT_TRUE(exists(foreign));
  EXPECT_TRUE(exists(untold));
  for (const auto& name : theirs) EXPECT_TRUE(exists(folder.path(name))) << name;
}

TEST_F(SharedFolder, PutsNothingInThePlaceOfWhatAnotherSetAside) {
  const auto first = make(mine, "aaaa"), second = make(mine, "aaaa"), theirs = make(other, "bbbb");
  ASSERT_TRUE(first && second && theirs);
  const std::string kept = put(theirs->name + ".bbbb.damaged");
  const Tools tools = tools_of(mine, "aaaa");
  const auto once = set_aside(folder.path(), first->name, tools.keys);
  ASSERT_TRUE(once);
  EXPECT_TRUE(exists(*once));
  ASSERT_TRUE(set_aside(folder.path(), second->name, tools.keys));
  EXPECT_FALSE(exists(*once));
  EXPECT_TRUE(exists(kept));
}

// The age of the newest, for the clock and the metrics, and whether there is one at all, are of this home's.
TEST_F(SharedFolder, IsMeasuredByTheOwnOnly) {
  ASSERT_TRUE(make(other, "bbbb"));
  Places places = mine.places();
  places.folder = folder.path();
  DeskRules rules;
  rules.made_in = [&] { return Result<std::optional<std::string>>(folder.path()); };
  Desk desk(places, tools_of(mine, "aaaa"), std::move(rules), [](const std::string&, bool) {});
  EXPECT_THAT(desk.metrics(), HasSubstr("sallyport_backup_last_success_timestamp_seconds 0\n"));
  const auto keys = desk.keys_in_use();
  ASSERT_FALSE(keys) << "its own are gone, and which keys they need is not known";
  EXPECT_THAT(keys.error().detail, HasSubstr("none of this home's is there now"));
}

}  // namespace
}  // namespace sallyport::backup
