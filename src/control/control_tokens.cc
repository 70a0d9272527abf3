// The control plane's part in signing keys: what TokenKeys works out is stored, published, and only then answered.
#include "control/control_plane.h"

namespace sallyport::control {

Result<std::shared_ptr<const token::KeyRing>> ControlPlane::load_token_keys(std::vector<StoredTokenKey> rows) {
  SP_TRY(token_key_set_, token_keys_.open(std::move(rows)));
  SP_TRY(auto due, token_keys_.maintained(token_key_set_, deps_.clock.wall()));
  if (due) {
    SP_CHECK(deps_.repository.put_token_keys(rows_of(*due)));
    token_key_set_ = std::move(*due);
  }
  return token_keys_.ring(token_key_set_);
}

Task<Result<void>> ControlPlane::take_token_keys(TokenKeySet next, bool at_once) {
  SP_CO_CHECK(deps_.repository.put_token_keys(rows_of(next)));
  TokenKeySet both = std::exchange(token_key_set_, std::move(next));
  if (!at_once && !token_key_set_.empty()) {
    // Known everywhere before it signs: a token is good on every worker when its login is answered.
    both.push_back(token_key_set_.front());
    Snapshot known = *snapshot_;
    SP_CO_TRY(known.token_keys, token_keys_.ring(both));
    SP_CO_CHECK(co_await publish(std::move(known)));
  }
  Snapshot signing = *snapshot_;  // and the set as it is by now: another rotation may have come between
  SP_CO_TRY(signing.token_keys, token_keys_.ring(token_key_set_));
  co_return co_await publish(std::move(signing));
}

Task<Result<std::string>> ControlPlane::rotate_token_keys(bool revoke) {
  SP_CO_TRY(auto next, token_keys_.rotated(token_key_set_, deps_.clock.wall(), revoke));
  const std::string id = next.front().stored.id;
  SP_CO_CHECK(co_await take_token_keys(std::move(next), revoke));
  co_return id;
}

Task<Result<bool>> ControlPlane::maintain_token_keys() {
  SP_CO_TRY(auto next, token_keys_.maintained(token_key_set_, deps_.clock.wall()));
  if (!next) co_return false;
  const bool rotated =
      !next->empty() && (token_key_set_.empty() || next->front().stored.id != token_key_set_.front().stored.id);
  SP_CO_CHECK(co_await take_token_keys(std::move(*next), !rotated));
  co_return rotated;
}

}  // namespace sallyport::control
