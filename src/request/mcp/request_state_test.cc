#include "request/mcp/request_state.h"

#include <gtest/gtest.h>

#include <array>

namespace sallyport::mcp {
namespace {

using std::chrono::seconds;

constexpr std::array<std::byte, 32> kKey{std::byte{7}};
constexpr std::array<std::byte, 32> kOtherKey{std::byte{8}};
const WallTime kNow = WallTime(seconds(1'800'000'000));
const StateBinding kBinding{"key:a", "", "tools/call", "calc", "add", R"({"a":1})"};

std::string sealed(const RequestState& state, const StateBinding& binding = kBinding) {
  SystemRandom random;
  return seal_state(kKey, state, binding, kNow + seconds(60), random).value_or("");
}

TEST(RequestState, OpensToWhatWasSealed) {
  const auto parked = open_state(kKey, sealed({"life-", 42, {}}), kBinding, kNow);
  ASSERT_TRUE(parked.has_value());
  EXPECT_EQ(parked->life, "life-");
  EXPECT_EQ(parked->call, 42U);
  EXPECT_EQ(parked->upstream, "");
  const auto wrapped = open_state(kKey, sealed({{}, 0, R"("a\u0000\"b")"}), kBinding, kNow);
  ASSERT_TRUE(wrapped.has_value());
  EXPECT_EQ(wrapped->upstream, R"("a\u0000\"b")");  // to the byte: the server compares
  EXPECT_TRUE(wrapped->life.empty());
}

TEST(RequestState, KnowsWhichApprovalAndRoundItIsOf) {
  const auto waits = open_state(kKey, sealed({.approval = "a1"}), kBinding, kNow);
  ASSERT_TRUE(waits.has_value());
  EXPECT_EQ(waits->approval, "a1");
  EXPECT_EQ(waits->round, 0U);
  EXPECT_EQ(open_state(kKey, sealed({.approval = "a1", .round = 3}), kBinding, kNow)->round, 3U);
  EXPECT_TRUE(open_state(kKey, sealed({}), kBinding, kNow)->approval.empty());
}

// Trap 7: another principal, scope, method, server, tool or arguments.
TEST(RequestState, BelongsToOneRequest) {
  const std::string state = sealed({"life-", 42, {}});
  const std::array<StateBinding, 7> others{{{"key:b", "", "tools/call", "calc", "add", R"({"a":1})"},
                                            {"key:a", "calc", "tools/call", "calc", "add", R"({"a":1})"},
                                            {"key:a", "", "prompts/get", "calc", "add", R"({"a":1})"},
                                            {"key:a", "", "tools/call", "other", "add", R"({"a":1})"},
                                            {"key:a", "", "tools/call", "calc", "divide", R"({"a":1})"},
                                            {"key:a", "", "tools/call", "calc", "add", R"({"a":2})"},
                                            {"key:", "a", "tools/call", "calc", "add", R"({"a":1})"}}};
  for (const auto& other : others) {
    const auto opened = open_state(kKey, state, other, kNow);
    ASSERT_FALSE(opened.has_value()) << other.principal << other.name;
    EXPECT_EQ(opened.error().code, Code::invalid_params);
  }
  EXPECT_FALSE(open_state(kOtherKey, state, kBinding, kNow).has_value());
}

TEST(RequestState, Expires) {
  const std::string state = sealed({"life-", 42, {}});
  EXPECT_TRUE(open_state(kKey, state, kBinding, kNow + seconds(59)).has_value());
  EXPECT_FALSE(open_state(kKey, state, kBinding, kNow + seconds(60)).has_value());
}

TEST(RequestState, NoByteOfItCanBeChanged) {
  const std::string state = sealed({"life-", 42, {}});
  for (std::size_t i = 1; i + 1 < state.size(); ++i) {
    std::string changed = state;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(open_state(kKey, changed, kBinding, kNow).has_value()) << i;
  }
  for (const auto* made_up : {"", "\"", "\"\"", "\"A\"", "\"\\u0041\"", "7", "{}"}) {
    EXPECT_FALSE(open_state(kKey, made_up, kBinding, kNow).has_value()) << made_up;
  }
  EXPECT_FALSE(open_state(kKey, "\"" + std::string(3 * kRequestStateBytesMax, 'A') + "\"", kBinding, kNow).has_value());
}

TEST(RequestState, AnUpstreamsStateHasALimit) {
  SystemRandom random;
  const RequestState state{{}, 0, "\"" + std::string(kRequestStateBytesMax, 'x') + "\""};
  const auto too_large = seal_state(kKey, state, kBinding, kNow, random);
  ASSERT_FALSE(too_large.has_value());
  EXPECT_EQ(too_large.error().code, Code::upstream_too_large);
}

}  // namespace
}  // namespace sallyport::mcp
