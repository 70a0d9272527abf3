// What the gateway says of itself: its address's front page, and its health (requirements, sections 7 and 8).
#include "api/handlers.h"
#include "engines/policy/policy.h"
#include "model/registration.h"

namespace sallyport::api {
namespace {

constexpr std::string_view kService = "sallyport";

void begin(json::Writer& w, std::string_view status) {
  w.object().member("status", status).member("service", kService).member("version", SALLYPORT_VERSION);
}

void write_part(json::Writer& w, std::string_view name, bool healthy) {
  w.key(name).object().member("status", healthy ? "healthy" : "failing");
}

// The enabled servers, and the endpoints of registered tools, whose circuit breaker is open.
std::vector<std::string> resting(const Call& call) {
  const Catalogue& catalogue = *call.request.snapshot->catalogue;
  const auto& rests = call.api.deps().rests;
  std::vector<std::string> out;
  for (const auto& [name, server] : catalogue.servers) {
    if (server->enabled && rests(name)) out.push_back(name);
  }
  const auto registered = catalogue.tools.find(kRegistry);
  if (registered == catalogue.tools.end()) return out;
  for (const auto& [name, tool] : registered->second) {
    const ServerPtr& endpoint = tool->registration->endpoint;
    if (endpoint && rests(endpoint->name)) out.push_back(endpoint->name);
  }
  return out;
}

// Both packages that are asked are there; without one, all that it is asked about is denied.
Task<Result<void>> ask_policies(Call& call) {
  for (const std::string_view package : policy::kAskedPackages) {
    if (!call.request.ask_policy) break;
    if (const auto answer = co_await call.request.ask_policy(std::string(package), "{}"); !answer) {
      co_return fail(answer.error().code, std::string(package) + ": " + answer.error().detail);
    }
  }
  if (call.request.ask_policy) co_return Result<void>{};
  const auto missing = policy::missing_packages(call.request.snapshot->policy->modules);
  if (!missing.empty()) co_return fail(Code::config, "no package " + std::string(missing.front()));
  co_return Result<void>{};
}

// Near its end is said, and is no failure yet.
void write_certificates(json::Writer& w, const CertificateWarnings& warnings) {
  const bool over = control::expired(warnings);
  w.key("certificates").object().member("status", over ? "failing" : warnings.empty() ? "healthy" : "warning");
  w.key("warnings").array();
  for (const auto& one : warnings) {
    w.object().member("certificate", one.what).member("name", one.name).member("state", one.state);
    w.key("until");
    if (one.ends == WallTime{}) w.null();
    else w.value(iso_time(one.ends));
    w.member("warning", one.text).member("fix", one.fix).end_object();
  }
  w.end_array().end_object();
}

Task<CertificateWarnings> certificate_warnings(Call& call) {
  ApiDeps& deps = call.api.deps();
  auto there = [](ApiDeps& d) -> Task<Result<CertificateWarnings>> { co_return d.certificate_warnings(); };
  auto found = co_await run_on<CertificateWarnings>(deps.control.executor(), there(deps));
  co_return found ? *std::move(found) : CertificateWarnings();
}

}  // namespace

// Public, so no more than /health and the document tell anyway.
Task<RestAnswer> front_page(Call& call) {
  (void)call;
  json::Writer w;
  w.object().member("service", kService).member("version", SALLYPORT_VERSION);
  w.member("docs", "/docs").member("openapi", "/openapi.json").member("health", "/health").end_object();
  co_return ok(w);
}

Task<RestAnswer> health(Call& call) {
  (void)call;
  json::Writer w;
  begin(w, "healthy");
  w.end_object();
  co_return ok(w);
}

Task<RestAnswer> status(Call& call) {
  const CertificateWarnings warnings = co_await certificate_warnings(call);
  RestAnswer answer;
  answer.body = call.api.deps().status(*call.request.snapshot, warnings);
  co_return answer;
}

Task<RestAnswer> ready(Call& call) {
  const bool good = call.api.deps().ready();
  json::Writer w;
  w.object().member("status", good ? "ready" : "not ready").end_object();
  co_return ok(w, good ? 200 : 503);
}

Task<RestAnswer> health_detailed(Call& call) {
  ApiDeps& deps = call.api.deps();
  const auto stored = co_await run_on<void>(deps.control.executor(), deps.control.ask_store());
  const bool audited = deps.audit_healthy();
  const std::vector<std::string> out = resting(call);
  const Result<void> asked = co_await ask_policies(call);
  const CertificateWarnings warnings = co_await certificate_warnings(call);
  const bool good = stored && audited && asked && out.empty() && !control::expired(warnings);
  json::Writer w;
  begin(w, good ? "healthy" : "degraded");
  w.member("ready", deps.ready()).key("parts").object();
  write_part(w, "storage", stored.has_value());
  w.end_object();
  write_part(w, "audit", audited);
  w.end_object();
  write_part(w, "upstreams", out.empty());
  w.member("servers", call.request.snapshot->catalogue->servers.size()).key("resting").array();
  for (const std::string& name : out) w.value(name);
  w.end_array().end_object();
  write_part(w, "policy", asked.has_value());
  w.member("backend", call.request.ask_policy ? "opa" : "embedded");
  if (!asked) w.member("why", asked.error().detail);
  w.member("modules", call.request.snapshot->policy->modules.size()).end_object();
  write_certificates(w, warnings);
  w.end_object().end_object();
  co_return ok(w);
}

}  // namespace sallyport::api
