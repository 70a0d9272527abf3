#include "control/secrets/aws_secrets.h"

#include <algorithm>

#include "control/secrets/remote_reference.h"
#include "core/encoding.h"
#include "json/document.h"
#include "json/writer.h"

namespace sallyport::control {
namespace {

constexpr std::string_view kContentType = "application/x-amz-json-1.1";
constexpr std::string_view kTarget = "secretsmanager.GetSecretValue";

// It becomes a part of a host's name and of what is signed.
bool is_region(std::string_view text) {
  return !text.empty() && text.size() <= 32 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

Result<std::string> value_of(const std::string& answer) {
  const auto document = json::read_upstream_document(answer);
  if (!document) return fail(Code::upstream_protocol, "the answer is no JSON");
  if (const auto text = document->root().string_at("SecretString")) return std::string(*text);
  const auto binary = document->root().string_at("SecretBinary");
  const auto bytes = binary ? base64_decode(*binary) : std::nullopt;
  if (!bytes) return fail(Code::upstream_protocol, "the answer has no secret");
  return std::string(as_text(*bytes));
}

// {"__type":"com.amazonaws...#ResourceNotFoundException","message":"..."}: the message may quote what was asked for.
Error refusal_of(int status, const std::string& answer) {
  const auto document = json::read_upstream_document(answer);
  std::string kind(document ? document->root().string_at("__type").value_or("") : "");
  kind = kind.substr(kind.find('#') == std::string::npos ? 0 : kind.find('#') + 1).substr(0, 64);
  const bool plain = std::ranges::all_of(kind, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
  if (kind == "ResourceNotFoundException") return {Code::not_found, "there is no such secret"};
  return {Code::upstream_refused, "HTTP status " + std::to_string(status) + (plain && !kind.empty() ? ", " + kind : "")};
}

}  // namespace

Result<std::unique_ptr<AwsSecrets>> AwsSecrets::make(Executor executor, const Clock& clock, AwsRules rules) {
  if (!is_region(rules.region)) return fail(Code::config, "'" + rules.region.substr(0, 40) + "' is no AWS region");
  const std::string own = "https://secretsmanager." + rules.region + ".amazonaws.com";
  SP_TRY(auto peer, net::EgressPeer::make(executor, clock,
                                          {.url = rules.endpoint.empty() ? own : rules.endpoint,
                                           .allow_private = rules.allow_private,
                                           .ca_file = rules.ca_file}));
  return std::unique_ptr<AwsSecrets>(new AwsSecrets(clock, std::move(rules), std::move(peer)));
}

Task<Result<std::string>> AwsSecrets::ask(std::string body, SteadyTime deadline) {
  net::EgressRequest request;
  request.path = "/";
  request.headers = {{"Content-Type", std::string(kContentType)}, {"X-Amz-Target", std::string(kTarget)}};
  AwsRequest to_sign{.method = "POST", .body = body, .headers = request.headers};
  to_sign.headers.emplace_back("Host", peer_->url().authority());
  for (auto& header : sign_aws(rules_.credentials, {rules_.region, "secretsmanager"}, std::move(to_sign), clock_.wall())) {
    request.headers.push_back(std::move(header));
  }
  request.body = std::move(body);
  request.deadline = deadline;
  SP_CO_TRY(auto answer, co_await peer_->fetch(std::move(request)));
  if (answer.head.status == 200) co_return std::move(answer.body);
  co_return fail(refusal_of(answer.head.status, answer.body));
}

Task<Result<Secret>> AwsSecrets::fetch(std::string name, SecretUse use) {
  SP_CO_TRY(const RemoteReference reference, parse_aws_reference(name));
  json::Writer question;
  question.object().member("SecretId", reference.path).end_object();
  SP_CO_TRY(std::string answer, co_await ask(question.take(), use.deadline));
  Result<std::string> whole = value_of(answer);
  wipe(answer);
  if (!whole) co_return fail(std::move(whole).error());
  Result<std::string> value = field_of(*whole, reference.field);
  wipe(*whole);
  if (!value) co_return fail(std::move(value).error());
  co_return Secret(*std::move(value));
}

Task<void> AwsSecrets::stop() {
  peer_->stop();
  co_return;
}

}  // namespace sallyport::control
