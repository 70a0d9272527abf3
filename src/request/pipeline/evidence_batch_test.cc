#include "request/pipeline/evidence_batch.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace sallyport {
namespace {

struct Batched : testing::Test {
  void SetUp() override {
    std::string shape = testing::TempDir() + "evidence-XXXXXX";
    dir = ::mkdtemp(shape.data());
    auto opened = audit::AuditWriter::open({.dir = dir}, clock);
    ASSERT_TRUE(opened) << opened.error().detail;
    writer = std::move(*opened);
  }
  void TearDown() override { std::filesystem::remove_all(dir); }

  Task<void> one(EvidenceBatch& batch, int n) {
    audit::AuditRecord record;
    record.request_id = std::to_string(n);
    const auto written = co_await batch.write(record);
    (written ? good : bad)++;
  }
  std::uint64_t records() {
    std::uint64_t count = 0;
    for (const auto& state : writer->take_changed()) count += state.count;
    return count;
  }

  SystemClock clock;
  std::string dir;
  std::unique_ptr<audit::AuditWriter> writer;
  int good = 0;
  int bad = 0;
};

TEST_F(Batched, EveryRecordOfATurnStandsWhenItsWriterGoesOn) {
  const std::uint64_t before = records();  // a segment begins with a record of its own
  asio::io_context io;
  EvidenceBatch batch(io.get_executor(), *writer);
  TaskGroup tasks(io.get_executor(), [](const char* what) { FAIL() << what; });
  for (int i = 0; i < 20; ++i) tasks.spawn(one(batch, i));
  io.run();
  EXPECT_EQ(good, 20);
  EXPECT_EQ(records() - before, 20U);
}

TEST_F(Batched, AFailedWriteRefusesAllWhoSharedIt) {
  asio::io_context io;
  EvidenceBatch batch(io.get_executor(), *writer);
  writer->finish();
  TaskGroup tasks(io.get_executor(), [](const char* what) { FAIL() << what; });
  for (int i = 0; i < 5; ++i) tasks.spawn(one(batch, i));
  io.run();
  EXPECT_EQ(bad, 5);
  EXPECT_EQ(good, 0);
}

}  // namespace
}  // namespace sallyport
