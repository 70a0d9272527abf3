#include <algorithm>

#include "core/secret.h"
#include "net/egress_client.h"

namespace sallyport::net {
namespace {

bool owned_by_client(std::string_view name) {
  for (const std::string_view own : {"host", "content-length", "transfer-encoding", "connection", "upgrade", "expect",
                                     "te", "trailer", "keep-alive", "proxy-connection"}) {
    if (equals_ignoring_case(name, own)) return true;
  }
  return false;
}

}  // namespace

Result<void> check_request_headers(const Headers& headers) {
  for (const auto& [name, value] : headers) {
    if (!valid_token(name) || !valid_field_value(value))
      return fail(Code::invalid_request, "header that cannot be written");
    if (owned_by_client(name)) return fail(Code::invalid_request, "header that the client writes itself: " + name);
  }
  return {};
}

EgressTarget::~EgressTarget() { wipe(prefix_); }

Result<void> EgressTarget::write_prefix(std::string_view host, const Headers& headers) {
  SP_CHECK(check_request_headers(headers));
  prefix_.append("Host: ").append(host).append("\r\n");
  for (const auto& [name, value] : headers) prefix_.append(name).append(": ").append(value).append("\r\n");
  return {};
}

Result<std::shared_ptr<const EgressTarget>> EgressTarget::make(std::string_view url, EgressPolicy policy,
                                                               const Headers& headers,
                                                               std::shared_ptr<const TlsTerms> tls) {
  std::shared_ptr<EgressTarget> target(new EgressTarget);
  SP_TRY(target->url_, parse_url(url));
  target->policy_ = std::move(policy);
  if (target->url_.address) {
    const auto why = refusal(target->policy_, target->url_.host, *target->url_.address);
    if (!why.empty()) return fail(Code::egress_refused, target->url_.host + " is " + std::string(why));
  }
  if (tls && !target->url_.tls) return fail(Code::config, "settings of TLS, and a URL without it");
  target->key_ = target->place_ = target->url_.origin();
  if (tls) target->key_ += "#" + tls->id();
  target->tls_ = std::move(tls);
  SP_CHECK(target->write_prefix(target->url_.authority(), headers));
  return target;
}

Result<std::shared_ptr<const EgressTarget>> EgressTarget::make_unix(std::string socket_path, const Headers& headers) {
  if (socket_path.empty() || socket_path.size() > 107)
    return fail(Code::invalid_request, "socket path empty or too long");
  std::shared_ptr<EgressTarget> target(new EgressTarget);
  target->url_.host = "localhost";
  target->url_.port = 80;
  target->url_.target = "/";
  target->key_ = target->place_ = "unix:" + socket_path;
  target->unix_path_ = std::move(socket_path);
  SP_CHECK(target->write_prefix("localhost", headers));
  return target;
}

}  // namespace sallyport::net
