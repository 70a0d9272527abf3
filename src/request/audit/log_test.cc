#include "request/audit/log.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>

#include <csignal>
#include <thread>

#include "request/audit/files.h"
#include "request/audit/tail.h"
#include "request/audit/test_audit.h"

namespace sallyport::audit {
namespace {

TEST(AuditLog, AnEmptyRunVerifies) {
  TestAudit home;
  auto log = home.open();
  ASSERT_TRUE(log);
  const Checkpoint last = (*log)->close().value();
  const Report report = verify(home.dir(), {known(last), {}}).value();
  EXPECT_TRUE(report.intact) << report.broken->why;
  EXPECT_EQ(report.unsealed, 0U);
}

TEST(AuditLog, KeepsItsFilesPrivate) {
  TestAudit home;
  auto log = home.open();
  ASSERT_TRUE(log);
  struct stat info{};
  ::stat(home.dir().c_str(), &info);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  for (const auto& [name, bytes] : home.files()) {
    ::stat(home.path(name).c_str(), &info);
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << name;
  }
}

TEST(AuditLog, MakesTheFoldersAboveItAsPrivate_S2_33) {
  TestAudit home;
  const std::string above = home.dir() + "/logs", dir = above + "/deep/audit.log";
  ASSERT_TRUE(make_private_dir(dir));
  struct stat info{};
  for (const std::string& path : {above, above + "/deep", dir}) {
    ASSERT_EQ(::stat(path.c_str(), &info), 0) << path;
    EXPECT_EQ(info.st_mode & 07777U, 0700U) << path;
  }
  EXPECT_TRUE(make_private_dir(dir)) << "and again";
  EXPECT_EQ(make_private_dir("/proc/no/such").error().code, Code::io);
}

TEST(AuditLog, TheRecordIsInTheFileWhenWriteReturns) {  // S0-17, intent before effect
  TestAudit home;
  auto log = home.open();
  ASSERT_TRUE((*log)->writer(0).write(home.record(Kind::intent, "r-visible")));
  EXPECT_NE(home.files().at(home.segments()[0]).find("r-visible"), std::string::npos);
}

TEST(AuditLog, ChecksPointOnlyWhenSomethingChanged) {
  TestAudit home;
  auto log = home.open();
  EXPECT_TRUE((*log)->checkpoint().value().has_value());
  EXPECT_FALSE((*log)->checkpoint().value().has_value());
  ASSERT_TRUE((*log)->writer(0).write(home.record(Kind::event, "x")));
  EXPECT_TRUE((*log)->checkpoint().value().has_value());
}

TEST(AuditLog, RotatesBySizeAndStillVerifies) {
  TestAudit home;
  LogOptions options;
  options.segment_bytes_max = 3000;
  auto log = home.open(options);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE((*log)->writer(0).write(home.record(Kind::event, std::to_string(i))));
    if (i % 7 == 0) {
      ASSERT_TRUE((*log)->checkpoint());
    }
  }
  const Checkpoint last = (*log)->close().value();
  EXPECT_GT(home.segments().size(), 3U);
  const Report report = verify(home.dir(), {known(last), {}}).value();
  EXPECT_TRUE(report.intact) << report.broken->why;
  EXPECT_EQ(report.records, 50U + home.segments().size());
}

TEST(AuditLog, ManyWritersAndCheckpointsAtOnce) {
  TestAudit home;
  LogOptions options;
  options.writers = 3;
  options.segment_bytes_max = 20000;
  auto log = home.open(options);
  std::vector<std::thread> workers;
  for (unsigned w = 0; w < 3; ++w) {
    workers.emplace_back([&, w] {
      AuditRecord record;
      record.request_id = "r";
      for (int i = 0; i < 500; ++i) ASSERT_TRUE((*log)->writer(w).write(record));
    });
  }
  for (int i = 0; i < 50; ++i) ASSERT_TRUE((*log)->checkpoint());
  for (std::thread& worker : workers) worker.join();
  const Checkpoint last = (*log)->close().value();
  const Report report = verify(home.dir(), {known(last), {}}).value();
  EXPECT_TRUE(report.intact) << report.broken->file << report.broken->line << report.broken->why;
  EXPECT_EQ(report.records, 1500U + report.segments);
}

TEST(AuditLog, DeletesOldSegmentsOnlyWithASignedRetirement) {  // S0-18 AUDIT_LOG_RETENTION_DAYS
  TestAudit home;
  ASSERT_TRUE(home.open().value()->close());
  const std::string old = home.segments().at(0);
  const timespec long_ago[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, home.path(old).c_str(), long_ago, 0), 0);
  auto log = home.open();
  ASSERT_TRUE((*log)->checkpoint());
  const Checkpoint last = (*log)->close().value();
  EXPECT_FALSE(std::filesystem::exists(home.path(old)));
  const Report report = verify(home.dir(), {known(last), {}}).value();
  EXPECT_TRUE(report.intact) << report.broken->why;
}

