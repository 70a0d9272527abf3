#include "request/mcp/event_log.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace sallyport::mcp {
namespace {

struct Recorder : EventSink {
  void take(Event event) override {
    seen.push_back(event.id + (event.data ? "=" + *event.data : "?") + (event.last ? "." : ""));
  }
  void let_go() override { gone = true; }
  std::vector<std::string> seen;
  bool gone = false;
};

using Seen = std::vector<std::string>;
constexpr WallTime kForever = WallTime::max();

std::shared_ptr<Recorder> sink() { return std::make_shared<Recorder>(); }

TEST(EventLog, IdsNameTheStreamAndAreUniqueInTheSession) {
  EventLog log;
  const auto a = sink(), b = sink();
  const auto first = log.open(a), second = log.open(b);
  log.append(first, "x", false);
  log.append(second, "y", false);
  log.append(first, "z", true);
  EXPECT_EQ(a->seen, (Seen{"1-1=x", "1-2=z."}));
  EXPECT_EQ(b->seen, (Seen{"2-1=y"}));
}

TEST(EventLog, NothingFollowsTheAnswer) {
  EventLog log;
  const auto a = sink();
  const auto stream = log.open(a);
  log.append(stream, "answer", true);
  log.append(stream, "late", false);
  EXPECT_EQ(a->seen, Seen{"1-1=answer."});
}

// MCP 2025-11-25: the first event has an id and no data.
TEST(EventLog, PrimesWhereTheRevisionHasPolling) {
  EventLog log;
  log.configure(true, true);
  const auto post = sink(), get = sink();
  (void)log.open(post);
  EXPECT_TRUE(log.listen(get, kForever));
  EXPECT_EQ(post->seen, Seen{"1-0?"});
  EXPECT_EQ(get->seen, Seen{"2-0?"});
}

TEST(EventLog, ADisconnectedCallGoesOnAndItsAnswerIsReplayed) {
  EventLog log;
  const auto lost = sink(), back = sink();
  const auto stream = log.open(lost);
  log.append(stream, "a", false);
  log.detach(*lost);
  log.append(stream, "b", false);
  ASSERT_TRUE(log.resume("1-1", back, kForever));
  log.append(stream, "answer", true);
  EXPECT_EQ(lost->seen, Seen{"1-1=a"});
  EXPECT_EQ(back->seen, (Seen{"1-2=b", "1-3=answer."}));
}

// The connection is dead, but nobody has noticed yet.
TEST(EventLog, WhoResumesTakesTheStreamOver) {
  EventLog log;
  const auto old = sink(), fresh = sink();
  const auto stream = log.open(old);
  log.append(stream, "a", false);
  ASSERT_TRUE(log.resume("1-0", fresh, kForever));
  EXPECT_TRUE(old->gone);
  log.append(stream, "b", true);
  EXPECT_EQ(old->seen, Seen{"1-1=a"});
  EXPECT_EQ(fresh->seen, (Seen{"1-1=a", "1-2=b."}));
}

TEST(EventLog, ReplaysNoOtherStreamsEvents) {
  EventLog log;
  const auto a = sink(), b = sink(), back = sink();
  const auto first = log.open(a), second = log.open(b);
  log.append(first, "mine", false);
  log.append(second, "other", false);
  log.deliver("unasked");
  ASSERT_TRUE(log.resume("1-0", back, kForever));
  EXPECT_EQ(back->seen, Seen{"1-1=mine"});
}

TEST(EventLog, AnIdThatWasNeverGivenIsRefused) {
  EventLog log;
  const auto a = sink();
  log.append(log.open(a), "x", false);
  for (const char* id : {"", "-", "1", "1-", "-1", "1-2", "2-0", "2-1", "01-1", "1-01", "+1-1", "1-1 ", " 1-1", "1-1-1",
                         "0-0", "1-99999999999999999999", "18446744073709551615-0", "1--1", "a-b"}) {
    EXPECT_FALSE(log.resume(id, sink(), kForever)) << id;
  }
  EXPECT_FALSE(a->gone);
}

TEST(EventLog, WhoHasHeardAllHearsTheEnd) {
  EventLog log;
  const auto back = sink();
  log.append(log.open(sink()), "answer", true);
  ASSERT_TRUE(log.resume("1-1", back, kForever));
  EXPECT_TRUE(back->seen.empty());
  EXPECT_TRUE(back->gone);
}

TEST(EventLog, WhatCameWithoutAGetStreamWaitsForOne) {
  EventLog log;
  const auto get = sink(), next = sink();
  log.deliver("a");
  ASSERT_TRUE(log.listen(get, kForever));
  log.deliver("b");
  log.detach(*get);
  EXPECT_FALSE(log.listening());
  log.deliver("c");
  ASSERT_TRUE(log.listen(next, kForever));
  EXPECT_EQ(get->seen, (Seen{"1-1=a", "1-2=b"}));
  EXPECT_EQ(next->seen, Seen{"2-1=c"});  // each message on exactly one stream
}

TEST(EventLog, AResumedGetStreamHearsWhatItMissedAndGoesOn) {
  EventLog log;
  const auto get = sink(), back = sink();
  ASSERT_TRUE(log.listen(get, kForever));
  log.deliver("a");
  log.deliver("b");
  log.detach(*get);
  log.deliver("c");
  ASSERT_TRUE(log.resume("1-1", back, kForever));
  log.deliver("d");
  EXPECT_EQ(back->seen, (Seen{"1-2=b", "1-3=c", "1-4=d"}));
}

TEST(EventLog, ANewGetStreamEndsTheOneBefore) {
  EventLog log;
  const auto old = sink(), fresh = sink();
  ASSERT_TRUE(log.listen(old, kForever));
  ASSERT_TRUE(log.listen(fresh, kForever));
  log.deliver("a");
  EXPECT_TRUE(old->gone);
  EXPECT_TRUE(old->seen.empty());
  EXPECT_EQ(fresh->seen, Seen{"2-1=a"});
}

TEST(EventLog, TheOldestGoesFirst) {
  EventLog log;
  const auto lost = sink(), back = sink();
  const auto stream = log.open(lost);
  for (std::size_t i = 0; i < kLogEventsMax + 10; ++i) log.append(stream, "x", false);
  log.append(stream, "answer", true);
  ASSERT_TRUE(log.resume("1-0", back, kForever));
  EXPECT_EQ(back->seen.size(), kLogEventsMax);
  EXPECT_EQ(back->seen.back(), "1-" + std::to_string(kLogEventsMax + 11) + "=answer.");
}

TEST(EventLog, KeepsNoMoreBytesThanItMay) {
  EventLog log;
  const auto back = sink();
  const auto stream = log.open(sink());
  for (int i = 0; i < 5; ++i) log.append(stream, std::string(kLogBytesMax / 2, 'x'), false);
  ASSERT_TRUE(log.resume("1-0", back, kForever));
  EXPECT_EQ(back->seen.size(), 2U);
}

// It went out, but could not be kept: a client that waited for it must not wait for ever.
TEST(EventLog, AStreamWhoseAnswerIsGoneCannotBeResumed) {
  EventLog log;
  const auto live = sink(), other = sink();
  log.append(log.open(other), "kept", false);
  const auto stream = log.open(live);
  log.append(stream, std::string(kLogBytesMax + 1, 'x'), true);
  EXPECT_EQ(live->seen.size(), 1U);
  EXPECT_FALSE(log.resume("2-0", sink(), kForever));
  EXPECT_TRUE(log.resume("1-0", sink(), kForever));  // and it drove nothing else out
}

TEST(EventLog, PendingMessagesAreBounded) {
  EventLog log;
  const auto get = sink();
  for (std::size_t i = 0; i < kPendingMax + 5; ++i) log.deliver(std::to_string(i));
  ASSERT_TRUE(log.listen(get, kForever));
  ASSERT_EQ(get->seen.size(), kPendingMax);
  EXPECT_EQ(get->seen.front(), "1-1=5");
}

// A hostile server's notifications must not eat the gateway's memory where nobody listens.
TEST(EventLogAbuse, PendingBytesAreBounded) {
  EventLog log;
  const auto get = sink();
  for (int i = 0; i < 50; ++i) log.deliver(std::string(kPendingBytesMax / 8, 'x'));
  ASSERT_TRUE(log.listen(get, kForever));
  EXPECT_EQ(get->seen.size(), 8U);
}

TEST(EventLog, StreamsAreBounded) {
  EventLog log;
  for (std::size_t i = 0; i < kLogStreamsMax + 5; ++i) ASSERT_TRUE(log.listen(sink(), kForever));
  EXPECT_FALSE(log.resume("5-0", sink(), kForever));
  EXPECT_TRUE(log.resume("6-0", sink(), kForever));
}

TEST(EventLog, AnAnsweredStreamIsForgottenAfterAWhile) {
  EventLog log;
  const auto live = sink();
  const auto stream = log.open(live);
  log.append(stream, "answer", true);
  log.detach(*live);
  for (unsigned i = 1; i < kLogSweeps; ++i) log.sweep();
  EXPECT_TRUE(log.resume("1-0", sink(), kForever));
}

TEST(EventLog, AnAnsweredStreamIsForgottenAtTheThirdSweep) {
  EventLog log;
  const auto live = sink();
  log.append(log.open(live), "answer", true);
  log.detach(*live);
  const auto running = sink();
  (void)log.open(running);
  log.detach(*running);
  for (unsigned i = 0; i < kLogSweeps; ++i) log.sweep();
  EXPECT_FALSE(log.resume("1-0", sink(), kForever));
  EXPECT_TRUE(log.resume("2-0", sink(), kForever));  // its call goes on
}

TEST(EventLog, AGetEndsWithTheCredentialThatOpenedIt) {
  EventLog log;
  const auto get = sink(), post = sink();
  const WallTime until = WallTime(std::chrono::seconds(100));
  (void)log.open(post);
  ASSERT_TRUE(log.listen(get, until));
  log.close_overdue(until - std::chrono::seconds(1));
  EXPECT_FALSE(get->gone);
  log.close_overdue(until);
  EXPECT_TRUE(get->gone);
  EXPECT_FALSE(post->gone);
  EXPECT_FALSE(log.listening());
}

TEST(EventLog, AnEndedSessionLetsGetsGoAndOpensNone) {
  EventLog log;
  const auto get = sink(), post = sink(), lost = sink(), resumed = sink();
  const auto running = log.open(post);
  const auto other = log.open(lost);
  ASSERT_TRUE(log.listen(get, kForever));
  ASSERT_TRUE(log.resume("2-0", resumed, kForever));
  log.end();
  EXPECT_TRUE(get->gone);
  EXPECT_TRUE(resumed->gone);
  EXPECT_FALSE(post->gone);
  log.append(running, "cancelled", true);  // the answer of its own POST is still the caller's
  log.append(other, "cancelled", true);
  log.deliver("unheard");
  EXPECT_EQ(post->seen, Seen{"1-1=cancelled."});
  EXPECT_TRUE(resumed->seen.empty());
  EXPECT_FALSE(log.listen(sink(), kForever));
  EXPECT_FALSE(log.resume("1-0", sink(), kForever));
}

// HTTP+SSE, 2024-11-05: no ids, nothing to come back to.
TEST(EventLog, WithoutResumptionThereAreNoIds) {
  EventLog log;
  log.configure(false, true);
  const auto get = sink();
  ASSERT_TRUE(log.listen(get, kForever));
  log.deliver("a");
  EXPECT_EQ(get->seen, Seen{"=a"});
  EXPECT_FALSE(log.resume("1-0", sink(), kForever));
}

struct Ordered : EventSink {
  void take(Event event) override { ids.push_back(std::stoul(event.id.substr(event.id.find('-') + 1))); }
  void let_go() override {}
  std::vector<std::size_t> ids;
};

// A resuming GET and a call's events come from two workers: nothing is lost, doubled or out of order.
TEST(EventLog, ReplayAndNewEventsDoNotOverlap) {
  EventLog log;
  const auto back = std::make_shared<Ordered>();
  const auto stream = log.open(std::make_shared<Ordered>());
  std::thread call([&] {
    for (int i = 0; i < 400; ++i) log.append(stream, "x", false);
  });
  while (!log.resume("1-0", back, kForever)) std::this_thread::yield();
  call.join();
  ASSERT_EQ(back->ids.size(), 400U);
  for (std::size_t i = 0; i < back->ids.size(); ++i) EXPECT_EQ(back->ids[i], i + 1);
}

}  // namespace
}  // namespace sallyport::mcp
