#include "control/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

namespace sallyport::control {
namespace {

Result<ChildEnd> run(ChildOrder order) {
  asio::io_context io(1);
  Result<ChildEnd> out = fail(Code::internal);
  auto work = [](Executor executor, ChildOrder what, Result<ChildEnd>& into) -> Task<void> {
    into = co_await run_child(executor, std::move(what));
  };
  asio::co_spawn(io, work(io.get_executor(), std::move(order), out), [](const std::exception_ptr&) {});
  io.run();
  return out;
}

ChildOrder python(const std::string& program) {
  ChildOrder order;
  order.argv = {"/usr/bin/python3", "-I", "-c", program};
  return order;
}

TEST(ChildProcess, SaysWhatItSaidAndHowItEnded) {
  const auto end = run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"));
  ASSERT_TRUE(end) << end.error().detail;
  EXPECT_EQ(end->exit_code, 3);
  EXPECT_FALSE(end->timed_out);
  EXPECT_NE(end->output.find("out"), std::string::npos);
  EXPECT_NE(end->output.find("err"), std::string::npos);
}

TEST(ChildProcess, GetsNothingOfOurs) {
  const int open_here = ::dup(1);  // not closed on exec
  ::setenv("SALLYPORT_CHILD_SECRET", "x", 1);
  auto order = python("import os, signal; print(sorted(os.environ), sorted(int(f) for f in "
                      "os.listdir('/proc/self/fd'))[:-1], os.getcwd(), "
                      "signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, [l.split()[1] for l in "
                      "open('/proc/self/status') if 'NoNewPrivs' in l], "
                      "os.read(0, 9))");
  order.environment = {"ONE=1"};
  ::signal(SIGTERM, SIG_IGN);
  const auto end = run(std::move(order));
  ::signal(SIGTERM, SIG_DFL);
  ::unsetenv("SALLYPORT_CHILD_SECRET");
  ::close(open_here);
  ASSERT_TRUE(end);
  EXPECT_NE(end->output.find("'ONE'"), std::string::npos) << end->output;
  EXPECT_EQ(end->output.find("SALLYPORT"), std::string::npos) << end->output;
  EXPECT_NE(end->output.find("[0, 1, 2] / True ['1'] b''"), std::string::npos) << end->output;
}

TEST(ChildProcess, ArgumentsAreNoShellsWords) {
  ChildOrder order;
  order.argv = {"/usr/bin/python3", "-I", "-c", "import sys; print(sys.argv[1:])", "$(id)", "; rm -rf /", "a b"};
  EXPECT_EQ(run(std::move(order))->output, "['$(id)', '; rm -rf /', 'a b']\n");
}

TEST(ChildProcess, IsKilledWithItsGroupWhenItsTimeIsUp) {
  auto order = python("import os, sys, time\n"
                      "if os.fork() == 0: time.sleep(600)\n"
                      "print('begun', flush=True); time.sleep(600)");
  order.limit = std::chrono::seconds(1);
  const auto end = run(std::move(order));
  ASSERT_TRUE(end);
  EXPECT_TRUE(end->timed_out);
  EXPECT_EQ(end->exit_code, -1);
}

TEST(ChildProcess, AFloodOfWordsIsCut) {
  auto order = python("print('x' * 1000000)");
  order.output_bytes = 5000;
  const auto end = run(std::move(order));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->output.size(), 5000U);
  EXPECT_EQ(end->exit_code, 0);
}

TEST(ChildProcess, WhatIsNotThereIsSaid) {
  ChildOrder order;
  order.argv = {"/nonexistent/lego"};
  EXPECT_EQ(run(std::move(order)).error().code, Code::not_found);
}

}  // namespace
}  // namespace sallyport::control
