#include "control/secrets/kv_secrets.h"

#include "control/secrets/remote_reference.h"
#include "json/document.h"

namespace sallyport::control {
namespace {

// data.data holds the fields of the version that was asked for.
Result<std::string> fields_of(const std::string& text) {
  const auto document = json::read_upstream_document(text);
  const auto data = document ? document->root().find("data") : std::nullopt;
  const auto fields = data ? data->find("data") : std::nullopt;
  if (!fields) return fail(Code::upstream_protocol, "the answer is not that of KV version 2");
  if (!fields->is_object()) return fail(Code::not_found, "this version of the secret was deleted");
  return std::string(fields->raw());
}

Error in_words(Error error) {
  if (error.code == Code::not_found) error.detail = "there is no such secret, or it was deleted";
  return error;
}

}  // namespace

Result<std::unique_ptr<KvSecrets>> KvSecrets::make(Executor executor, const Clock& clock, KvRules rules,
                                                   VaultServer::Report report) {
  SP_TRY(auto server, VaultServer::make(executor, clock, rules.server, std::move(report)));
  return std::unique_ptr<KvSecrets>(new KvSecrets(std::move(server), rules.kept_for));
}

Task<Result<Secret>> KvSecrets::fetch(std::string name, SecretUse use) {
  SP_CO_TRY(const RemoteReference reference, parse_kv_reference(name));
  std::string path = reference.mount + "/data/" + reference.path;
  if (reference.version) path += "?version=" + std::to_string(*reference.version);
  auto asked = co_await server_->ask("GET", std::move(path), {}, use.deadline);
  if (!asked) co_return fail(in_words(std::move(asked).error()));
  std::string body = *std::move(asked);
  Result<std::string> fields = fields_of(body);
  wipe(body);
  if (!fields) co_return fail(std::move(fields).error());
  Result<std::string> value = field_of(*fields, reference.field);
  wipe(*fields);
  if (!value) co_return fail(std::move(value).error());
  co_return Secret(*std::move(value));
}

Task<void> KvSecrets::stop() { co_await server_->stop(); }

}  // namespace sallyport::control
