// subscriptions/listen (MCP 2026-07-28, Subscriptions): one stream, first what was honoured, then nothing that was not asked for.
#include "request/pipeline/subscription.h"

#include <algorithm>
#include <span>

#include "core/slices.h"
#include "json/slice.h"
#include "json/writer.h"
#include "net/sse.h"
#include "request/mcp/message.h"
#include "request/mcp/names.h"
#include "request/pipeline/chosen_target.h"
#include "request/pipeline/negotiate.h"
#include "request/pipeline/pipeline.h"

namespace sallyport {
namespace {

std::string subscription_meta(std::string_view raw_id) {
  return R"({"io.modelcontextprotocol/subscriptionId":)" + std::string(raw_id) + "}";
}

bool flag(std::string_view filter, std::string_view name) { return json::member(filter, name) == "true"; }

// The URIs that a listen names. Error: invalid_params.
Result<std::vector<std::string>> named_uris(std::string_view filter) {
  std::vector<std::string> out;
  const auto wanted = json::member(filter, "resourceSubscriptions");
  if (!wanted) return out;
  if (wanted->front() != '[') return fail(Code::invalid_params, "resourceSubscriptions is not an array");
  bool sound = true;
  json::for_each_element(*wanted, [&](std::string_view raw) {
    auto uri = json::is_string(raw) ? json::decode_string(raw) : Result<std::string>(fail(Code::invalid_params, "uri"));
    sound = sound && uri.has_value() && out.size() < kSubscribedUrisMax && uri->size() <= kSubscribedUriBytesMax;
    if (sound) out.push_back(*std::move(uri));
  });
  if (!sound) return fail(Code::invalid_params, "resourceSubscriptions: 256 strings of 4096 bytes at most");
  return out;
}

// What so many URIs cost beside the call that names them: each is a decision, honoured or not. Error: rate_limited.
Result<void> admit_uris(Flow& f, const Worker& w, std::size_t count) {
  if (f.channel == Channel::local) return {};
  for (std::size_t paid = kUrisPerCall; paid < count; paid += kUrisPerCall) {
    f.verdict = w.admission.principal(*f.snapshot->limits, f.limit_class, f.principal->id, {}, w.fleet.clock.steady());
    if (!f.verdict->allow) return fail(Code::rate_limited, f.limit_class);
  }
  return {};
}

std::shared_ptr<Subscription> subscription_of(const Flow& f, std::string_view filter) {
  auto out = std::make_shared<Subscription>();
  out->principal = f.principal;
  out->scope = f.scope;
  out->raw_id = f.rpc_id;
  out->tools = flag(filter, "toolsListChanged");
  out->prompts = flag(filter, "promptsListChanged");
  out->resources = flag(filter, "resourcesListChanged");
  return out;
}

}  // namespace

void Subscription::tell(std::string_view method, std::string_view params) const {
  std::string with_id = mcp::with_member(params.empty() ? "{}" : params, "_meta", subscription_meta(raw_id));
  stream->push(mcp::notification_envelope(method, with_id));
}

std::string Subscription::honoured() const {
  json::Writer w;
  w.object().key("notifications").object();
  if (tools) w.member("toolsListChanged", true);
  if (prompts) w.member("promptsListChanged", true);
  if (resources) w.member("resourcesListChanged", true);
  if (!uris.empty()) {
    w.key("resourceSubscriptions").array();
    for (const auto& [where, uri] : uris) w.value(uri);
    w.end_array();
  }
  return w.end_object().end_object().take();
}

// The server that a URI of the caller leads to, where the caller may subscribe to it: one call for each.
UsableUri Pipeline::usable_uri(const Flow& f, const std::string& uri) {
  const Catalogue& catalogue = *f.snapshot->catalogue;
  std::optional<mcp::Target> target;
  if (f.scope.empty()) {
    target = mcp::resolve_uri(catalogue, uri);
  } else if (const auto server = catalogue.servers.find(f.scope); server != catalogue.servers.end() && server->second->enabled) {
    target = mcp::Target{server->second, uri};
  }
  if (!target) return {};
  json::Writer arguments;
  arguments.object().member("uri", target->name).end_object();
  Decision decision = w_.authorization.server_call(asker(f), target->server.get(), {kSubscribes, arguments.text()});
  if (!decision.allow) return {};
  return {std::move(target), std::move(decision.obligations)};
}

namespace {

// What subscribing is bound to, carried out. Nobody can be asked in the middle of it: what needs an approval is left out.
Result<std::optional<mcp::Target>> carried_out(Flow& f, const Worker& w, UsableUri usable) {
  if (!usable.target || !usable.obligations) return std::move(usable.target);
  const std::string& server = usable.target->server->name;
  if (usable.obligations->require_approval) {
    f.record.evidence += (f.record.evidence.empty() ? "" : "; ") + server + " needs an approval and was left out";
    return std::nullopt;
  }
  const auto& most = usable.obligations->calls_per_minute;
  if (most) {
    SP_CHECK(admit_obliged(f, w, *most, server));
  }
  if (usable.obligations->log_full && f.record.arguments.empty()) {  // once, however many URIs ask for it
    f.record.arguments = w.fleet.redactor.whole(f.message->params);
    f.record.arguments_digest = w.fleet.redactor.digest(f.message->params);
  }
  return std::move(usable.target);
}

}  // namespace

// Those of the URIs that the client may use; what it may not is left out of the acknowledgement.
Task<Result<void>> Pipeline::subscribe_to(Flow& f, Subscription& listener, const std::vector<std::string>& uris) {
  Slices slices(fleet_.clock, w_.executor);
  for (std::size_t begin = 0; begin < uris.size(); begin += kUrisPerCall) {
    const auto some = std::span(uris).subspan(begin, std::min(uris.size() - begin, kUrisPerCall));
    if (w_.opa) {
      co_await foresee(f, [&] {
        for (const std::string& uri : some) (void)usable_uri(f, uri);
      });
    }
    for (const std::string& uri : some) {
      if (slices.over()) co_await slices.next();
      SP_CO_TRY(const auto target, carried_out(f, w_, usable_uri(f, uri)));
      if (target) listener.uris[{target->server->name, target->name}] = uri;
    }
  }
  co_return Result<void>{};
}

Task<Result<void>> Pipeline::subscribe(Flow& f) {
  f.record.action = "listen";
  const auto filter = json::member(f.message->params, "notifications");
  if (!filter || !json::is_object(*filter)) co_return fail(Code::invalid_params, "params.notifications is missing");
  SP_CO_TRY(const auto uris, named_uris(*filter));
  Worker& home = *fleet_.workers[fleet_.home_of(f.principal->id)];
  SP_CO_CHECK(co_await run_on<bool>(home.executor, home.may_listen(f.principal->id)));  // before anything is decided
  SP_CO_CHECK(admit_uris(f, w_, uris.size()));
  const auto listener = subscription_of(f, *filter);
  SP_CO_CHECK(co_await subscribe_to(f, *listener, uris));
  if (w_.opa) {
    co_await foresee(f, [&] {
      for (const auto& [name, server] : f.snapshot->catalogue->servers) {
        const bool here = server->enabled && in_scope(*f.snapshot->catalogue, f.scope, name);
        if (here) (void)w_.authorization.server_list(asker(f), server.get());
      }
    });
  }
  std::vector<ServerPtr> servers;
  for (const auto& [name, server] : f.snapshot->catalogue->servers) {
    const bool here = server->enabled && in_scope(*f.snapshot->catalogue, f.scope, name);
    if (here && w_.authorization.server_list(asker(f), server.get()).allow) servers.push_back(server);
  }
  auto stream = std::make_shared<mcp::EventStream>(w_.executor, *f.exchange);
  listener->stream = stream;
  f.exchange->watch_gone([stream] { stream->close(); });
  SP_CO_CHECK(co_await run_on<bool>(home.executor, home.begin_listening(listener, std::move(servers))));
  w_.metrics.gauge(telemetry::Gauge::streams, 1);
  co_await stream->pump(mcp::sse_headers(), true, fleet_.settings.keep_alive);
  w_.metrics.gauge(telemetry::Gauge::streams, -1);
  asio::post(home.executor, [&home, listener] { home.end_listening(listener); });
  if (!stream->broken() && !f.exchange->gone()) {  // ended by us: the graceful end is the result
    std::string last;
    const std::string result = R"({"resultType":"complete","_meta":)" + subscription_meta(f.rpc_id) + "}";
    if (net::append_event(last, mcp::result_envelope(f.rpc_id, result))) (void)co_await f.exchange->write(last);
    (void)co_await f.exchange->end_stream();
  }
  co_return Result<void>{};
}

}  // namespace sallyport
