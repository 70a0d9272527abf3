#include "storage/sqlite.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/database_copy.h"
#include "storage/home_lock.h"
#include "storage/migrations.h"
#include "storage/sqlite_repository.h"
#include "storage/test_home.h"

namespace sallyport::storage {
namespace {

const SystemClock kClock;

TEST(Sqlite, AMissingBindIsAnError) {
  const TestHome home;
  Sqlite db = std::move(*Sqlite::open(home.path("db")));
  ASSERT_TRUE(db.script("make", "CREATE TABLE t (a TEXT, b TEXT)"));
  EXPECT_EQ(db.run("put", "INSERT INTO t VALUES (?, ?)", "one").error().code, Code::storage);
  EXPECT_EQ(db.run("put", "INSERT INTO t VALUES (?, ?)", "one", "two", "three").error().code, Code::storage);
  EXPECT_EQ(db.run("count", "SELECT 1; DROP TABLE t").error().code, Code::storage);  // one statement only
  EXPECT_EQ(db.run("put", "INSERT INTO t VALUES (?, ?)", "one", "two").value(), 1);
}

TEST(Sqlite, AStatementStartsAfreshAfterAnError) {
  const TestHome home;
  Sqlite db = std::move(*Sqlite::open(home.path("db")));
  ASSERT_TRUE(db.script("make", "CREATE TABLE t (a TEXT UNIQUE) STRICT"));
  Statement put = std::move(*db.prepare("put", "INSERT INTO t VALUES (?)"));
  EXPECT_TRUE(put.bind("x").run());
  EXPECT_EQ(put.bind("x").run().error().code, Code::already_exists);
  EXPECT_TRUE(put.bind("y").run());
}

TEST(Sqlite, AbandonedTransactionsLeaveNothing) {
  const TestHome home;
  Sqlite db = std::move(*Sqlite::open(home.path("db")));
  ASSERT_TRUE(db.script("make", "CREATE TABLE t (a TEXT)"));
  {
    auto transaction = Transaction::begin(db);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(db.run("put", "INSERT INTO t VALUES (?)", "x"));
  }
  EXPECT_EQ(db.pragma("count", "SELECT count(*) FROM t").value(), 0);
}

TEST(Sqlite, OpensWithTheSafeSettings) {
  const TestHome home;
  Sqlite db = std::move(*Sqlite::open(home.path("db")));
  EXPECT_EQ(db.pragma("x", "PRAGMA foreign_keys").value(), 1);
  EXPECT_EQ(db.pragma("x", "PRAGMA synchronous").value(), 2);
  EXPECT_EQ(db.pragma("x", "PRAGMA secure_delete").value(), 1);
}

TEST(SqliteRepository, IsForItsOwnerOnly) {
  const TestHome home;
  auto repository = SqliteRepository::open(home.path("sallyport.db"), kClock);
  ASSERT_TRUE(repository);
  ASSERT_TRUE((*repository)->put_meta("a", "b"));
  for (const char* name : {"sallyport.db", "sallyport.db-wal", "sallyport.db-shm"}) {
    struct stat info{};
    ASSERT_EQ(::stat(home.path(name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << name;
  }
  EXPECT_FALSE((*repository)->narrowed());
}

TEST(SqliteRepository, MendsWidePermissionsAndSaysSo) {
  const TestHome home;
  ASSERT_TRUE(SqliteRepository::open(home.path("sallyport.db"), kClock));
  ::chmod(home.path("sallyport.db").c_str(), 0644);
  auto repository = SqliteRepository::open(home.path("sallyport.db"), kClock);
  ASSERT_TRUE(repository);
  EXPECT_TRUE((*repository)->narrowed());
  struct stat info{};
  ::stat(home.path("sallyport.db").c_str(), &info);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST(SqliteRepository, RefusesASymlink) {
  const TestHome home;
  home.write("elsewhere", "");
  ASSERT_EQ(::symlink(home.path("elsewhere").c_str(), home.path("sallyport.db").c_str()), 0);
  EXPECT_FALSE(SqliteRepository::open(home.path("sallyport.db"), kClock));
}

TEST(SqliteRepository, RefusesForeignFilesAndSaysWhy) {
  const TestHome home;
  home.write("sallyport.db", std::string(5000, 'x'));
  const auto garbage = SqliteRepository::open(home.path("sallyport.db"), kClock);
  ASSERT_FALSE(garbage);
  EXPECT_NE(garbage.error().detail.find("not a Sallyport database"), std::string::npos) << garbage.error().detail;
  {
    Sqlite other = std::move(*Sqlite::open(home.path("other.db")));
    ASSERT_TRUE(other.script("make", "CREATE TABLE theirs (a TEXT)"));
  }
  const auto foreign = SqliteRepository::open(home.path("other.db"), kClock);
  ASSERT_FALSE(foreign);
  EXPECT_NE(foreign.error().detail.find("another program"), std::string::npos) << foreign.error().detail;
}

TEST(SqliteRepository, RefusesANewerSchemaWithItsVersion) {
  const TestHome home;
  ASSERT_TRUE(SqliteRepository::open(home.path("sallyport.db"), kClock));
  {
    Sqlite db = std::move(*Sqlite::open(home.path("sallyport.db")));
    ASSERT_TRUE(db.run("x", "INSERT INTO migrations VALUES (?, 0)", std::int64_t{newest_version() + 1}));
  }
  const auto refused = SqliteRepository::open(home.path("sallyport.db"), kClock);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().detail.find("newer program"), std::string::npos) << refused.error().detail;
}

// No number that was written there leads beyond the steps that there are.
TEST(SqliteRepository, RefusesASchemaVersionThatNoProgramWrote) {
  for (const std::int64_t version :
       {std::int64_t{-3}, std::int64_t{INT64_MIN}, std::int64_t{1} << 32, (std::int64_t{1} << 32) + 1}) {
    const TestHome home;
    ASSERT_TRUE(SqliteRepository::open(home.path("sallyport.db"), kClock));
    {
      Sqlite db = std::move(*Sqlite::open(home.path("sallyport.db")));
      ASSERT_TRUE(db.run("x", "DELETE FROM migrations"));
      ASSERT_TRUE(db.run("x", "INSERT INTO migrations VALUES (?, 0)", version));
    }
    const auto refused = SqliteRepository::open(home.path("sallyport.db"), kClock);
    ASSERT_FALSE(refused) << version;
    EXPECT_NE(refused.error().detail.find("schema version " + std::to_string(version)), std::string::npos);
    EXPECT_FALSE(check_database(home.path("sallyport.db"))) << version;
  }
}

// For doctor and audit verify, beside a gateway of another version.
TEST(SqliteRepository, IsLookedAtWithoutBeingMadeOrChanged) {
  const TestHome home;
  const std::string path = home.path("sallyport.db");
  EXPECT_EQ(SqliteRepository::open_to_read(path).error().code, Code::not_found);
  EXPECT_FALSE(std::filesystem::exists(path));
  auto running = SqliteRepository::open(path, kClock);
  ASSERT_TRUE(running);
  ASSERT_TRUE((*running)->put_checkpoint({7, kClock.wall(), "hash", "line"}));
  {
    Sqlite db = std::move(*Sqlite::open(path));  // as an older program left it
    ASSERT_TRUE(db.run("x", "DELETE FROM migrations WHERE version = ?", std::int64_t{newest_version()}));
  }
  {
    const auto read = SqliteRepository::open_to_read(path);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(*(*read)->schema_version(), newest_version() - 1);
    EXPECT_TRUE((*read)->check());
    EXPECT_EQ((*read)->last_checkpoints(1)->front().number, 7U);
    EXPECT_FALSE((*read)->put_meta("a", "b"));
  }
  ASSERT_TRUE((*running)->put_meta("still", "at work"));
  EXPECT_EQ(*(*running)->schema_version(), newest_version() - 1);
  home.write("empty.db", "");
  EXPECT_FALSE(SqliteRepository::open_to_read(home.path("empty.db")));
}

TEST(SqliteRepository, EveryDamagedPageIsAnErrorOrSeenByTheCheck) {
  const TestHome home;
  {
    auto repository = SqliteRepository::open(home.path("sallyport.db"), kClock);
    for (int i = 0; i < 50; ++i) ASSERT_TRUE((*repository)->put_meta("k" + std::to_string(i), std::string(500, 'v')));
  }
  const auto size = std::filesystem::file_size(home.path("sallyport.db"));
  for (std::uintmax_t at = 4096; at < size; at += 4096) {
    std::filesystem::copy_file(home.path("sallyport.db"), home.path("hurt.db"),
                               std::filesystem::copy_options::overwrite_existing);
    std::fstream(home.path("hurt.db"), std::ios::in | std::ios::out).seekp(static_cast<std::streamoff>(at)) << "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF";
    auto hurt = SqliteRepository::open(home.path("hurt.db"), kClock);
    if (!hurt) continue;
    EXPECT_FALSE((*hurt)->check() && (*hurt)->load()) << "page " << at / 4096;
  }
}

TEST(HomeLock, TwoProcessesNeverShareAHome) {
  const TestHome home;
  auto lock = HomeLock::take(home.path());
  ASSERT_TRUE(lock);
  const auto second = HomeLock::take(home.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_NE(second.error().detail.find(std::to_string(::getpid())), std::string::npos);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(HomeLock::take(home.path()) ? 1 : 0);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(HomeLock::take(home.path(), std::chrono::seconds(1))) << "patience ends";
  const pid_t waiting = ::fork();
  if (waiting == 0) {
    {
      const HomeLock copied = std::move(*lock);
    }  // the fork's descriptor would hold it too
    ::_exit(HomeLock::take(home.path(), std::chrono::seconds(60)) ? 0 : 1);
  }
  { const HomeLock gone = std::move(*lock); }
  ::waitpid(waiting, &status, 0);
  EXPECT_EQ(status, 0) << "who is patient gets it";
  EXPECT_TRUE(HomeLock::take(home.path()));
}

}  // namespace
}  // namespace sallyport::storage
