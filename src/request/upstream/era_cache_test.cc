#include "request/upstream/era_cache.h"

#include <gtest/gtest.h>

namespace sallyport::upstream {
namespace {

ServerRecord remote(std::string url) {
  ServerRecord server;
  server.name = "s";
  server.transport = Transport::http;
  server.url = std::move(url);
  return server;
}

TEST(EraCache, ALegacyVerdictRunsOutAndAModernOneDoesNot) {
  FakeClock clock;
  EraCache eras(clock, std::chrono::hours{24});
  const auto server = remote("http://a/");
  EXPECT_FALSE(eras.of(server));
  eras.learn(server, Speech::legacy_sse);
  const WallTime since = clock.wall();
  clock.advance(std::chrono::hours{23});
  eras.learn(server, Speech::legacy_sse);  // found again: the date stays
  ASSERT_TRUE(eras.of(server));
  EXPECT_EQ(eras.of(server)->since, since);
  EXPECT_EQ(eras.of(server)->speech, Speech::legacy_sse);
  clock.advance(std::chrono::hours{2});
  EXPECT_FALSE(eras.of(server));
  eras.learn(server, Speech::modern);
  clock.advance(std::chrono::hours{24 * 365});
  EXPECT_EQ(eras.of(server)->speech, Speech::modern);
}

TEST(EraCache, AnotherPlaceIsAnotherServer) {
  FakeClock clock;
  EraCache eras(clock);
  eras.learn(remote("http://a/"), Speech::legacy);
  EXPECT_FALSE(eras.of(remote("http://b/")));
  ServerRecord child;
  child.name = "s";
  child.command = {"/bin/a", "b"};
  EXPECT_FALSE(eras.of(child));
  eras.learn(child, Speech::modern);
  child.command = {"/bin/a", "", "b"};
  EXPECT_FALSE(eras.of(child));
}

TEST(EraCache, ForgetsWhatItIsTold) {
  FakeClock clock;
  EraCache eras(clock);
  eras.learn(remote("http://a/"), Speech::modern);
  eras.forget("other");
  EXPECT_TRUE(eras.of(remote("http://a/")));
  eras.forget("s");
  EXPECT_FALSE(eras.of(remote("http://a/")));
}

}  // namespace
}  // namespace sallyport::upstream