TEST(AuditLog, ListsIntentsWithoutAnOutcome) {
  TestAudit home;
  auto log = home.open();
  ASSERT_TRUE((*log)->writer(0).write(home.record(Kind::intent, "done")));
  ASSERT_TRUE((*log)->writer(0).write(home.record(Kind::intent, "lost")));
  const AuditRecord pair[2] = {home.record(Kind::outcome, "done"), home.record(Kind::refusal, "no")};
  ASSERT_TRUE((*log)->writer(0).write_all(std::array<const AuditRecord*, 2>{&pair[0], &pair[1]}));
  ASSERT_TRUE((*log)->close());
  const Report report = verify(home.dir()).value();
  EXPECT_TRUE(report.intact);
  ASSERT_EQ(report.unfinished.size(), 1U);
  EXPECT_NE(report.unfinished[0].why.find("lost"), std::string::npos);
  EXPECT_EQ(report.unfinished[0].line, 3U);
}

// --- kill -9 ---

TEST(AuditRecovery, ATornLineIsSetAsideAndIsNoTampering) {
  TestAudit home;
  {
    auto log = home.open();
    ASSERT_TRUE((*log)->writer(0).write(home.record(Kind::intent, "r1")));
    ASSERT_TRUE((*log)->checkpoint());
    ASSERT_TRUE((*log)->writer(0).write(home.record(Kind::intent, "r2")));
  }  // no close(): killed
  const std::string segment = home.segments()[0];
  TestAudit::write(home.path(segment), home.files()[segment] + "{\"seq\":3,\"timest");
  const Report before = verify(home.dir()).value();
  EXPECT_TRUE(before.intact);
  EXPECT_EQ(before.torn.size(), 1U);
  EXPECT_EQ(before.unsealed, 1U);

  auto log = home.open();
  ASSERT_TRUE(log);
  ASSERT_EQ((*log)->notices().size(), 1U);
  const Checkpoint last = (*log)->close().value();
  EXPECT_TRUE(std::filesystem::exists(home.path(segment.substr(0, segment.size() - 6) + ".torn")));
  const Report after = verify(home.dir(), {known(last), {}}).value();
  EXPECT_TRUE(after.intact) << after.broken->why;
  EXPECT_TRUE(after.torn.empty());
  EXPECT_EQ(after.unsealed, 0U);
}

TEST(AuditRecovery, HoldsEveryAcknowledgedRecordOfAKilledProcess) {
  TestAudit home;
  int acknowledged[2];
  ASSERT_EQ(::pipe(acknowledged), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto log = home.open();
    for (int i = 0;; ++i) {
      if (!(*log)->writer(0).write(home.record(Kind::intent, "r" + std::to_string(i)))) ::_exit(1);
      if (i % 10 == 0) (void)(*log)->checkpoint();
      if (::write(acknowledged[1], &i, sizeof i) != sizeof i) ::_exit(1);
    }
  }
  int last = 0;
  for (int i = 0; i < 500; ++i) ASSERT_EQ(::read(acknowledged[0], &last, sizeof last), ssize_t{sizeof last});
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ASSERT_EQ(::close(acknowledged[1]), 0);
  for (int next = 0; ::read(acknowledged[0], &next, sizeof next) == ssize_t{sizeof next};) last = next;
  ::close(acknowledged[0]);
  auto log = home.open();
  ASSERT_TRUE(log);
  ASSERT_TRUE((*log)->close());
  const Report report = verify(home.dir()).value();
  EXPECT_TRUE(report.intact) << report.broken->why;
  EXPECT_GE(report.records, static_cast<std::uint64_t>(last) + 1);
}

TEST(AuditRecovery, TamperingBeforeAStartIsNotForgivenByIt) {
  TestAudit home;
  {
    auto log = home.open();
    ASSERT_TRUE((*log)->writer(0).write(home.record(Kind::intent, "r1")));
    ASSERT_TRUE((*log)->checkpoint());
  }
  const std::string segment = home.segments()[0];
  std::vector<std::string> lines = split(home.files()[segment]);
  lines.pop_back();
  TestAudit::write(home.path(segment), join(lines));
  auto log = home.open();
  ASSERT_TRUE(log);
  EXPECT_EQ((*log)->notices().size(), 1U);
  ASSERT_TRUE((*log)->close());
  const Report report = verify(home.dir()).value();
  ASSERT_FALSE(report.intact);
  EXPECT_EQ(report.broken->file, segment);
  EXPECT_EQ(report.broken->line, 2U);
}

