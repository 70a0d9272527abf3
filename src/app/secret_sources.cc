#include "app/secret_sources.h"

#include "control/secrets/aws_secrets.h"
#include "control/secrets/kv_secrets.h"

namespace sallyport::app {
namespace {

Result<Secret> resolved(const SourceDeps& deps, const std::string& reference, const char* setting) {
  auto secret = config::resolve_reference(reference, deps.settings.home, deps.environment);
  if (!secret) return fail(Code::config, std::string(setting) + ": " + secret.error().detail);
  if (secret->empty()) return fail(Code::config, std::string(setting) + " is not set; fix: give it a reference");
  return secret;
}

Result<void> add_kv(control::SecretResolver& resolver, const SourceDeps& deps) {
  const config::KvSettings& kv = deps.settings.secrets.kv;
  control::KvRules rules;
  rules.server.url = kv.url;
  rules.server.token = [deps] { return resolved(deps, deps.settings.secrets.kv.token, "vault.kv.token"); };
  if (const auto token = rules.server.token(); !token) return fail(token.error());
  rules.server.space = kv.space;
  rules.server.ca_file = kv.ca;
  rules.server.allow_private = kv.allow_private;
  rules.kept_for = std::chrono::seconds(deps.settings.secrets.kept_seconds);
  auto source = control::KvSecrets::make(deps.executor, deps.clock, std::move(rules), [&log = deps.log](auto why) {
    log.warning("the token of vault.kv", {{"why", why}});
  });
  if (!source) return fail(source.error().code, "vault.kv: " + source.error().detail);
  resolver.add("kv", *std::move(source));
  return {};
}

Result<void> add_aws(control::SecretResolver& resolver, const SourceDeps& deps) {
  const config::AwsSettings& aws = deps.settings.secrets.aws;
  control::AwsRules rules;
  rules.region = aws.region;
  rules.endpoint = aws.endpoint;
  rules.credentials.access_key_id = aws.access_key_id;
  if (aws.access_key_id.empty()) return fail(Code::config, "vault.aws.access_key_id is not set");
  SP_TRY(rules.credentials.secret_access_key, resolved(deps, aws.secret_access_key, "vault.aws.secret_access_key"));
  if (!aws.session_token.empty()) {
    SP_TRY(rules.credentials.session_token, resolved(deps, aws.session_token, "vault.aws.session_token"));
  }
  rules.ca_file = aws.ca;
  rules.allow_private = aws.allow_private;
  rules.kept_for = std::chrono::seconds(deps.settings.secrets.kept_seconds);
  auto source = control::AwsSecrets::make(deps.executor, deps.clock, std::move(rules));
  if (!source) return fail(source.error().code, "vault.aws: " + source.error().detail);
  resolver.add("aws", *std::move(source));
  return {};
}

}  // namespace

Result<void> add_remote_sources(control::SecretResolver& resolver, const SourceDeps& deps) {
  if (!deps.settings.secrets.kv.url.empty()) SP_CHECK(add_kv(resolver, deps));
  if (!deps.settings.secrets.aws.region.empty()) SP_CHECK(add_aws(resolver, deps));
  return {};
}

}  // namespace sallyport::app
