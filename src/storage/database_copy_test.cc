#include "storage/database_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "storage/sqlite_repository.h"
#include "storage/test_home.h"

namespace sallyport::storage {
namespace {

class DatabaseCopy : public testing::Test {
 protected:
  TestHome home;
  FakeClock clock;
  std::string from = home.path("sallyport.db"), to = home.path("copy.db");
  std::unique_ptr<SqliteRepository> store = *SqliteRepository::open(from, clock);
  static bool go_on() { return true; }
};

TEST_F(DatabaseCopy, IsTheDatabaseWhileItIsOpen) {
  ASSERT_TRUE(store->put_meta("word", "one"));
  ASSERT_TRUE(copy_database(from, to, go_on));
  ASSERT_TRUE(store->put_meta("word", "two"));
  EXPECT_TRUE(check_database(to));
  EXPECT_FALSE(std::filesystem::exists(to + "-wal"));
  struct stat info{};
  ASSERT_EQ(::stat(to.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const auto copy = SqliteRepository::open(to, clock);
  ASSERT_TRUE(copy);
  EXPECT_EQ(**(*copy)->get_meta("word"), "one");
}

// Others write in the middle of it: the copy is of one moment, and ends.
TEST_F(DatabaseCopy, IsOfOneMoment) {
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(store->put_meta("before" + std::to_string(i), std::string(100'000, 'x')));
  int turns = 0;
  const auto writes = [&] { return store->put_meta("during" + std::to_string(++turns), "y").has_value(); };
  const auto copied = copy_database(from, to, writes);
  ASSERT_TRUE(copied) << copied.error().detail;
  EXPECT_GT(turns, 2);
  const auto copy = SqliteRepository::open(to, clock);
  ASSERT_TRUE(copy);
  EXPECT_TRUE(**(*copy)->get_meta("before39") == std::string(100'000, 'x'));
  EXPECT_FALSE(*(*copy)->get_meta("during1"));
}

TEST_F(DatabaseCopy, EndsWhereItIsToldTo) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(store->put_meta("before" + std::to_string(i), std::string(100'000, 'x')));
  const auto copied = copy_database(from, to, [] { return false; });
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, Code::cancelled);
}

TEST_F(DatabaseCopy, OverwritesNothing) {
  home.write("copy.db", "mine");
  EXPECT_FALSE(copy_database(from, to, go_on));
}

TEST_F(DatabaseCopy, CheckFindsWhatIsNoHealthyDatabaseOfOurs) {
  EXPECT_FALSE(check_database(home.path("none.db")));
  home.write("text.db", "no database at all, but long enough to be looked at for one");
  EXPECT_FALSE(check_database(home.path("text.db")));
  home.write("empty.db", "");
  EXPECT_FALSE(check_database(home.path("empty.db")));
  ASSERT_TRUE(copy_database(from, to, go_on));
  std::filesystem::resize_file(to, std::filesystem::file_size(to) - 4096);
  EXPECT_FALSE(check_database(to));
}

}  // namespace
}  // namespace sallyport::storage
