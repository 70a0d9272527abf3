#include "control/server_tls.h"

#include <algorithm>

#include "net/tls_terms.h"

namespace sallyport::control {
namespace {

std::unexpected<Error> wrong(std::string sentence) { return fail(Code::validation, "tls: " + std::move(sentence)); }

// What is written here is stored and shown, so it holds no key.
Result<void> check_public(const std::string& text, std::string_view what) {
  if (text.empty()) return {};
  if (text.find("PRIVATE KEY-----") != std::string::npos)
    return wrong(std::string(what) + " holds a private key; put it into a file (0600) and name that as client_key");
  const auto pem = net::pem_of(text, what);
  if (!pem) return wrong(pem.error().detail);
  const auto good = net::check_certificates(*pem, what);
  return good ? Result<void>{} : wrong(good.error().detail);
}

bool is_key_reference(std::string_view text) {
  const bool known = text.starts_with("${file:") || text.starts_with("${vault:");
  const auto colon = text.find(':');
  return known && text.ends_with('}') && text.size() > colon + 2 &&
         text.substr(2, text.size() - 3).find_first_of("{}$") == std::string_view::npos;
}

}  // namespace

Result<void> check_upstream_tls(const ServerRecord& server) {
  const UpstreamTls& tls = server.tls;
  if (!tls.any()) return {};
  if (server.transport != Transport::http || !server.url.starts_with("https://"))
    return wrong("only a server with an https:// URL has settings of TLS");
  SP_CHECK(check_public(tls.ca, "ca"));
  SP_CHECK(check_public(tls.client_certificate, "client_certificate"));
  if (tls.pins.size() > 16) return wrong("at most 16 pins");
  for (const std::string& pin : tls.pins) {
    if (const auto read = net::read_pin(pin); !read) return wrong(read.error().detail);
  }
  if (tls.client_certificate.empty() != tls.client_key.empty())
    return wrong("client_certificate and client_key go together");
  if (!tls.client_key.empty() && !is_key_reference(tls.client_key))
    return wrong("client_key is a reference, ${file:PATH} or ${vault:NAME}, and never the key itself");
  return {};
}

}  // namespace sallyport::control
