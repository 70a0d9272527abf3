#include "control/secrets/aws_signature.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "core/encoding.h"
#include "crypto/hash.h"

namespace sallyport::control {
namespace {

// "20150830T123600Z"
std::string amz_date(WallTime now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now - day));
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                                 static_cast<int>(time.seconds().count()));
  return {text, static_cast<std::size_t>(size)};
}

std::string lower(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// Surrounding blanks go, and runs of them become one.
std::string trimmed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c != ' ') out.push_back(c);
    else if (!out.empty() && out.back() != ' ') out.push_back(c);
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

struct Canonical {
  std::string names;  // "host;x-amz-date"
  std::string text;
};

Canonical canonical(const AwsRequest& request) {
  net::Headers headers;
  for (const auto& [name, value] : request.headers) headers.emplace_back(lower(name), trimmed(value));
  std::ranges::sort(headers);
  Canonical out;
  std::string lines;
  for (const auto& [name, value] : headers) {
    lines += name + ":" + value + "\n";
    out.names += (out.names.empty() ? "" : ";") + name;
  }
  out.text = std::string(request.method) + "\n" + std::string(request.path) + "\n" + std::string(request.query) + "\n" +
             lines + "\n" + out.names + "\n" + hex_encode(crypto::sha256(request.body));
  return out;
}

crypto::Digest signing_key(const Secret& secret, std::string_view day, const AwsScope& scope) {
  std::string first = "AWS4" + std::string(secret.reveal());
  crypto::Digest key = crypto::hmac_sha256(as_bytes(first), day);
  wipe(first);
  key = crypto::hmac_sha256(key, scope.region);
  key = crypto::hmac_sha256(key, scope.service);
  return crypto::hmac_sha256(key, "aws4_request");
}

}  // namespace

net::Headers sign_aws(const AwsCredentials& credentials, const AwsScope& scope, AwsRequest request, WallTime now) {
  const std::string date = amz_date(now);
  net::Headers added{{"X-Amz-Date", date}};
  if (!credentials.session_token.empty()) {
    added.emplace_back("X-Amz-Security-Token", std::string(credentials.session_token.reveal()));
  }
  request.headers.insert(request.headers.end(), added.begin(), added.end());
  const Canonical whole = canonical(request);
  const std::string day = date.substr(0, 8);
  const std::string where =
      day + "/" + std::string(scope.region) + "/" + std::string(scope.service) + "/aws4_request";
  const std::string to_sign =
      "AWS4-HMAC-SHA256\n" + date + "\n" + where + "\n" + hex_encode(crypto::sha256(whole.text));
  const auto signature = crypto::hmac_sha256(signing_key(credentials.secret_access_key, day, scope), to_sign);
  added.emplace_back("Authorization", "AWS4-HMAC-SHA256 Credential=" + credentials.access_key_id + "/" + where +
                                          ", SignedHeaders=" + whole.names + ", Signature=" + hex_encode(signature));
  return added;
}

}  // namespace sallyport::control
