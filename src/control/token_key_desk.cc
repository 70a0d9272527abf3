#include "control/token_key_desk.h"

#include <utility>

#include "core/fault_point.h"
#include "core/held.h"

namespace sallyport::control {
namespace {

// The id of a signer that `before` had not; empty: there is none.
std::string new_signer(const TokenKeySet& before, const TokenKeySet& next) {
  if (next.empty() || next.front().stored.retired_at) return {};
  const std::string& id = next.front().stored.id;
  return before.empty() || before.front().stored.id != id ? id : std::string();
}

}  // namespace

TokenKeyDesk::TokenKeyDesk(Repository& repository, const crypto::KeyStore& keys, Random& random, const Clock& clock,
                           TokenKeyRules rules, Publish publish)
    : repository_(repository), clock_(clock), keys_(keys, random, rules), publish_(std::move(publish)) {}

Result<std::string> TokenKeyDesk::load(std::vector<StoredTokenKey> rows) {
  SP_TRY(set_, keys_.open(std::move(rows)));
  SP_TRY(auto due, keys_.maintained(set_, clock_.wall()));
  std::string made;
  if (due) {
    SP_CHECK(repository_.put_token_keys(rows_of(*due)));
    made = new_signer(set_, *due);
    set_ = std::move(*due);
  }
  return made;
}

Task<Result<void>> TokenKeyDesk::publish(TokenKeySet keys) {
  SP_CO_TRY(auto ring, keys_.ring(keys));
  co_return co_await publish_(std::move(ring));
}

// Known everywhere before it signs: a token is good on every worker when its login is answered.
Task<Result<void>> TokenKeyDesk::turn(TokenKeySet next) {
  TokenKeySet known = std::exchange(set_, std::move(next));
  known.push_back(set_.front());
  SP_CO_CHECK(co_await publish(std::move(known)));
  co_return co_await publish(set_);
}

Task<Result<std::string>> TokenKeyDesk::rotate(bool revoke) {
  // Of two at once one would let a key sign that the workers do not know yet.
  if (turning_) co_return fail(Code::conflict, "another rotation of the keys is under way; try again");
  const Held held(turning_);
  SP_CO_TRY(auto next, keys_.rotated(set_, clock_.wall(), revoke));
  const Result<void> stored = repository_.put_token_keys(rows_of(next));
  if (!stored && !revoke) co_return fail(stored.error());
  fault_point("token_keys.stored");
  const std::string id = next.front().stored.id;
  SP_CO_CHECK(co_await turn(std::move(next)));
  if (!stored) co_return fail(stored.error());
  co_return id;
}

Task<Result<std::string>> TokenKeyDesk::maintain() {
  if (turning_) co_return std::string();
  const Held held(turning_);
  SP_CO_TRY(auto next, keys_.maintained(set_, clock_.wall()));
  if (!next) co_return std::string();
  SP_CO_CHECK(repository_.put_token_keys(rows_of(*next)));
  std::string signer = new_signer(set_, *next);
  if (!signer.empty()) {
    SP_CO_CHECK(co_await turn(std::move(*next)));
  } else {
    set_ = std::move(*next);
    SP_CO_CHECK(co_await publish(set_));
  }
  co_return signer;
}

}  // namespace sallyport::control
