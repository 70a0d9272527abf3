#include "request/mcp/asks.h"

#include <gtest/gtest.h>

namespace sallyport::mcp {
namespace {

struct Waiter {
  std::shared_ptr<PendingAsk> ask;
  std::optional<Answer> answer;
  bool done = false;
};

void wait(asio::io_context& io, Waiter& waiter, asio::cancellation_signal& signal) {
  waiter.ask = std::make_shared<PendingAsk>(io.get_executor());
  asio::co_spawn(io, waiter.ask->wait(),
                 asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr&, std::optional<Answer> got) {
                   waiter.answer = std::move(got);
                   waiter.done = true;
                 }));
}

TEST(Asks, AnAnswerGoesToWhoAskedOnce) {
  asio::io_context io;
  asio::cancellation_signal signal;
  Waiter waiter;
  wait(io, waiter, signal);
  AskTable table;
  ASSERT_TRUE(table.put("\"sp-1\"", waiter.ask));
  EXPECT_FALSE(table.answer("\"sp-2\"", {false, "{}"}));  // a stranger's id
  EXPECT_FALSE(table.answer("sp-1", {false, "{}"}));      // ids are compared as they are written
  EXPECT_TRUE(table.answer("\"sp-1\"", {false, R"({"a":1})"}));
  EXPECT_FALSE(table.answer("\"sp-1\"", {true, R"({"a":2})"}));
  io.run();
  ASSERT_TRUE(waiter.done && waiter.answer);
  EXPECT_EQ(waiter.answer->body, R"({"a":1})");
  EXPECT_FALSE(waiter.answer->is_error);
}

TEST(Asks, ACancelledWaitEndsWithNothing) {
  asio::io_context io;
  asio::cancellation_signal signal;
  Waiter waiter;
  wait(io, waiter, signal);
  io.poll();
  EXPECT_FALSE(waiter.done);
  signal.emit(asio::cancellation_type::terminal);
  io.run();
  EXPECT_TRUE(waiter.done);
  EXPECT_FALSE(waiter.answer);
}

TEST(Asks, TheSecondAnswerChangesNothing) {
  asio::io_context io;
  asio::cancellation_signal signal;
  Waiter waiter;
  wait(io, waiter, signal);
  PendingAsk::answer(waiter.ask, {false, "1"});
  PendingAsk::answer(waiter.ask, {true, "2"});
  io.run();
  ASSERT_TRUE(waiter.answer);
  EXPECT_EQ(waiter.answer->body, "1");
}

TEST(Asks, OneSessionHoldsSoMany) {
  asio::io_context io;
  AskTable table;
  const auto ask = std::make_shared<PendingAsk>(io.get_executor());
  for (std::size_t i = 0; i < kAsksMax; ++i) ASSERT_TRUE(table.put(std::to_string(i), ask));
  EXPECT_FALSE(table.put("one more", ask));
  table.erase("0");
  EXPECT_TRUE(table.put("one more", ask));
}

}  // namespace
}  // namespace sallyport::mcp