TEST(AuditRecovery, ARollBackIsSeenAtTheStartAndEverAfter) {
  TestAudit home;
  ASSERT_TRUE(home.open().value()->close());
  const auto old = home.files();
  const Checkpoint newer = home.open().value()->close().value();
  std::filesystem::remove_all(home.dir());
  std::filesystem::create_directory(home.dir());
  for (const auto& [name, bytes] : old) TestAudit::write(home.path(name), bytes);
  EXPECT_FALSE(verify(home.dir(), {known(newer), {}}).value().intact);
  auto log = home.open({}, known(newer));
  ASSERT_TRUE(log);
  EXPECT_EQ((*log)->notices().size(), 1U);
  const Checkpoint last = (*log)->close().value();
  EXPECT_FALSE(verify(home.dir(), {known(last), {}}).value().intact);
}

// --- a disk that refuses ---

// The body runs in a child with files limited to `bytes`.
template <class F>
int limited(rlim_t bytes, F body) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

TEST(AuditDisk, AFullDiskRefusesWorkAndLeavesNoHalfLine) {
  TestAudit home;
  const int done = limited(2000, [&] {
    auto log = home.open();
    Result<void> put;
    int written = 0;
    for (; written < 100 && put; ++written) put = (*log)->writer(0).write(home.record(Kind::intent, "r"));
    if (put || put.error().code != Code::audit_unavailable || (*log)->healthy()) return 1;
    if ((*log)->writer(0).write(home.record(Kind::intent, "again"))) return 2;
    // Space again: the next record goes through, behind one that tells of the refusals.
    const rlimit free{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &free);
    if (!(*log)->writer(0).write(home.record(Kind::intent, "after")) || !(*log)->healthy()) return 3;
    return (*log)->close() ? 0 : 4;
  });
  ASSERT_EQ(done, 0);
  const Report report = verify(home.dir()).value();
  EXPECT_TRUE(report.intact) << report.broken->why;
  EXPECT_TRUE(report.torn.empty());
  const std::string bytes = home.files().at(home.segments()[0]);
  EXPECT_NE(bytes.find("audit_resumed"), std::string::npos);
  EXPECT_NE(bytes.find("2 records were refused"), std::string::npos);
  EXPECT_EQ(bytes.find("\"again\""), std::string::npos);
}

TEST(AuditDisk, WithoutASegmentThereIsNoStart) {
  TestAudit home;
  EXPECT_EQ(limited(0, [&] { return home.open() ? 1 : 0; }), 0);
}

TEST(AuditDisk, ARemovedSegmentIsNoticedAndWorkGoesOnInANewOne) {
  TestAudit home;
  LogOptions options;
  options.dir = home.dir();
  auto log = AuditLog::open(options, TestAudit::key(), {}, home.clock);
  const std::string segment = home.segments()[0];
  ::unlink(home.path(segment).c_str());
  EXPECT_FALSE((*log)->checkpoint());
  ASSERT_TRUE((*log)->writer(0).write(home.record(Kind::event, "x")));
  ASSERT_EQ(home.segments().size(), 1U);
  EXPECT_NE(home.files().at(home.segments()[0]).find("was removed while it was written"), std::string::npos);
  ASSERT_TRUE((*log)->close());
  const Report report = verify(home.dir()).value();
  ASSERT_FALSE(report.intact);
  EXPECT_EQ(report.broken->file, segment);
}

// --- reading ---

TEST(Tail, MergesSegmentsByTimeNewestLast) {
  TestAudit home;
  LogOptions options;
  options.writers = 2;
  options.segment_bytes_max = 2000;
  auto log = home.open(options);
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE((*log)->writer(static_cast<unsigned>(i % 2)).write(home.record(i % 4 == 0 ? Kind::refusal : Kind::event, "r" + std::to_string(i))));
  }
  Filter filter;
  filter.event_type = kToolExecution;
  const auto lines = tail(home.dir(), filter, 5).value();
  ASSERT_EQ(lines.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NE(lines[i].find("\"r" + std::to_string(35 + i) + "\""), std::string::npos) << lines[i];
  filter.kind = "refusal";
  EXPECT_EQ(tail(home.dir(), filter, 100).value().size(), 10U);
  filter.request_id = "r4";
  EXPECT_EQ(tail(home.dir(), filter, 100).value().size(), 1U);
  filter.since = home.clock.wall();
  EXPECT_TRUE(tail(home.dir(), filter, 100).value().empty());
  EXPECT_EQ(tail(home.path("nowhere"), {}, 1).error().code, Code::not_found);
}

}  // namespace
}  // namespace sallyport::audit
