#include "request/upstream/http_endpoint.h"

#include <algorithm>
#include <array>

namespace sallyport::upstream {
namespace {

// Headers that are ours to write: a configured one would forge the session, the version or what a call says of itself.
bool is_ours(std::string_view name) {
  static constexpr std::array<std::string_view, 7> kOurs{
      "accept", "content-type", "mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name", "last-event-id"};
  static constexpr std::string_view kParam = "mcp-param-";
  return std::ranges::any_of(kOurs, [&](std::string_view ours) { return net::equals_ignoring_case(ours, name); }) ||
         net::equals_ignoring_case(name.substr(0, kParam.size()), kParam);
}

// RFC 3986, 2.3: all but the unreserved as %XX.
std::string escaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kPlain.find(c) != std::string_view::npos) out += c;
    else out.append({'%', kHex[byte >> 4U], kHex[byte & 15U]});
  }
  return out;
}

bool says(const net::ResponseHead& head, std::string_view type) {
  return head.find("content-type").value_or("").starts_with(type);
}

}  // namespace

bool is_json(const net::ResponseHead& head) { return says(head, "application/json"); }
bool is_event_stream(const net::ResponseHead& head) { return says(head, "text/event-stream"); }

HttpEndpoint::~HttpEndpoint() {
  for (auto& header : configured_) wipe(header.second);
}

Task<Result<void>> HttpEndpoint::resolve(SteadyTime deadline) {
  if (deps_.egress == nullptr) co_return fail(Code::upstream_unavailable, "no egress client: HTTP servers are off");
  for (const auto& [name, reference] : server_->headers) {
    if (is_ours(name))
      co_return fail(Code::config, "header " + name + " of server " + server_->name + " is not yours to set");
    const auto value = co_await deps_.secret(reference, server_->name, deadline);
    if (!value)
      co_return fail(Code::config, "header " + name + " of server " + server_->name + ": " + value.error().detail);
    configured_.emplace_back(name, std::string(value->reveal()));
  }
  std::string query;
  for (const auto& [name, reference] : server_->query) {
    const auto value = co_await deps_.secret(reference, server_->name, deadline);
    if (!value) {
      wipe(query);
      co_return fail(Code::config,
                     "query parameter " + name + " of server " + server_->name + ": " + value.error().detail);
    }
    query += (query.empty() ? "" : "&") + escaped(name) + "=" + escaped(value->reveal());
  }
  query_ = Secret(std::move(query));
  if (auto tls = co_await resolve_tls(deadline); !tls)
    co_return fail(tls.error().code, "TLS of server " + server_->name + ": " + tls.error().detail);
  co_return Result<void>{};
}

// Read anew for each session, so that a renewed certificate, key or authority is taken up without a word.
Task<Result<void>> HttpEndpoint::resolve_tls(SteadyTime deadline) {
  const UpstreamTls& tls = server_->tls;
  if (!tls.any()) co_return Result<void>{};
  net::TlsSources sources{tls.ca, tls.client_certificate, tls.pins, {}};
  if (!tls.client_key.empty()) {
    SP_CO_TRY(sources.key_pem, co_await deps_.secret(tls.client_key, server_->name, deadline));
  }
  SP_CO_TRY(tls_, co_await deps_.egress->terms(std::move(sources)));
  co_return Result<void>{};
}

Result<void> HttpEndpoint::aim(net::Headers fixed) {
  fixed.insert(fixed.end(), configured_.begin(), configured_.end());
  net::EgressPolicy policy;
  policy.allow_private = server_->allow_private;
  std::string url = server_->url;
  if (!query_.empty()) url.append(url.find('?') == std::string::npos ? "?" : "&").append(query_.reveal());
  auto target = net::EgressTarget::make(url, std::move(policy), fixed, tls_);
  for (auto& header : fixed) wipe(header.second);
  wipe(url);
  SP_TRY(target_, std::move(target));
  return {};
}

net::EgressRequest HttpEndpoint::request(std::string method, std::string body, SteadyTime deadline) const {
  net::EgressRequest request;
  request.target = target_;
  request.method = std::move(method);
  request.body = std::move(body);
  request.deadline = deadline;
  request.limits.body_bytes = server_->result_bytes_max;
  return request;
}

Error HttpEndpoint::refusal(int status) const {
  const std::string text = server_->name + " answered with HTTP status " + std::to_string(status);
  if (status == 429 || status >= 500) return {Code::upstream_unavailable, text};
  if (status == 401 || status == 403) return {Code::upstream_refused, text + ": it wants other credentials"};
  if (status >= 300 && status < 400) return {Code::upstream_refused, text + ": redirects are not followed"};
  if (status >= 200 && status < 300) return {Code::upstream_protocol, text + " and no answer"};
  return {Code::upstream_refused, text};
}

}  // namespace sallyport::upstream
