#include "control/key_desk.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/held.h"

namespace sallyport::control {
namespace {

constexpr std::string_view kSealed = "vault_sealed";
constexpr std::string_view kAsking = "what opens the keyring is being asked for another order; try again";
// Between two passes that found a retired key still named, by a backup say.
constexpr std::chrono::hours kPause{1};

// Lets what else waits for the control executor run between two transactions.
Task<void> let_others_run() {
  const auto executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, use_task);
}

}  // namespace

KeyDesk::KeyDesk(crypto::KeyStore& keys, crypto::Keyring ring, Repository& repository, Random& random,
                 const Clock& clock, KeyDeskRules rules)
    : keys_(keys),
      ring_(std::move(ring)),
      opened_by_(ring_->opened_by()),
      repository_(repository),
      random_(random),
      clock_(clock),
      rules_(std::move(rules)) {
  const auto kept = repository_.get_meta(kSealed);
  const bool sealed = !kept || (*kept && **kept == "1") || !rules_.enabled;  // what cannot be read stays closed
  if (!sealed) return;
  ring_.reset();
  keys_.wrapping().replace({});
}

KeyringStatus KeyDesk::status() const {
  KeyringStatus status;
  status.sealed = !ring_;
  status.opened_by = opened_by_;
  status.damaged = damaged_;
  if (!ring_) return status;
  status.generation = ring_->generation();
  for (crypto::WrappingKey key : ring_->wrapping()) {
    key.key.reset();
    status.keys.push_back(std::move(key));
  }
  status.rotates_at = status.keys.back().made_at + rules_.rotate_after;
  return status;
}

Task<Result<std::uint32_t>> KeyDesk::rotate() {
  if (busy_) co_return fail(Code::conflict, "another turn of the key-encryption key is under way; try again");
  const Held held(busy_);
  SP_CO_TRY(const std::uint32_t id, turn());
  const auto dropped = co_await finish();
  if (!dropped) co_return fail(dropped.error());
  co_return id;
}

Task<Result<std::string>> KeyDesk::maintain() {
  if (busy_ || !ring_) co_return std::string();
  const Held held(busy_);
  std::string done;
  if (is_due()) {
    SP_CO_TRY(const std::uint32_t id, turn());
    done = "key " + std::to_string(id) + " is in force";
  }
  if (!is_unfinished()) co_return done;
  if (done.empty() && passed_at_ && clock_.wall() < *passed_at_ + kPause) co_return done;
  SP_CO_TRY(const std::size_t dropped, co_await finish());
  if (dropped != 0) done += (done.empty() ? "" : "; ") + std::to_string(dropped) + " retired and destroyed";
  co_return done;
}

// The vault may be sealed while the source is asked: it is looked at again then.
Task<Result<std::string>> KeyDesk::reseal(crypto::UnsealSource source) {
  SP_CO_CHECK(check_open());
  if (asking_) co_return fail(Code::conflict, std::string(kAsking));
  const Held held(asking_);
  const auto shared = std::make_shared<const crypto::UnsealSource>(std::move(source));
  const auto work = [shared, folder = rules_.home / "keys", this]() -> Result<std::shared_ptr<crypto::UnsealKey>> {
    SP_TRY(auto made, crypto::fresh_unseal_key(*shared, folder, random_));
    return std::make_shared<crypto::UnsealKey>(std::move(made));
  };
  SP_CO_TRY(const auto fresh, co_await aside_.run<std::shared_ptr<crypto::UnsealKey>>("system", work));
  SP_CO_CHECK(check_open());
  SP_CO_TRY(std::string left, ring_->reseal(std::move(*fresh), random_));
  opened_by_ = ring_->opened_by();
  co_return left;
}

void KeyDesk::drop() {
  ++drops_;
  ring_.reset();
  keys_.wrapping().replace({});
}

