#include "crypto/envelope.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/encoding.h"
#include "crypto/aead.h"
#include "crypto/locked_key.h"

namespace sallyport::crypto {
namespace {

constexpr std::string_view kHead = R"({"alg":"RSA-OAEP-256","enc":"A256GCM","kid":")";
constexpr std::size_t kKeyIdBytes = 43;

using Parts = std::array<std::string_view, 5>;

Result<void> check_subject(std::string_view subject) {
  const bool plain = std::ranges::all_of(subject, [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
  if (!plain || subject.empty() || subject.size() > kEnvelopeSubjectBytesMax) {
    return fail(Code::config, "the subject of an envelope is 1 to 256 printable ASCII characters without \" and \\");
  }
  return {};
}

std::string header_of(const RsaKey& key, std::string_view subject) {
  std::string text(kHead);
  text.append(key.key_id()).append(R"(","sub":")").append(subject).append(R"("})");
  return base64url_encode(as_bytes(text));
}

std::optional<Parts> parts_of(std::string_view envelope) {
  Parts parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t dot = envelope.find('.');
    if ((dot == std::string_view::npos) != (i + 1 == parts.size())) return std::nullopt;
    parts[i] = envelope.substr(0, dot);
    if (dot != std::string_view::npos) envelope.remove_prefix(dot + 1);
  }
  return parts;
}

// nonce || ciphertext || tag, as crypto/aead.h has it.
std::optional<std::string> sealed_of(const Parts& parts) {
  const auto nonce = base64url_decode(parts[2]);
  const auto body = base64url_decode(parts[3]);
  const auto tag = base64url_decode(parts[4]);
  if (!nonce || !body || !tag || nonce->size() != kAeadNonceBytes || tag->size() != kAeadTagBytes) return std::nullopt;
  std::string sealed(as_text(*nonce));
  return sealed.append(as_text(*body)).append(as_text(*tag));
}

}  // namespace

Result<std::string> seal_envelope(const RsaKey& key, std::string_view subject, std::string_view plain, Random& random) {
  SP_CHECK(check_subject(subject));
  if (plain.size() > kEnvelopePlainBytesMax) return fail(Code::limit, "an envelope holds at most 64 KiB");
  const LockedKey data_key = LockedKey::random(random);
  SP_TRY(const std::string wrapped, key.wrap(data_key.bytes()));
  std::string envelope = header_of(key, subject);
  SP_TRY(const std::string sealed, seal(data_key.bytes(), plain, envelope, random));
  const auto body = as_bytes(sealed);
  for (const auto part : {as_bytes(wrapped), body.first(kAeadNonceBytes), body.subspan(kAeadNonceBytes, plain.size()),
                          body.last(kAeadTagBytes)}) {
    envelope.append(".").append(base64url_encode(part));
  }
  return envelope;
}

Result<Secret> open_envelope(const RsaKey& key, std::string_view subject, std::string_view envelope, Random& random) {
  SP_CHECK(check_subject(subject));
  if (envelope.size() > kEnvelopeBytesMax) return fail(Code::limit, "an envelope over 96 KiB");
  const auto refused = fail(Code::crypto, "an envelope does not open");
  const auto parts = parts_of(envelope);
  if (!parts || (*parts)[0] != header_of(key, subject)) return refused;
  const auto wrapped = base64url_decode((*parts)[1]);
  const auto sealed = sealed_of(*parts);
  if (!wrapped || !sealed) return refused;
  LockedKey data_key = LockedKey::random(random);
  const auto unwrapped = key.unwrap(as_text(*wrapped));
  if (unwrapped && unwrapped->size() == kLockedKeyBytes) {
    std::ranges::copy(as_bytes(unwrapped->reveal()), data_key.writable().begin());
  }
  auto plain = open(data_key.bytes(), *sealed, (*parts)[0]);
  if (!plain) return refused;
  return Secret(std::move(*plain));
}

std::optional<std::string> envelope_key_id(std::string_view envelope) {
  if (envelope.size() > kEnvelopeBytesMax) return std::nullopt;
  const auto parts = parts_of(envelope);
  const auto header = parts ? base64url_decode((*parts)[0]) : std::nullopt;
  if (!header) return std::nullopt;
  const std::string_view text = as_text(*header);
  if (!text.starts_with(kHead) || !text.substr(std::min(text.size(), kHead.size() + kKeyIdBytes)).starts_with('"')) {
    return std::nullopt;
  }
  return std::string(text.substr(kHead.size(), kKeyIdBytes));
}

}  // namespace sallyport::crypto
