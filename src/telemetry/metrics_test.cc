#include "telemetry/metrics.h"

#include <gtest/gtest.h>

#include <thread>

namespace sallyport::telemetry {
namespace {

using namespace std::chrono_literals;

bool has(const std::string& text, const std::string& line) { return text.find(line + "\n") != std::string::npos; }

// S0-35
TEST(Metrics, AddsTheShardsUpUnderPromisedNames) {
  Metrics metrics(3, "0.1.0");
  metrics.shard(0).event(Event::failed_login);
  metrics.shard(1).event(Event::failed_login);
  metrics.shard(2).event(Event::permission_denial);
  metrics.shard(2).event(Event::rate_limit_violation);
  metrics.shard(0).request(Route::mcp_call, Outcome::ok);
  metrics.shard(1).refusal(Stage::authorization, Code::access_denied);
  const std::string text = metrics.expose();
  EXPECT_TRUE(has(text, "sallyport_failed_logins_total 2")) << text;
  EXPECT_TRUE(has(text, "sallyport_permission_denials_total 1"));
  EXPECT_TRUE(has(text, "sallyport_rate_limit_violations_total 1"));
  EXPECT_TRUE(has(text, "sallyport_requests_total{route=\"mcp_call\",outcome=\"ok\"} 1"));
  const std::string code(info(Code::access_denied).name);
  EXPECT_TRUE(has(text, "sallyport_refusals_total{stage=\"authorization\",code=\"" + code + "\"} 1")) << text;
  EXPECT_TRUE(has(text, "sallyport_build_info{version=\"0.1.0\"} 1"));
  EXPECT_EQ(text.find("sallyport_process_resident_memory_bytes 0\n"), std::string::npos);
}

TEST(Metrics, GaugesMayRiseInOneShardAndFallInAnother) {
  Metrics metrics(2, "x");
  metrics.shard(0).gauge(Gauge::sessions, 1);
  metrics.shard(0).gauge(Gauge::sessions, 1);
  metrics.shard(1).gauge(Gauge::sessions, -1);
  EXPECT_EQ(metrics.total(Gauge::sessions), 1);
  EXPECT_TRUE(has(metrics.expose(), "sallyport_open_sessions 1"));
}

TEST(Metrics, HistogramPutsATimeIntoTheBucketOfItsBound) {
  Histogram h;
  h.observe(0ns);
  h.observe(1024ns);
  h.observe(1025ns);
  h.observe(2048ns);
  h.observe(1h);
  h.observe(-5ns);
  EXPECT_EQ(h.bucket(0), 3U);
  EXPECT_EQ(h.bucket(1), 2U);
  EXPECT_EQ(h.bucket(Histogram::kBuckets - 1), 1U);
}

TEST(Metrics, TimesOneRequestInSixteen) {
  Metrics metrics(1, "x");
  FakeClock clock;
  for (int i = 0; i < 32; ++i) {
    StageClock timing(metrics.shard(0), clock);
    clock.advance(3us);
    timing.lap(Stage::identity);
    clock.advance(1s);
    timing.skip();
    clock.advance(1us);
    timing.lap(Stage::audit);
  }
  const std::string text = metrics.expose();
  EXPECT_TRUE(has(text, "sallyport_stage_duration_seconds_count{stage=\"identity\"} 2")) << text;
  EXPECT_TRUE(has(text, "sallyport_stage_duration_seconds_bucket{stage=\"audit\",le=\"1.024e-06\"} 2")) << text;
}

TEST(Metrics, ManyServersShareOther) {
  Metrics metrics(1, "x");
  for (int i = 0; i < 1000; ++i) metrics.shard(0).upstream("s" + std::to_string(i)).calls.add();
  const std::string text = metrics.expose();
  EXPECT_TRUE(has(text, "sallyport_upstream_calls_total{server=\"s0\"} 1"));
  EXPECT_TRUE(has(text, "sallyport_upstream_calls_total{server=\"other\"} 744")) << text;
}

TEST(Metrics, IsScrapedWhileWorkersCount) {
  Metrics metrics(2, "x");
  std::jthread worker([&metrics] {
    for (int i = 0; i < 20'000; ++i) {
      metrics.shard(0).request(Route::api, Outcome::ok);
      metrics.shard(0).upstream("s" + std::to_string(i % 50)).calls.add();
    }
  });
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(metrics.expose().empty());
  worker.join();
  EXPECT_TRUE(has(metrics.expose(), "sallyport_requests_total{route=\"api\",outcome=\"ok\"} 20000"));
}

}  // namespace
}  // namespace sallyport::telemetry
