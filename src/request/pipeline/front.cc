// The front of the way: what both doors do before anything is parsed, and the hand-over to REST.
#include "core/random.h"
#include "net/tls_server.h"
#include "request/listener/stamp.h"
#include "request/pipeline/pipeline.h"

namespace sallyport {
namespace {

constexpr std::array<std::pair<std::string_view, mcp::Door>, 3> kDoors{
    {{"/mcp", mcp::Door::streamable}, {"/sse", mcp::Door::sse}, {"/messages", mcp::Door::messages}}};

// The door of MCP, and the scope: "" for /mcp, "name" for /mcp/name, "p/name" for /mcp/p/name; nothing for any other path.
std::optional<std::pair<mcp::Door, std::string_view>> mcp_door(std::string_view path) {
  for (const auto& [prefix, door] : kDoors) {
    if (!path.starts_with(prefix)) continue;
    const std::string_view rest = path.substr(prefix.size());
    if (rest.empty() || rest == "/") return std::pair(door, std::string_view());
    if (rest.front() != '/') continue;
    const std::string_view scope = rest.substr(1);
    const std::string_view name = scope.starts_with(kToolsetScope) ? scope.substr(kToolsetScope.size()) : scope;
    if (!name.empty() && name.find('/') == std::string_view::npos) return std::pair(door, scope);
  }
  return std::nullopt;
}

// Who may not even wait for a list hears why.
std::unexpected<Error> refuse_list(Flow& f, Error error) {
  if (error.code == Code::rate_limited) {
    f.say = "Lists are made a few at a time: " + error.detail;
    f.headers.emplace_back("Retry-After", "1");
  }
  return fail(std::move(error));
}

ShownCertificate shown_of(const net::PeerCertificate& certificate, const net::TlsServer* now) {
  ShownCertificate shown{certificate.fingerprint_sha256, certificate.uris, certificate.dns, certificate.emails,
                         certificate.not_after};
  shown.links = certificate.links;
  shown.authorities = certificate.authorities;
  if (now == nullptr) return shown;
  const net::Standing standing = now->standing(certificate.links, certificate.authorities);
  shown.list_ended = standing == net::Standing::list_ended;
  shown.revoked = standing != net::Standing::good && !shown.list_ended;
  shown.one_authority = now->client_authorities() == 1;
  return shown;
}

}  // namespace

void Pipeline::begin(Flow& f, net::ServerExchange& exchange) {
  const net::RequestHead& head = exchange.head();
  f.started = fleet_.clock.steady();
  f.now = fleet_.clock.wall();
  f.timing.emplace(w_.metrics, fleet_.clock);
  f.record.request_id = w_.new_request_id();
  f.record.event_type = audit::kHttp;
  f.record.method = head.method;
  f.record.path = fleet_.redactor.path(head.path);
  if (!head.query.empty()) f.record.query_params = fleet_.redactor.query(head.query);
  if (const auto agent = head.find("User-Agent")) f.record.user_agent = *agent;
  if (head.has_length) f.record.content_length = head.content_length;
  if (const auto door = mcp_door(head.path)) {
    f.route = telemetry::Route::mcp_other;
    f.door = door->first;
    f.scope = door->second;
  } else {
    f.route = telemetry::Route::api;
    f.channel = Channel::rest;
  }
  if (exchange.peer().is_local_socket) f.channel = Channel::local;
}

Result<void> Pipeline::pass_edge(Flow& f, net::ServerExchange& exchange) {
  f.enter(Stage::http);
  const EdgeVerdict verdict = fleet_.edge.inspect(exchange.head(), exchange.peer());
  f.address = verdict.client_ip;
  f.record.client_ip = verdict.client_ip;
  stamp(exchange, verdict, f.record.request_id);
  if (verdict.preflight) f.response = Edge::preflight_response(exchange.head());
  if (verdict.decision.allow) return {};
  f.record.set(verdict.decision);
  return fail(verdict.code, verdict.decision.evidence);
}

Result<void> Pipeline::admit_address(Flow& f) {
  f.enter(Stage::address_admission);
  if (f.channel == Channel::local) return {};
  const auto verdict = w_.admission.address(*f.snapshot->limits, f.address, fleet_.clock.steady());
  if (verdict.allow) return {};
  f.verdict = verdict;
  return fail(Code::rate_limited, "address");
}

Result<void> Pipeline::identify(Flow& f, const net::ServerExchange& exchange) {
  f.enter(Stage::identity);
  const net::Peer& peer = exchange.peer();
  if (peer.is_local_socket) {  // the socket is 0600: whoever opened it is the operator (design, Commands)
    auto local = std::make_shared<Principal>();
    local->id = "local:" + std::to_string(peer.uid);
    local->kind = PrincipalKind::local;
    local->name = "local administrator";
    local->roles = {"admin"};
    local->auth_type = "local";
    f.principal = std::move(local);
  } else {
    const net::RequestHead& head = exchange.head();
    CredentialView seen;
    for (const auto& field : head.headers) seen.see(field.name, field.value);
    seen.query = head.query;
    seen.address = f.address;
    seen.user_agent = f.record.user_agent;
    ShownCertificate shown;
    if (peer.certificate) {
      shown = shown_of(*peer.certificate, w_.tls.get());
      seen.certificate = &shown;
      SP_CHECK(still_good(shown, f.now));  // on public routes too: it may be the connection that is no good
    }
    auto verified = w_.identity.verify(*f.snapshot, seen, f.now);
    if (!verified) {
      const bool open = f.route != telemetry::Route::mcp_other && fleet_.route(head.method, head.path).is_public;
      return open ? Result<void>() : fail(std::move(verified).error());
    }
    f.principal = std::move(*verified);
  }
  f.name_principal();
  return {};
}

// A body may take its time, and the turn of a list: what was revoked or ran out meanwhile does not pass on the state in which it began.
Result<void> Pipeline::identify_again(Flow& f, const net::ServerExchange& exchange) {
  const WallTime now = fleet_.clock.wall();
  if (f.snapshot == w_.snapshot && now - f.now < std::chrono::seconds(1)) return {};
  const Stage stage = f.stage;
  f.snapshot = w_.snapshot;
  f.now = now;
  f.principal.reset();
  SP_CHECK(identify(f, exchange));
  f.enter(stage);
  return {};
}

RestRequest Pipeline::rest_request(Flow& f, const net::ServerExchange& exchange) {
  const net::RequestHead& head = exchange.head();
  RestRequest request;
  request.method = head.method;
  request.path = head.path;
  request.query = head.query;
  for (const auto& [name, into] :
       {std::pair{"Content-Type", &request.content_type}, std::pair{"If-None-Match", &request.if_none_match},
        std::pair{"If-Match", &request.if_match}}) {
    if (const auto value = head.find(name)) *into = *value;
  }
  if (const auto value = head.find("Idempotency-Key")) request.idempotency_key.emplace(*value);
  request.principal = f.principal;
  request.channel = f.channel;
  request.snapshot = f.snapshot;
  request.address = f.address;
  request.user_agent = f.record.user_agent;
  request.request_id = f.record.request_id;
  request.now = f.now;
  give_decider(f, request);
  request.execute = [this](ToolCall call) { return execute(std::move(call)); };
  return request;
}

Task<Result<void>> Pipeline::serve_rest(Flow& f, net::ServerExchange& exchange) {
  f.enter(Stage::principal_admission);
  const RestRoute route = fleet_.route(exchange.head().method, exchange.head().path);
  // An execution takes its token after authorization, as every call does; taken here as well it would count twice.
  if (f.channel != Channel::local && route.limit_class != "execute") {
    const Limits& limits = *f.snapshot->limits;
    const SteadyTime now = fleet_.clock.steady();
    f.verdict = f.principal ? w_.admission.principal(limits, route.limit_class, f.principal->id, {}, now)
                            : w_.admission.stranger(limits, route.limit_class, f.address, now);
    if (!f.verdict->allow) co_return fail(Code::rate_limited, std::string(route.limit_class));
  }
  f.enter(Stage::api);
  auto body = co_await exchange.read_body();
  if (!body) co_return fail(std::move(body).error());
  Gate::Pass pass;
  if (route.is_list) {
    const std::string& who = f.principal ? f.principal->id : f.address;
    auto entered = co_await w_.lists.enter(who, [&exchange](auto end) { exchange.watch_gone(std::move(end)); });
    if (!entered) co_return refuse_list(f, std::move(entered).error());
    pass = *std::move(entered);
  }
  SP_CO_CHECK(identify_again(f, exchange));
  RestRequest request = rest_request(f, exchange);
  request.body = *body;
  co_return co_await ask_rest(f, std::move(request));
}

Task<Result<void>> Pipeline::ask_rest(Flow& f, RestRequest request) {
  if (request.method != "GET") SP_CO_CHECK(co_await intent(f));  // a change is in the evidence before it is made
  RestAnswer answer = co_await fleet_.rest(std::move(request));
  if (!answer.event_type.empty()) f.record.event_type = answer.event_type;
  if (!answer.action.empty()) f.record.action = answer.action;
  f.record.reason = answer.reason;
  f.response = net::Response{answer.status, std::move(answer.headers), answer.content_type, std::move(answer.body)};
  co_return Result<void>{};
}

Task<RestAnswer> Pipeline::local(RestRequest request) {
  Flow f(request.snapshot);
  f.started = fleet_.clock.steady();
  f.now = request.now;
  f.channel = Channel::local;
  f.route = telemetry::Route::api;
  f.principal = request.principal;
  f.address = request.address;
  f.record.event_type = audit::kHttp;
  f.record.request_id = request.request_id;
  f.name_principal();
  f.record.client_ip = request.address;
  f.record.method = request.method;
  f.record.path = fleet_.redactor.path(request.path);
  give_decider(f, request);
  request.execute = [this](ToolCall call) { return execute(std::move(call)); };
  Result<void> done = co_await ask_rest(f, std::move(request));
  if (auto written = co_await outcome(f, done); !written) done = fail(std::move(written).error());
  if (done) co_return RestAnswer{f.response->status, f.response->content_type, std::move(f.response->body)};
  const net::Response refused = refusal(f, done.error());
  co_return RestAnswer{refused.status, refused.content_type, refused.body};
}

net::Response Pipeline::refuse_broken(net::ServerExchange& exchange, const Error& error) {
  Flow f(w_.snapshot);
  f.started = fleet_.clock.steady();
  f.enter(Stage::http);
  f.address = exchange.peer().ip;
  f.record.event_type = audit::kHttp;
  f.record.request_id = exchange.request_id.empty() ? w_.new_request_id() : exchange.request_id;
  if (exchange.request_id.empty()) stamp(exchange, fleet_.edge, f.record.request_id);
  f.record.client_ip = exchange.peer().ip;
  const Result<void> done = fail(error);
  if (describe_outcome(f, done)) {
    const auto written = w_.audit.write(f.record);
    kept(f, written);
    if (!written) return refusal(f, written.error());
  }
  return refusal(f, error);
}

}  // namespace sallyport
