#include "request/listener/redirect.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "request/listener/stamp.h"

namespace sallyport {
namespace {

constexpr std::string_view kChallenges = "/.well-known/acme-challenge/";
constexpr std::size_t kTokenMax = 128, kAuthorizationMax = 1024;

// RFC 8555 8.3: base64url. So no token is a path.
bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= kTokenMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// What may stand in a URL as a name: the Host list takes *.suffix, and before the suffix a client writes what it likes.
bool is_name(std::string_view host) {
  if (host.starts_with('[')) return host.ends_with(']');
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  });
}

std::string_view without_port(std::string_view host) {
  if (host.ends_with(']')) return host;
  return host.substr(0, host.rfind(':'));
}

// A file of ours, small and regular; empty: there is none.
std::string read_small(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return {};
  std::string text(kAuthorizationMax + 1, '\0');
  struct stat info{};
  const bool regular = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  const ssize_t size = regular ? ::read(fd, text.data(), text.size()) : -1;
  ::close(fd);
  if (size <= 0 || static_cast<std::size_t>(size) > kAuthorizationMax) return {};
  text.resize(static_cast<std::size_t>(size));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

net::Response text_answer(int status, std::string body) {
  net::Response response{.status = status, .content_type = "text/plain", .body = std::move(body)};
  response.close = true;
  return response;
}

}  // namespace

Redirect::Redirect(const Edge& edge, RedirectSettings settings, std::function<std::string()> next_id,
                   std::function<void(const net::Peer&, const EdgeVerdict&)> on_refused)
    : edge_(edge), settings_(std::move(settings)), next_id_(std::move(next_id)), on_refused_(std::move(on_refused)) {}

Task<void> Redirect::serve(net::ServerExchange& exchange) {
  const EdgeVerdict verdict = edge_.inspect(exchange.head(), exchange.peer());
  stamp(exchange, verdict, next_id_());
  if (!verdict.decision.allow) on_refused_(exchange.peer(), verdict);
  auto response = verdict.decision.allow ? answer(exchange.head()) : Edge::refusal(verdict);
  response.close = true;
  (void)co_await exchange.respond(std::move(response));
}

net::Response Redirect::challenge(std::string_view token) const {
  const auto text = is_token(token) ? read_small(settings_.challenges + '/' + std::string(token)) : std::string();
  return text.empty() ? text_answer(404, "no such challenge") : text_answer(200, text);
}

net::Response Redirect::answer(const net::RequestHead& head) const {
  const bool reads = head.method == "GET" || head.method == "HEAD";
  if (reads && head.path.starts_with(kChallenges)) return challenge(head.path.substr(kChallenges.size()));
  const auto host = without_port(head.find("host").value_or(""));
  if (!is_name(host) || !head.target.starts_with('/')) return text_answer(400, "no address to lead to");
  std::string location = "https://" + std::string(host);
  if (settings_.https_port != 443) location += ":" + std::to_string(settings_.https_port);
  location.append(head.target);
  // 308 keeps method and body (RFC 9110 15.4.9); what was sent in the clear so far has been seen on the way all the same.
  auto response = text_answer(reads ? 301 : 308, "this is at " + location);
  response.headers.emplace_back("Location", std::move(location));
  return response;
}

}  // namespace sallyport
