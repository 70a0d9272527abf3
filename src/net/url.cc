#include "net/url.h"

#include <algorithm>
#include <charconv>

#include "core/ascii.h"
#include "net/http_head.h"
#include "net/http_message.h"

namespace sallyport::net {
namespace {

constexpr std::size_t kUrlBytesMax = 2'000;

std::unexpected<Error> refuse(std::string why) { return fail(Code::egress_refused, "URL: " + std::move(why)); }

bool digit(char c) { return c >= '0' && c <= '9'; }

// A last label that starts with a digit is a number to somebody (WHATWG URL: "ends in a number").
bool looks_numeric(std::string_view host) {
  const auto label = host.substr(host.rfind('.') + 1);
  return !label.empty() && digit(label[0]);
}

Result<void> read_name(std::string_view host, Url& url) {
  if (host.empty() || host.size() > 253) return refuse("host missing or too long");
  std::size_t label = 0;
  char previous = '.';
  for (const char raw : host) {
    const char c = ascii::to_lower(raw);
    const bool good = digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
    if (!good) return refuse("character in the host that may not stand there");
    label = c == '.' ? 0 : label + 1;
    if (label > 63 || (c == '.' && previous == '.') || (c == '-' && previous == '.')) return refuse("malformed host");
    url.host.push_back(c);
    previous = c;
  }
  if (previous == '.') return refuse("host ends in a dot");
  url.address = IpAddress::parse(url.host);
  if (!url.address && looks_numeric(url.host)) return refuse("host is a number, but no dotted-decimal address");
  return {};
}

Result<void> read_host(std::string_view host, Url& url) {
  if (!host.starts_with('[')) return read_name(host, url);
  if (!host.ends_with(']')) return refuse("bracket not closed");
  url.host = host.substr(1, host.size() - 2);
  url.address = IpAddress::parse(url.host);
  if (!url.address || !url.address->v6) return refuse("no IPv6 address in the brackets");  // zone ids end here too
  url.host = url.address->text();
  return {};
}

Result<void> read_port(std::string_view text, Url& url) {
  unsigned port = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || text.size() > 5 || ec != std::errc() || end != text.data() + text.size() || port == 0 ||
      port > 65535) {
    return refuse("malformed port");
  }
  url.port = static_cast<std::uint16_t>(port);
  return {};
}

}  // namespace

std::string Url::authority() const {
  std::string out = address && address->v6 ? "[" + host + "]" : host;
  if (port != (tls ? 443 : 80)) out += ":" + std::to_string(port);
  return out;
}

std::string Url::origin() const {
  const bool v6 = address && address->v6;
  return std::string(tls ? "https://" : "http://") + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kUrlBytesMax) return refuse("too long");
  for (const char c : text) {
    if (c <= ' ' || c > '~' || c == '#' || c == '\\' || c == '"' || c == '<' || c == '>') {
      return refuse("character that may not stand there");
    }
  }
  Url url;
  if (text.size() >= 8 && equals_ignoring_case(text.substr(0, 8), "https://")) {
    url.tls = true;
    text.remove_prefix(8);
  } else if (text.size() >= 7 && equals_ignoring_case(text.substr(0, 7), "http://")) {
    text.remove_prefix(7);
  } else {
    return refuse("scheme is not http or https");
  }
  const auto end = text.find_first_of("/?");
  const auto authority = text.substr(0, end);
  if (authority.find('@') != std::string_view::npos) return refuse("user info");
  const auto colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
  url.port = url.tls ? 443 : 80;
  SP_CHECK(read_host(authority.substr(0, has_port ? colon : authority.size()), url));
  if (has_port) SP_CHECK(read_port(authority.substr(colon + 1), url));
  url.target = end == std::string_view::npos ? std::string_view("/") : text.substr(end);
  if (url.target[0] == '?') url.target.insert(0, "/");
  return url;
}

}  // namespace sallyport::net
