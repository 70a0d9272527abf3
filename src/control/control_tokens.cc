// The control plane's part in signing keys: what TokenKeys works out is stored, published, and only then answered.
#include <utility>

#include "control/control_plane.h"

namespace sallyport::control {
namespace {

class Held {
 public:
  explicit Held(bool& flag) : flag_(flag) { flag_ = true; }
  ~Held() { flag_ = false; }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  bool& flag_;
};

// The id of a signer that `before` had not; empty: there is none.
std::string new_signer(const TokenKeySet& before, const TokenKeySet& next) {
  if (next.empty() || next.front().stored.retired_at) return {};
  const std::string& id = next.front().stored.id;
  return before.empty() || before.front().stored.id != id ? id : std::string();
}

}  // namespace

Result<std::string> ControlPlane::load_token_keys(std::vector<StoredTokenKey> rows) {
  SP_TRY(token_key_set_, token_keys_.open(std::move(rows)));
  SP_TRY(auto due, token_keys_.maintained(token_key_set_, deps_.clock.wall()));
  std::string made;
  if (due) {
    SP_CHECK(deps_.repository.put_token_keys(rows_of(*due)));
    made = new_signer(token_key_set_, *due);
    token_key_set_ = std::move(*due);
  }
  return made;
}

Task<Result<void>> ControlPlane::publish_token_keys(TokenKeySet keys) {
  Snapshot next = *snapshot_;
  SP_CO_TRY(next.token_keys, token_keys_.ring(keys));
  co_return co_await publish(std::move(next));
}

// Known everywhere before it signs: a token is good on every worker when its login is answered.
Task<Result<void>> ControlPlane::turn_token_keys(TokenKeySet next) {
  TokenKeySet known = std::exchange(token_key_set_, std::move(next));
  known.push_back(token_key_set_.front());
  SP_CO_CHECK(co_await publish_token_keys(std::move(known)));
  co_return co_await publish_token_keys(token_key_set_);
}

Task<Result<std::string>> ControlPlane::rotate_token_keys(bool revoke) {
  // Of two at once one would let a key sign that the workers do not know yet.
  if (turning_token_keys_) co_return fail(Code::conflict, "another rotation of the keys is under way; try again");
  const Held held(turning_token_keys_);
  SP_CO_TRY(auto next, token_keys_.rotated(token_key_set_, deps_.clock.wall(), revoke));
  const Result<void> stored = deps_.repository.put_token_keys(rows_of(next));
  if (!stored && !revoke) co_return fail(stored.error());
  const std::string id = next.front().stored.id;
  SP_CO_CHECK(co_await turn_token_keys(std::move(next)));
  if (!stored) co_return fail(stored.error());
  co_return id;
}

Task<Result<std::string>> ControlPlane::maintain_token_keys() {
  if (turning_token_keys_) co_return std::string();
  const Held held(turning_token_keys_);
  SP_CO_TRY(auto next, token_keys_.maintained(token_key_set_, deps_.clock.wall()));
  if (!next) co_return std::string();
  SP_CO_CHECK(deps_.repository.put_token_keys(rows_of(*next)));
  std::string signer = new_signer(token_key_set_, *next);
  if (!signer.empty()) {
    SP_CO_CHECK(co_await turn_token_keys(std::move(*next)));
  } else {
    token_key_set_ = std::move(*next);
    SP_CO_CHECK(co_await publish_token_keys(token_key_set_));
  }
  co_return signer;
}

}  // namespace sallyport::control
