#include "control/secrets/transit_key.h"

#include <algorithm>

#include "core/encoding.h"
#include "json/document.h"
#include "json/writer.h"

namespace sallyport::control {
namespace {

constexpr std::chrono::seconds kPause{1};
constexpr std::size_t kWrappedBytesMax = 4096;  // it becomes a line of the keyring's head

bool is_away(const Error& error) {
  return error.code == Code::upstream_unavailable || error.code == Code::upstream_timeout;
}

// The answer's data.`name`.
Result<std::string> data_of(std::string answer, std::string_view name) {
  const auto document = json::read_upstream_document(answer);
  const auto data = document ? document->root().find("data") : std::nullopt;
  const auto text = data ? data->string_at(name) : std::nullopt;
  Result<std::string> found =
      fail(Code::config, "the answer is not that of a transit engine; fix: see encryption.transit_url");
  if (text) found = std::string(*text);
  wipe(answer);
  return found;
}

void write_place(json::Writer& w, std::string_view place) {
  const std::string text = base64_encode(as_bytes(place));
  w.member("associated_data", text).member("context", text);
}

}  // namespace

Result<std::string> TransitKey::wrap(const Secret& plain, std::string_view place) {
  json::Writer w;
  std::string text = base64_encode(as_bytes(plain.reveal()));
  w.object().member("plaintext", text);
  wipe(text);
  write_place(w, place);
  std::string body = w.end_object().take();
  auto answer = ask("encrypt", body);
  wipe(body);
  if (!answer) return fail(in_words("encrypt", answer.error()));
  SP_TRY(std::string wrapped, data_of(*std::move(answer), "ciphertext"));
  if (wrapped.empty() || wrapped.size() > kWrappedBytesMax)
    return fail(Code::config, "the transit engine wrapped nothing");
  auto elsewhere = opened(wrapped, std::string(place) + "elsewhere");
  if (elsewhere) {
    wipe(*elsewhere);
    return fail(Code::config,
                "the transit engine does not bind what it wraps to its place (associated_data); fix: take a key of "
                "authenticated encryption (aes256-gcm96), and a server of a version that knows associated_data");
  }
  if (is_away(elsewhere.error())) return fail(in_words("decrypt", elsewhere.error()));
  return wrapped;
}

Result<Secret> TransitKey::unwrap(std::string_view wrapped, std::string_view place) {
  auto text = opened(wrapped, place);
  if (!text) return fail(in_words("decrypt", text.error()));
  auto bytes = base64_decode(*text);
  wipe(*text);
  if (!bytes) return fail(Code::config, "the transit engine gave no base64; fix: see encryption.transit_url");
  Secret secret{std::string(as_text(*bytes))};
  std::ranges::fill(*bytes, std::byte{});
  return secret;
}

Result<std::string> TransitKey::opened(std::string_view wrapped, std::string_view place) const {
  json::Writer w;
  w.object().member("ciphertext", wrapped);
  write_place(w, place);
  SP_TRY(std::string answer, ask("decrypt", w.end_object().take()));
  return data_of(std::move(answer), "plaintext");
}

Result<std::string> TransitKey::ask(std::string_view order, const std::string& body) const {
  asio::io_context io(1);
  SP_TRY(const auto server, VaultServer::make(io.get_executor(), clock_, rules_.server, [](std::string_view) {}));
  Result<std::string> found = fail(Code::config, "the transit engine was not heard out; fix: give the order once more");
  const auto run = [](const TransitKey& key, VaultServer& by, std::string path, const std::string& text,
                      Result<std::string>& to) -> Task<void> {
    to = co_await key.ask_until(by, std::move(path), text);
  };
  const auto end = [](TaskGroup& questions, VaultServer& by) -> Task<void> {
    co_await questions.join();
    co_await by.stop();
  };
  TaskGroup questions(io.get_executor(), [](const char*) {});
  std::string path = rules_.mount + "/" + std::string(order) + "/" + rules_.key;
  questions.spawn(run(*this, *server, std::move(path), body, found));
  asio::co_spawn(io, end(questions, *server), [](const std::exception_ptr&) {});
  const std::stop_callback ending(rules_.ending, [&] { asio::post(io, [&questions] { questions.cancel(); }); });
  io.run();
  return found;
}

Task<Result<std::string>> TransitKey::ask_until(VaultServer& server, std::string path, const std::string& body) const {
  const SteadyTime until = clock_.steady() + rules_.wait;
  auto answer = co_await server.ask("POST", path, body, SteadyTime::max());
  SteadyTimer timer(co_await asio::this_coro::executor);
  for (bool told = false; !answer && is_away(answer.error()) && clock_.steady() + kPause < until; told = true) {
    if (!told) report_(in_words({}, answer.error()).detail);
    timer.expires_after(kPause);
    if (const auto [error] = co_await timer.async_wait(use_task_ec); error) break;
    answer = co_await server.ask("POST", path, body, SteadyTime::max());
  }
  co_return answer;
}

// What the keyring's owner has to do: the start, or the order, is refused with it.
Error TransitKey::in_words(std::string_view order, const Error& error) const {
  const std::string key = rules_.mount + "/" + rules_.key;
  const std::string what = "the transit engine at " + rules_.server.url + ", key " + key + ": " + error.detail;
  if (is_away(error)) {
    return {Code::config, what + "; fix: start and unseal that server, and see that it is reached from here "
                                 "(encryption.transit_url, transit_ca); nothing else opens keys/keyring"};
  }
  if (error.code == Code::upstream_refused && error.detail.find("403") != std::string::npos) {
    return {Code::config, what + "; fix: give encryption.transit_token a token that has not ended and may update " +
                              rules_.mount + "/encrypt/" + rules_.key + " and " + rules_.mount + "/decrypt/" +
                              rules_.key};
  }
  if (error.code == Code::not_found) {
    return {Code::config, what + "; fix: correct encryption.transit_mount and encryption.transit_namespace"};
  }
  if (error.code == Code::upstream_refused && order == "decrypt") {
    return {Code::config,
            what + ": it does not open what keys/keyring holds: another key wrapped that, it was changed, or "
                   "it is older than the key's min_decryption_version; fix: correct encryption.transit_key, "
                   "allow that version again, or restore keys/keyring from a backup"};
  }
  if (error.code == Code::config) return error;
  return {Code::config, what + "; fix: correct encryption.transit_key, encryption.transit_url and what goes with them"};
}

}  // namespace sallyport::control
