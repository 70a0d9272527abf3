#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <locale>
#include <sstream>

#include "telemetry/metrics_impl.h"

namespace sallyport::telemetry {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr std::array<std::string_view, kCount<Route>> kRoutes{"mcp_call", "mcp_list", "mcp_other", "api",
                                                              "auth",     "ops",      "unknown"};
constexpr std::array<std::string_view, kCount<Outcome>> kOutcomes{"ok", "refused", "failed", "cancelled"};

struct Named {
  const char* name;
  const char* help;
};
constexpr std::array<Named, kCount<Event>> kEvents{{
    {"sallyport_audit_records_total", "Audit records written."},
    {"sallyport_rate_limit_violations_total", "Requests over a rate limit (S0-35)."},
    {"sallyport_failed_logins_total", "Credentials refused (S0-35)."},
    {"sallyport_permission_denials_total", "Requests that authorization denied (S0-35)."},
    {"sallyport_tls_failures_total", "TLS handshakes that failed."},
    {"sallyport_log_lines_dropped_total", "Lines of the log held back in a flood."},
    {"sallyport_policy_shadow_would_deny_total", "Allowed decisions that the tried policies would refuse."},
    {"sallyport_policy_shadow_would_allow_total", "Refused decisions that the tried policies would allow."},
    {"sallyport_policy_shadow_errors_total", "Decisions at which the tried policies failed."},
    {"sallyport_lists_kept_total", "Lists of tools that were answered by what an earlier one had found out."},
}};
constexpr std::array<Named, kCount<Gauge>> kGauges{{
    {"sallyport_open_connections", "Client connections open now."},
    {"sallyport_open_sessions", "MCP sessions open now."},
    {"sallyport_open_streams", "Event streams open now."},
    {"sallyport_upstream_processes", "Processes of stdio servers running now."},
}};

MetricFamily family(const char* name, const char* help, MetricType type) { return {name, help, type, {}}; }

void add(MetricFamily& to, Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  if (to.type == MetricType::Counter) metric.counter.value = value;
  else metric.gauge.value = value;
  to.metric.push_back(std::move(metric));
}

MetricFamily requests(const Totals& totals) {
  auto out = family("sallyport_requests_total", "Requests by route class and outcome.", MetricType::Counter);
  for (std::size_t r = 0; r < kRoutes.size(); ++r) {
    for (std::size_t o = 0; o < kOutcomes.size(); ++o) {
      add(out, {{"route", std::string(kRoutes[r])}, {"outcome", std::string(kOutcomes[o])}},
          static_cast<double>(totals.requests[r][o]));
    }
  }
  return out;
}

// Pairs that never happened are left out: there are some six hundred.
MetricFamily refusals(const Totals& totals) {
  auto out = family("sallyport_refusals_total", "Refused requests by stage and code.", MetricType::Counter);
  for (std::size_t s = 0; s < kCount<Stage>; ++s) {
    for (std::size_t c = 0; c < kCount<Code>; ++c) {
      if (totals.refusals[s][c] == 0) continue;
      add(out,
          {{"stage", std::string(stage_name(static_cast<Stage>(s)))},
           {"code", std::string(info(static_cast<Code>(c)).name)}},
          static_cast<double>(totals.refusals[s][c]));
    }
  }
  return out;
}

MetricFamily stages(const Totals& totals) {
  auto out = family("sallyport_stage_duration_seconds", "Time spent in each stage, of one request in sixteen.",
                    MetricType::Histogram);
  for (std::size_t s = 0; s < kCount<Stage>; ++s) {
    ClientMetric metric;
    metric.label = {{"stage", std::string(stage_name(static_cast<Stage>(s)))}};
    std::uint64_t seen = 0;
    for (std::size_t k = 0; k < Histogram::kBuckets; ++k) {
      seen += totals.stage_buckets[s][k];
      const double bound = k + 1 == Histogram::kBuckets ? std::numeric_limits<double>::infinity()
                                                        : std::ldexp(1.024e-6, static_cast<int>(k));
      metric.histogram.bucket.push_back({seen, bound});
    }
    metric.histogram.sample_count = seen;
    metric.histogram.sample_sum = static_cast<double>(totals.stage_sum_ns[s]) * 1e-9;
    out.metric.push_back(std::move(metric));
  }
  return out;
}

void upstreams(const Totals& totals, std::vector<MetricFamily>& out) {
  constexpr std::array<Named, 3> kNames{{
      {"sallyport_upstream_calls_total", "Calls sent to a server."},
      {"sallyport_upstream_errors_total", "Calls to a server that failed."},
      {"sallyport_upstream_restarts_total", "Starts of a server beyond the first."},
  }};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    auto of = family(kNames[i].name, kNames[i].help, MetricType::Counter);
    for (const auto& [server, counts] : totals.upstreams) add(of, {{"server", server}}, static_cast<double>(counts[i]));
    out.push_back(std::move(of));
  }
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double all = 0;
  double resident = 0;
  statm >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

std::string serialise(const Totals& totals, const std::string& version) {
  std::vector<MetricFamily> out{requests(totals), refusals(totals), stages(totals)};
  upstreams(totals, out);
  for (std::size_t e = 0; e < kEvents.size(); ++e) {
    add(out.emplace_back(family(kEvents[e].name, kEvents[e].help, MetricType::Counter)), {},
        static_cast<double>(totals.events[e]));
  }
  for (std::size_t g = 0; g < kGauges.size(); ++g) {
    add(out.emplace_back(family(kGauges[g].name, kGauges[g].help, MetricType::Gauge)), {},
        static_cast<double>(totals.gauges[g]));
  }
  add(out.emplace_back(family("sallyport_process_resident_memory_bytes", "Resident memory.", MetricType::Gauge)), {},
      resident_bytes());
  add(out.emplace_back(family("sallyport_build_info", "The running version.", MetricType::Gauge)),
      {{"version", version}}, 1);
  return prometheus::TextSerializer().Serialize(out);
}

}  // namespace sallyport::telemetry