Result<void> KeyDesk::seal() {
  drop();
  const auto kept = repository_.put_meta(kSealed, "1");
  if (kept) return {};
  return fail(
      kept.error().code,
      "sealed in memory until the next start; not durable, since the database did not take it: " + kept.error().detail +
          "; fix: free or mend the database, then sallyport vault seal once more; until then do not restart");
}

Task<Result<void>> KeyDesk::unseal() {
  if (ring_) co_return Result<void>{};
  if (!rules_.enabled) {
    co_return fail(Code::conflict, "encryption.enabled is false; fix: set it to true and start again");
  }
  if (asking_) co_return fail(Code::conflict, std::string(kAsking));
  const Held held(asking_);
  const std::uint64_t drops = drops_;
  SP_CO_TRY(auto source, rules_.source());
  const auto shared = std::make_shared<const crypto::UnsealSource>(std::move(source));
  const auto work = [shared, home = rules_.home]() -> Result<std::shared_ptr<crypto::Keyring>> {
    SP_TRY(auto opened, crypto::Keyring::open(home, *shared));
    return std::make_shared<crypto::Keyring>(std::move(opened));
  };
  SP_CO_TRY(const auto ring, co_await aside_.run<std::shared_ptr<crypto::Keyring>>("system", work));
  if (drops_ != drops) {
    co_return fail(Code::conflict,
                   "the vault was sealed while what opens the keyring was asked, and stays sealed; fix: if it is to be "
                   "open, sallyport vault unseal once more");
  }
  SP_CO_CHECK(repository_.put_meta(kSealed, "0"));
  ring_.emplace(std::move(*ring));
  opened_by_ = ring_->opened_by();
  keys_.wrapping().replace(ring_->wrapping());
  co_return Result<void>{};
}

std::vector<std::string> KeyDesk::damage_to_tell() {
  std::vector<std::string> fresh;
  std::ranges::copy_if(damaged_, std::back_inserter(fresh),
                       [this](const std::string& one) { return std::ranges::find(told_, one) == told_.end(); });
  told_ = damaged_;
  return fresh;
}

Result<void> KeyDesk::check_open() const {
  if (ring_) return {};
  return fail(Code::conflict, "the vault is sealed; fix: sallyport vault unseal");
}

Result<std::uint32_t> KeyDesk::turn() {
  SP_CHECK(check_open());
  SP_CHECK(ring_->rotate(random_, clock_.wall()));
  keys_.wrapping().replace(ring_->wrapping());
  return keys_.wrapping_key();
}

// The vault may be sealed while this waits: `ring_` is looked at after each wait.
Task<Result<std::size_t>> KeyDesk::finish() {
  if (rows_.empty()) co_return std::size_t{0};  // whom nobody asked may still name any of them
  std::vector<std::uint32_t> in_use;
  std::vector<std::string> damaged;
  for (WrappedRows& rows : rows_) {
    rows.begin();
    for (bool more = true; more;) {
      SP_CO_TRY(more, rows.step());
      co_await let_others_run();
      SP_CO_CHECK(check_open());
    }
    if (rows.damaged) std::ranges::move(rows.damaged(), std::back_inserter(damaged));
    const auto named = rows.in_use();
    if (!named) {  // what is needed is not known: nothing is destroyed, and it is asked again after the pause
      passed_at_ = clock_.wall();
      co_return fail(named.error());
    }
    in_use.insert(in_use.end(), named->begin(), named->end());
  }
  damaged_ = std::move(damaged);
  SP_CO_TRY(const std::size_t dropped, ring_->drop_retired(in_use, random_));
  passed_at_ = clock_.wall();
  if (dropped != 0) keys_.wrapping().replace(ring_->wrapping());
  co_return dropped;
}

bool KeyDesk::is_due() const { return clock_.wall() >= ring_->wrapping().back().made_at + rules_.rotate_after; }

bool KeyDesk::is_unfinished() const { return ring_->wrapping().size() > 1; }

}  // namespace sallyport::control
