// What a single text of the table may be: addresses, names, origins, networks, paths. Each says why not, and the fix.
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "config/values.h"

namespace sallyport::config {
namespace {

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// 4, 6, or 0 where it is no address.
int address_family(std::string_view text) {
  const std::string address(text);
  unsigned char bytes[16];
  if (inet_pton(AF_INET, address.c_str(), bytes) == 1) return 4;
  if (inet_pton(AF_INET6, address.c_str(), bytes) == 1) return 6;
  return 0;
}

bool is_dns_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  bool label_start = true;
  for (const char c : name) {
    if (c == '.' && label_start) return false;
    if (c != '.' && c != '-' && c != '_' && !is_alnum(c)) return false;
    label_start = c == '.';
  }
  return !label_start;
}

bool is_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) return address_family(host.substr(1, host.size() - 2)) == 6;
  return is_dns_name(host);
}

// The part after scheme://, or nothing where the scheme is neither http nor https.
std::string_view after_scheme(std::string_view url) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (url.starts_with(scheme)) return url.substr(scheme.size());
  }
  return {};
}

}  // namespace

bool is_loopback_address(std::string_view address) {
  return address == "::1" || (address_family(address) == 4 && address.starts_with("127."));
}

std::string check_address(std::string_view text) {
  return address_family(text) != 0 ? "" : "is no IP address; fix: write one such as 127.0.0.1 or ::1";
}

std::string check_host(std::string_view text) {
  if (text == "*") return "would allow every name (DNS rebinding); fix: list the names, or *.suffix";
  if (text.starts_with("*.")) return is_dns_name(text.substr(2)) ? "" : "is no host name; fix: write *.example.com";
  return is_host(text) ? "" : "is no host name; fix: write a name without scheme and port, such as gateway.example.com";
}

std::string check_origin(std::string_view text) {
  if (text == "*")
    return "cannot be combined with credentials (C15); fix: list the origins, such as https://app.example.com";
  std::string_view rest = after_scheme(text);
  if (rest.empty()) return "is no origin; fix: write scheme://host[:port], such as https://app.example.com";
  const auto colon = rest.rfind(':');
  if (colon != std::string_view::npos && colon > rest.rfind(']') + 1) {
    const std::string_view port = rest.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; })) {
      return "has a bad port; fix: write scheme://host[:port]";
    }
    rest = rest.substr(0, colon);
  }
  return is_host(rest) ? "" : "is no origin; fix: write scheme://host[:port], without a path or a slash at the end";
}

std::string check_cidr(std::string_view text) {
  const auto slash = text.find('/');
  const int family = address_family(text.substr(0, slash));
  if (family == 0) return "is no network; fix: write one such as 10.0.0.0/8";
  if (slash == std::string_view::npos) return "";
  const std::string_view bits = text.substr(slash + 1);
  int n = -1;
  const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), n);
  if (error != std::errc() || end != bits.data() + bits.size() || n < 0 || n > (family == 4 ? 32 : 128)) {
    return "is no network; fix: write one such as 10.0.0.0/8";
  }
  return n == 0 ? "would trust every address; fix: name the proxy's network" : "";
}

std::string check_storage_url(std::string_view text) {
  if (text.starts_with("postgres"))
    return "names PostgreSQL, which arrives with a later issue; fix: use sqlite:///sallyport.db";
  if (!text.starts_with("sqlite:///") || text.size() <= 10)
    return "is no database of ours; fix: use sqlite:///sallyport.db";
  const std::string_view file = text.substr(10);
  if (file == ":memory:" || file.find('?') != std::string_view::npos || file.ends_with('/')) {
    return "names no file; fix: use sqlite:///sallyport.db";
  }
  return "";
}

std::string check_server_name(std::string_view text) {
  const auto ok = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  const bool good = !text.empty() && text.size() <= 32 && std::ranges::all_of(text, ok) && is_alnum(text.front());
  return good ? "" : "is no server name; fix: use a-z, 0-9, '_' and '-', 32 at most, starting with a letter or digit";
}

std::string check_prefix(std::string_view text) {
  const bool good = std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '_' || c == '-'; });
  return good ? "" : "is no prefix; fix: use letters, digits, '_' and '-'";
}

std::string check_folder_rule(std::string_view text) {
  const bool good = (text.starts_with("ro:/") || text.starts_with("rw:/")) &&
                    text.find("/../") == std::string_view::npos && !text.ends_with("/..");
  return good ? "" : "is no folder rule; fix: write ro:/absolute/path or rw:/absolute/path";
}

std::string check_forward(std::string_view text) {
  const bool known = text == "elicitation" || text == "sampling" || text == "roots";
  return known ? "" : "is nothing a server may ask a client; fix: write elicitation, sampling or roots";
}

std::string check_pem_path(std::string_view text) {
  return text.starts_with('/') ? "" : "is no absolute path; fix: write /path/to/file.pem";
}

std::string check_pin(std::string_view text) {
  const auto ok = [](char c) { return is_alnum(c) || c == '+' || c == '/'; };
  const bool good = text.size() == 51 && text.starts_with("sha256/") && text.ends_with('=') &&
                    std::ranges::all_of(text.substr(7, 43), ok);
  return good ? "" : "is no pin; fix: write sha256/ and the base64 of the 32 bytes (RFC 7469 2.4)";
}

std::string check_key_reference(std::string_view text) {
  const bool good = is_reference(text) && !text.starts_with("${env:");
  return good ? "" : "is no reference to a key; fix: write ${file:PATH} (mode 0600) or ${vault:NAME}";
}

std::string check_label(std::string_view text) {
  const auto ok = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  const bool good =
      !text.empty() && text.size() <= 32 && text.front() >= 'a' && text.front() <= 'z' && std::ranges::all_of(text, ok);
  return good ? ""
              : "is no label; fix: write private_data, untrusted_content, external_sink, or a name of a-z, 0-9, '_'";
}

std::string check_http_url(std::string_view text) {
  const std::string_view rest = after_scheme(text);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.empty()) return "is no URL of a server; fix: write https://host/path";
  if (authority.find('@') != std::string_view::npos) {
    return "carries credentials; fix: send them as a header whose value is a reference";
  }
  return text.find('#') == std::string_view::npos ? "" : "has a fragment; fix: remove what follows '#'";
}

}  // namespace sallyport::config
