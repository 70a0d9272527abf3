// What is removed from a folder of backups, and what is believed of what lies there (S2-11, S0-37).
#include "control/backup/shelf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/backup/test_support.h"

namespace sallyport::backup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Shelf : public testing::Test {
 protected:
  Made add(bool incremental = true) {
    t.write("sallyport.db", "DATABASE " + std::to_string(++made_));
    return t.make({nullptr, true, incremental}).value();
  }
  [[nodiscard]] Result<Pruned> keep(std::size_t count) {
    const Tools tools = t.tools();
    return prune(t.home("backups"), count, {&tools.keys, nullptr});
  }
  // What whoever can write to the folder can put there: a head with the id of that one, an early date, and no base.
  std::string forge(const Made& of) {
    std::string head = read_file(t.file(of));
    head.resize(header_length(std::string_view(head).substr(0, kFixedHeadBytes)).value());
    head.replace(32, 24, std::string(23, '\0') + '\1');
    const std::string name = file_name(read_header(head).value());
    write_file(t.home("backups/" + name), head + 'x');
    return name;
  }
  TestBackups t;

 private:
  int made_ = 0;
};

TEST_F(Shelf, AForgedIdCutsNoChain) {
  const Made full = add(), middle = add(), newest = add();
  ASSERT_EQ(newest.base, middle.id);
  const std::string forged = forge(middle);
  const auto pruned = keep(1);
  ASSERT_TRUE(pruned) << pruned.error().detail;
  EXPECT_THAT(pruned->gone, IsEmpty());
  EXPECT_THAT(pruned->strange, ElementsAre(forged));
  EXPECT_TRUE(exists(t.file(full)));
  EXPECT_TRUE(t.verify(t.file(newest)));
}

TEST_F(Shelf, AForgedIdHidesNoBackup) {
  const Made full = add(), middle = add(), newest = add();
  (void)forge(full);
  (void)forge(middle);
  const auto found = t.verify(t.file(newest));
  ASSERT_TRUE(found) << found.error().detail;
  const Made next = add();
  EXPECT_EQ(next.base, newest.id);
  std::vector<Shelved> all = backups_in(t.home("backups")).value();
  const Tools tools = t.tools();
  authenticate(t.home("backups"), all, {&tools.keys, nullptr});
  EXPECT_EQ(chain_length(all, all.back().header), 4U) << "not cut short, or more than 32 would add to one another";
}

TEST_F(Shelf, RemovesNothingWhileAKeptOneStandsOnWhatIsNotThere) {
  const Made old = add(false), full = add(false), middle = add(), newest = add();
  const std::string away = t.home("away"), bytes = read_file(t.file(full));
  ASSERT_TRUE(rename_file(t.file(full), away));
  auto refused = keep(1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr(full.id + " is not there"));
  std::string cut = bytes;
  cut.resize(cut.size() / 2);
  cut[cut.size() / 4] ^= 1;
  write_file(t.file(full), cut);  // its head opens no more than that
  refused = keep(1);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(exists(t.file(old)));
  ASSERT_TRUE(rename_file(away, t.file(full)));
  const auto pruned = keep(1);
  ASSERT_TRUE(pruned) << pruned.error().detail;
  EXPECT_THAT(pruned->gone, ElementsAre(old.name));
  EXPECT_TRUE(exists(t.file(middle)) && exists(t.file(newest)));
}

// The bytes of one are authentic as often as somebody copies them.
TEST_F(Shelf, CountsACopyAsNoBackupMore) {
  const Made first = add(false), second = add(false);
  const std::string bytes = read_file(t.file(second));
  for (const char* name :
       {"sallyport-20300101T000000Z-00000000.backup", "sallyport-20300101T000000Z-00000001.backup"}) {
    write_file(t.home("backups/") + name, bytes.substr(0, bytes.size() / 2));
  }
  const auto pruned = keep(2);
  ASSERT_TRUE(pruned) << pruned.error().detail;
  EXPECT_THAT(pruned->gone, IsEmpty());
  EXPECT_TRUE(exists(t.file(first)));
}

// A copy of a part of it, named so that it comes first.
TEST_F(Shelf, ReadsTheOneWhoseNameIsItsOwn) {
  const Made full = add(), newest = add();
  const std::string bytes = read_file(t.file(full));
  write_file(t.home("backups/sallyport-20000101T000000Z-00000000.backup"), bytes.substr(0, bytes.size() - 1));
  const auto found = t.verify(t.file(newest));
  EXPECT_TRUE(found) << found.error().detail;
}

// lost+found, say. As root reads everything, one that is too deep takes the place of one that cannot be read.
TEST_F(Shelf, ReadsNoFolderBelowItsOwn) {
  const Made old = add(false), newest = add(false);
  std::filesystem::create_directories(t.home("backups/lost+found/1/2/3/4/5/6/7/8/9"));
  std::filesystem::permissions(t.home("backups/lost+found"), std::filesystem::perms::none);
  const std::string draft = t.home("backups/" + old.name + ".draft");
  write_file(draft, "half");
  const auto pruned = keep(1);
  const Tools tools = t.tools();
  const auto aside = set_aside(t.home("backups"), newest.name, tools.keys);
  std::filesystem::permissions(t.home("backups/lost+found"), std::filesystem::perms::owner_all);
  ASSERT_TRUE(pruned) << pruned.error().detail;
  EXPECT_THAT(pruned->gone, ElementsAre(old.name));
  EXPECT_EQ(pruned->failed, "");
  EXPECT_FALSE(exists(draft));
  EXPECT_TRUE(aside) << aside.error().detail;
}

TEST_F(Shelf, SaysWhatWasRemovedWhereTheRestFailed) {
  const Made old = add(false), newest = add(false);
  for (int i = 0; i <= 20'000; ++i) {
    std::ofstream(t.home("backups/sallyport-") + std::to_string(i) + ".draft");
  }
  const auto pruned = keep(1);
  ASSERT_TRUE(pruned) << pruned.error().detail;
  EXPECT_THAT(pruned->gone, ElementsAre(old.name));
  EXPECT_THAT(pruned->failed, HasSubstr("too many files"));
  EXPECT_TRUE(exists(t.file(newest)));
}

}  // namespace
}  // namespace sallyport::backup
