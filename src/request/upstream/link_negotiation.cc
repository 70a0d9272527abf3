// The handshakes of a Link: in which order eras are tried, and what an answer says about them.
#include <algorithm>

#include "request/upstream/codec.h"
#include "request/upstream/link.h"
#include "request/upstream/modern.h"

namespace sallyport::upstream {
namespace {

// mcp-spec.md, 3: of an HTTP server that speaks no Streamable HTTP, HTTP+SSE may still be had.
bool may_be_sse(int status) { return status == 400 || status == 404 || status == 405; }

// -32022 that names the very version it was said in: a server that was just replaced, or that is of two minds. It is asked
// once more in a version that it supports (MCP 2026-07-28, Lifecycle: version negotiation), which is the same.
bool rejects_what_it_supports(const Result<Reply>& reply) {
  if (!reply || !reply->is_error) return false;
  const auto supported = modern::supported_versions(reply->body);
  return supported && supported->modern;
}

}  // namespace

// Whether what came back says anything about the era: never an authorization wall, an overload, a time-out, a network
// that is down (mcp-spec.md, 3, and 10, trap 19). On stdio silence and death do, since the spec says so there.
bool Link::is_evidence(const Word& word) const {
  const Code code = word.reply ? Code::internal : word.reply.error().code;
  if (end_ || code == Code::cancelled || code == Code::upstream_too_large) return false;
  if (wire_ == Wire::stdio) return true;
  if (code == Code::upstream_timeout || code == Code::upstream_unavailable) return false;
  const int status = word.status;
  if (status == 0 || status == 401 || status == 403 || status == 407 || status == 408 || status == 429) return false;
  return status < 300 || (status >= 400 && status < 500);
}

Task<Link::Word> Link::say(std::string text, std::uint64_t id, SteadyTime deadline, bool is_discover) {
  Word word;
  Outgoing message{.id = id, .text = std::move(text), .deadline = deadline, .cancellable = false};
  message.status = &word.status;
  if (is_discover) message.headers.emplace_back("Mcp-Method", "server/discover");
  const auto connection = connection_;
  word.reply = co_await connection->request(std::move(message), nullptr);
  if (end_) word.reply = fail(*end_);
  co_return word;
}

Task<Link::Discovered> Link::discover(SteadyTime deadline) {
  using Outcome = Discovered::Outcome;
  std::uint64_t id = mint_id();
  Word word = co_await say(modern::discover(id), id, deadline, true);
  if (rejects_what_it_supports(word.reply)) {
    id = mint_id();
    word = co_await say(modern::discover(id), id, deadline, true);
  }
  Discovered out;
  if (!is_evidence(word)) {
    out.why = word.reply ? Error{Code::upstream_refused, server_->name + " answered server/discover with HTTP status " +
                                                             std::to_string(word.status)}
                         : word.reply.error();
    co_return out;
  }
  out.outcome = Outcome::legacy;
  if (!word.reply) {
    out.spent = !connection_->alive() || word.reply.error().code == Code::upstream_timeout;
    co_return out;
  }
  if (!word.reply->is_error) {
    auto info = modern::read_discover(word.reply->body);
    if (!info) co_return out;
    out.outcome = Outcome::modern;
    out.info = std::move(*info);
    co_return out;
  }
  // -32022 names what the server speaks. Any other error, whatever its code, is a legacy server's (MCP 2026-07-28,
  // Lifecycle: no error code alone tells the era).
  const auto supported = modern::supported_versions(word.reply->body);
  if (!supported || supported->legacy) co_return out;
  out.outcome = Outcome::failed;
  out.why = Error{Code::upstream_protocol, server_->name + " speaks no revision that we speak"};
  co_return out;
}

Task<Result<void>> Link::initialize(SteadyTime deadline, Word& word) {
  const std::uint64_t id = mint_id();
  word = co_await say(legacy::initialize(id, server_->forwards), id, deadline, false);
  if (!word.reply) co_return fail(Error(word.reply.error()));
  if (word.reply->is_error)
    co_return fail(Code::upstream_refused, "initialize was refused: " + word.reply->body.substr(0, 200));
  SP_CO_TRY(ServerInfo info, legacy::read_initialize(word.reply->body));
  SP_CO_CHECK(adopt(std::move(info), wire_ == Wire::http_sse ? Speech::legacy_sse : Speech::legacy));
  SP_CO_TRY(std::string initialized, legacy::notification("notifications/initialized", {}));
  const auto connection = connection_;
  SP_CO_CHECK(co_await connection->notify(std::move(initialized), deadline));
  ready();
  connection->listen();
  co_return Result<void>{};
}

Task<Result<void>> Link::negotiate_stdio(SteadyTime deadline) {
  using Outcome = Discovered::Outcome;
  const auto known = deps_.eras != nullptr ? deps_.eras->of(*server_) : std::nullopt;
  const bool knows_modern = known && known->speech == Speech::modern;
  SP_CO_CHECK(co_await start(Wire::stdio, deadline));
  bool asked = !known || knows_modern;
  if (asked) {
    // A part of the time only: a silent server must still be able to start a second time.
    const SteadyTime now = deps_.clock.steady();
    const SteadyTime patience = now + std::min<SteadyTime::duration>(settings_.probe_wait, (deadline - now) / 3);
    auto found = co_await discover(knows_modern ? deadline : patience);
    if (found.outcome == Outcome::failed) co_return fail(std::move(found.why));
    if (found.outcome == Outcome::modern) {
      SP_CO_CHECK(adopt(std::move(found.info), Speech::modern));
      ready();
      co_return Result<void>{};
    }
    if (found.spent) {
      // It was the disposable sibling. Slow starters need the time: next time they are not probed.
      learn(Speech::legacy);
      asked = false;
      SP_CO_CHECK(co_await start(Wire::stdio, deadline));
    }
  }
  Word word;
  auto done = co_await initialize(deadline, word);
  if (!done && known) deps_.eras->forget(server_->name);
  // An error in answer to initialize contradicts a verdict that silence or the past gave.
  if (done || asked || !word.reply || !word.reply->is_error) co_return done;
  if (deps_.eras != nullptr) deps_.eras->forget(server_->name);
  auto found = co_await discover(deadline);
  if (found.outcome != Outcome::modern) co_return done;
  SP_CO_CHECK(adopt(std::move(found.info), Speech::modern));
  ready();
  co_return Result<void>{};
}

Task<Result<void>> Link::negotiate_http(SteadyTime deadline) {
  const auto known = deps_.eras != nullptr ? deps_.eras->of(*server_) : std::nullopt;
  if (!known || known->speech == Speech::modern) co_return co_await probe_http(deadline);
  SP_CO_CHECK(co_await start(known->speech == Speech::legacy ? Wire::http : Wire::http_sse, deadline));
  Word word;
  auto done = co_await initialize(deadline, word);
  if (done || !is_evidence(word)) co_return done;
  deps_.eras->forget(server_->name);
  co_return co_await probe_http(deadline);
}

Task<Result<void>> Link::probe_http(SteadyTime deadline) {
  using Outcome = Discovered::Outcome;
  SP_CO_CHECK(co_await start(Wire::http_modern, deadline));
  auto found = co_await discover(deadline);
  if (found.outcome == Outcome::failed) co_return fail(std::move(found.why));
  if (found.outcome == Outcome::legacy) co_return co_await fall_back(deadline);
  SP_CO_CHECK(adopt(std::move(found.info), Speech::modern));
  ready();
  co_return Result<void>{};
}

Task<Result<void>> Link::fall_back(SteadyTime deadline) {
  SP_CO_CHECK(co_await start(Wire::http, deadline));
  Word word;
  const auto done = co_await initialize(deadline, word);
  if (done || end_ || !may_be_sse(word.status)) co_return done;
  if (auto started = co_await start(Wire::http_sse, deadline); !started) co_return end_ ? started : done;
  Word second;
  const auto over_sse = co_await initialize(deadline, second);
  // Where there is no stream of events, its failure says less than the first one.
  co_return over_sse || end_ || second.status == 200 ? over_sse : done;
}

Task<Result<void>> Link::renegotiate(SteadyTime deadline) {
  using Outcome = Discovered::Outcome;
  if (!ready_)
    co_return server_->transport == Transport::stdio ? fail(Code::upstream_unavailable, "no handshake")
                                                     : co_await negotiate_http(deadline);
  ready_ = false;
  if (is_modern(info_.revision)) {
    auto found = co_await discover(deadline);
    if (found.outcome == Outcome::failed) co_return fail(std::move(found.why));
    if (found.outcome == Outcome::modern) {
      SP_CO_CHECK(adopt(std::move(found.info), Speech::modern));
      ready();
      co_return Result<void>{};
    }
    if (wire_ == Wire::stdio)
      co_return fail(Code::upstream_protocol, server_->name + " changed its era in mid-session");
    if (deps_.eras != nullptr) deps_.eras->forget(server_->name);
    co_return co_await fall_back(deadline);
  }
  connection_->forget_session();
  Word word;
  auto done = co_await initialize(deadline, word);
  if (done || wire_ == Wire::stdio || !is_evidence(word)) co_return done;
  if (deps_.eras != nullptr) deps_.eras->forget(server_->name);
  co_return co_await probe_http(deadline);
}

}  // namespace sallyport::upstream
