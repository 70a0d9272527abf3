#include "crypto/jws.h"

#include <algorithm>

#include "core/encoding.h"

namespace sallyport::crypto {
namespace {

std::unexpected<Error> refused(const char* reason) { return fail(Code::unauthenticated, reason); }

std::string text_of(const std::vector<std::byte>& bytes) { return std::string(as_text(bytes)); }

}  // namespace

Result<std::string> jws_sign(const JwsKey& key, std::string_view header, std::string_view payload) {
  std::string token = base64url_encode(as_bytes(header));
  token += '.';
  token += base64url_encode(as_bytes(payload));
  SP_TRY(const std::string signature, key.sign(token));
  token += '.';
  token += base64url_encode(as_bytes(signature));
  return token;
}

Result<JwsContent> jws_verify(const JwsKey& key, std::string_view token, std::size_t bytes_max) {
  if (token.size() > bytes_max) return refused("token.too_large");
  if (!looks_like_jws(token)) return refused("token.form");
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  const auto signature = base64url_decode(token.substr(last + 1));
  if (!signature) return refused("token.encoding");
  if (!key.verify(token.substr(0, last), as_text(*signature))) return refused("token.signature");
  const auto header = base64url_decode(token.substr(0, first));
  const auto payload = base64url_decode(token.substr(first + 1, last - first - 1));
  if (!header || !payload) return refused("token.encoding");
  return JwsContent{text_of(*header), text_of(*payload)};
}

bool looks_like_jws(std::string_view text) noexcept {
  return std::ranges::count(text, '.') == 2 && text.front() != '.' && text.back() != '.' &&
         text.find("..") == std::string_view::npos;
}

}  // namespace sallyport::crypto
