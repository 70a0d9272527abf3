#include "core/gate.h"

#include <gtest/gtest.h>

#include <map>

namespace sallyport {
namespace {

// People who go in, one letter each, and stay until they are sent out.
struct House {
  explicit House(Gate::Sizes sizes) : gate(sizes) {}
  ~House() {
    tasks.cancel();
    inside.clear();
    run();
  }
  void run() {
    io.restart();
    io.poll();
  }
  void come(char who, const std::string& name) {
    tasks.spawn(go_in(who, name));
    run();
  }
  void send_out(char who) {
    inside.erase(who);
    run();
  }
  Task<void> go_in(char who, std::string name) {
    auto pass =
        co_await gate.enter(std::move(name), [this, who](std::function<void()> end) { ends[who] = std::move(end); });
    if (pass) inside[who] = std::move(*pass);
    else refused[who] = pass.error().code;
    if (!pass) said[who] = pass.error().detail;
  }
  std::string there() const {
    std::string out;
    for (const auto& [who, pass] : inside) out += who;
    return out;
  }

  asio::io_context io{1};
  Gate gate;
  TaskGroup tasks{io.get_executor(), [](const char* what) { ADD_FAILURE() << what; }};
  std::map<char, Gate::Pass> inside;
  std::map<char, std::function<void()>> ends;
  std::map<char, Code> refused;
  std::map<char, std::string> said;
};

TEST(Gate, SoManyAtOnceAndTheOthersInTurn) {
  House house({.at_once = 2});
  for (const char who : std::string("abcde")) house.come(who, "one");
  EXPECT_EQ(house.there(), "ab");
  EXPECT_EQ(house.gate.waiting(), 3U);
  house.send_out('b');
  EXPECT_EQ(house.there(), "ac");
  house.come('f', "one");
  EXPECT_EQ(house.there(), "ac") << "nobody passes those who wait";
  house.send_out('a');
  house.send_out('c');
  EXPECT_EQ(house.there(), "de");
  for (const char who : std::string("def")) house.send_out(who);
  EXPECT_EQ(house.there(), "");
  house.come('g', "one");
  EXPECT_EQ(house.there(), "g");
  EXPECT_TRUE(house.refused.empty());
}

TEST(Gate, WhoGivesUpLeavesTheQueue) {
  House house({.at_once = 1});
  for (const char who : std::string("abc")) house.come(who, "one");
  house.ends.at('b')();
  house.run();
  EXPECT_EQ(house.refused, (std::map<char, Code>{{'b', Code::cancelled}}));
  EXPECT_EQ(house.gate.waiting(), 1U);
  house.send_out('a');
  EXPECT_EQ(house.there(), "c");
  house.ends.at('c')();  // it is inside: too late
  house.run();
  EXPECT_EQ(house.there(), "c");
}

TEST(Gate, APlaceGivenToSomebodyWhoJustGaveUpGoesToTheNext) {
  House house({.at_once = 1});
  for (const char who : std::string("abc")) house.come(who, "one");
  house.inside.erase('a');  // b is called, and has not heard of it
  house.ends.at('b')();
  house.run();
  EXPECT_EQ(house.there(), "c");
}

TEST(Gate, ATaskThatIsCancelledTakesNoPlace) {
  House house({.at_once = 1});
  for (const char who : std::string("ab")) house.come(who, "one");
  house.tasks.cancel();
  house.run();
  EXPECT_EQ(house.gate.waiting(), 0U);
  house.send_out('a');
  house.come('c', "one");
  EXPECT_EQ(house.there(), "c");
}

TEST(GateAbuse, WhoWaitsIsBoundedOfOneAndOfAll) {
  House house({.at_once = 1, .waiting = 3, .waiting_of_one = 2});
  for (const char who : std::string("abcd")) house.come(who, "one");
  EXPECT_EQ(house.refused, (std::map<char, Code>{{'d', Code::rate_limited}}));
  for (const char who : std::string("ef")) house.come(who, "other");
  EXPECT_EQ(house.refused, (std::map<char, Code>{{'d', Code::rate_limited}, {'f', Code::rate_limited}}));
  EXPECT_EQ(house.said['d'], "2 of yours wait already; fix: wait for an answer");
  EXPECT_EQ(house.said['f'], "3 wait already; fix: ask again in a moment");
  EXPECT_EQ(house.gate.waiting(), 3U);
}

}  // namespace
}  // namespace sallyport
