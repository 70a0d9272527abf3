#include "engines/bundle/signature.h"

#include <algorithm>
#include <set>
#include <vector>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "crypto/jws.h"
#include "json/document.h"

namespace sallyport::bundle {
namespace {

constexpr std::size_t kTokenBytesMax = 512U << 10;
constexpr std::chrono::minutes kClocksDiffer{5};

std::unexpected<Error> refused(const std::string& why) { return fail(Code::validation, "bundle: " + why); }

// As Go's encoding/json writes a string without escaping HTML.
void quote(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  static constexpr std::string_view kShort = "\b\f\n\r\t\"\\";
  static constexpr std::string_view kLetters = "bfnrt\"\\";
  out += '"';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (const auto at = kShort.find(c); at != std::string_view::npos) {
      out.append("\\").push_back(kLetters[at]);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out.append("\\u00").push_back(kHex[static_cast<unsigned char>(c) >> 4U]);
      out.push_back(kHex[static_cast<unsigned char>(c) & 0xfU]);
    } else if (text.substr(i, 3) == "\u2028" || text.substr(i, 3) == "\u2029") {
      out += text[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += c;
    }
  }
  out += '"';
}

// Depth is bounded by the reader.
void walk(std::string& out, json::Value value) {
  if (value.is_object()) {
    std::vector<std::pair<std::string_view, json::Value>> members;
    for (const auto& [key, member] : value.members()) members.emplace_back(key, member);
    std::ranges::sort(members, {}, [](const auto& member) { return member.first; });
    out += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out += ',';
      quote(out, members[i].first);
      out += ':';
      walk(out, members[i].second);
    }
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    bool first = true;
    for (const json::Value item : value.elements()) {
      if (!std::exchange(first, false)) out += ',';
      walk(out, item);
    }
    out += ']';
  } else if (const auto text = value.as_string()) {
    quote(out, *text);
  } else {
    out += value.raw();
  }
}

bool is_structured(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name == "data.json" || name == ".manifest";
}

Result<std::string> pem_body(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN PUBLIC KEY-----";
  constexpr std::string_view kEnd = "-----END PUBLIC KEY-----";
  const auto begin = text.find(kBegin);
  const auto end = text.find(kEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return fail(Code::config, "policy.bundle_key is no public key in PEM; fix: openssl pkey -in KEY -pubout");
  }
  std::string body;
  for (const char c : text.substr(begin + kBegin.size(), end - begin - kBegin.size())) {
    if (c == '+') body += '-';
    else if (c == '/') body += '_';
    else if (c != '\n' && c != '\r' && c != ' ' && c != '=') body += c;
  }
  const auto der = base64url_decode(body);
  if (!der) return fail(Code::config, "policy.bundle_key is no public key in PEM");
  return std::string(as_text(*der));
}

// The one JWS of .signatures.json: OPA writes and reads one.
Result<std::string> token_of(std::string_view text) {
  const auto document = json::read_upstream_document(text);
  if (!document) return refused(std::string(kSignatures) + " is no JSON");
  const auto list = document->root().find("signatures");
  if (!list || !list->is_array() || list->size() != 1) return refused("not exactly one signature");
  for (const json::Value one : list->elements()) {
    if (const auto token = one.as_string()) return std::string(*token);
  }
  return refused("the signature is no text");
}

Result<void> check_file(json::Value listed, const Files& files, std::set<std::string>& seen) {
  SP_TRY(const std::string path, clean_path(listed.string_at("name").value_or("")));
  if (listed.string_at("algorithm") != "SHA-256") return refused(path + " is not signed by SHA-256");
  const auto file = files.find(path);
  if (file == files.end()) return refused(path + " is signed and not there");
  if (!seen.insert(path).second) return refused(path + " is signed twice");
  SP_TRY(const std::string digest, digest_of(path, file->second));
  if (listed.string_at("hash") != digest) return refused(path + " is not what was signed");
  return {};
}

Result<Signature> read_times(json::Value payload) {
  const auto found = payload.find("iat");
  if (!found) return Signature{};
  const auto at = found->as_int64();
  if (!at) return refused("the signature's iat is no whole number of seconds");
  return Signature{at};
}

}  // namespace

Result<std::string> digest_of(std::string_view path, std::string_view bytes) {
  if (!is_structured(path)) return hex_encode(crypto::sha256(bytes));
  const auto document = json::read_upstream_document(bytes);
  if (!document) return refused(std::string(path) + ": " + document.error().detail);
  std::string text;
  walk(text, document->root());
  return hex_encode(crypto::sha256(text));
}

Result<crypto::JwsKey> read_key(std::string_view algorithm, std::string_view text) {
  const auto wanted = crypto::jws_algorithm(algorithm);
  if (!wanted) return fail(Code::config, "policy.bundle_algorithm is not known");
  if (*wanted == crypto::JwsAlgorithm::hs256) return crypto::JwsKey::from_secret(as_bytes(text));
  SP_TRY(const std::string der, pem_body(text));
  return crypto::JwsKey::from_public(*wanted, der);
}

Result<void> check_age(std::optional<std::int64_t> newest, std::optional<std::int64_t> issued_at, WallTime now) {
  if (newest && newest == issued_at) return {};  // it was in force: a clock that is behind since then changes nothing
  const auto latest = std::chrono::floor<std::chrono::seconds>(now + kClocksDiffer).time_since_epoch().count();
  if (issued_at && *issued_at > latest) {
    return refused("it is signed in the future (iat " + std::to_string(*issued_at) + "); fix: set the clocks");
  }
  if (!newest || (issued_at && *issued_at > *newest)) return {};
  const std::string former = "that of iat " + std::to_string(*newest) + ", which was in force";
  return refused((issued_at ? "it is signed at iat " + std::to_string(*issued_at) + ", before " + former
                            : "its signature has no iat, unlike " + former) +
                 "; fix: sign it anew, or policy activate --version N, or policy.bundle_allow_older");
}

Result<Signature> verify(const Files& files, const crypto::JwsKey& key) {
  const auto signatures = files.find(kSignatures);
  if (signatures == files.end()) return refused("it is not signed, and policy.bundle_key asks for it");
  SP_TRY(const std::string token, token_of(signatures->second));
  const auto content = crypto::jws_verify(key, token, kTokenBytesMax);
  if (!content) return refused("the signature is not of policy.bundle_key (" + content.error().detail + ")");
  const auto header = json::read_upstream_document(content->header);
  if (!header || header->root().string_at("alg") != crypto::name_of(key.algorithm())) {
    return refused("the signature is by another algorithm");
  }
  const auto payload = json::read_upstream_document(content->payload);
  const auto listed = payload ? payload->root().find("files") : std::nullopt;
  if (!listed || !listed->is_array()) return refused("the signature lists no files");
  std::set<std::string> seen;
  for (const json::Value file : listed->elements()) {
    SP_CHECK(check_file(file, files, seen));
  }
  if (seen.size() + 1 == files.size()) return read_times(payload->root());
  for (const auto& [path, bytes] : files) {
    if (path != kSignatures && !seen.contains(path)) return refused(path + " is not signed");
  }
  return refused("the signature signs itself");
}

}  // namespace sallyport::bundle
