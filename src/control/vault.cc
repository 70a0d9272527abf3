#include "control/vault.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/encoding.h"
#include "crypto/sealed_record.h"

namespace sallyport::control {
namespace {

constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kDescriptionBytesMax = 500;
constexpr std::size_t kLabelsMax = 16;
constexpr std::size_t kLabelBytesMax = 64;
constexpr std::string_view kPrincipals = "principal/";  // ${vault:principal/NAME}

bool is_plain(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Result<void> check_labels(const std::vector<std::string>& labels) {
  const auto good = [](const std::string& label) {
    return !label.empty() && label.size() <= kLabelBytesMax && is_plain(label);
  };
  if (labels.size() <= kLabelsMax && std::ranges::all_of(labels, good)) return {};
  return fail(Code::validation, "labels: at most 16, each of 1 to 64 bytes without control characters");
}

crypto::Binding binding_of(std::string_view secret, std::uint32_t version) {
  return {"vault_versions", secret, "ciphertext", version};
}

std::string new_id(Random& random) {
  std::array<std::byte, 12> bytes{};
  random.fill(bytes);
  return hex_encode(bytes);
}

std::string named(const VaultName& where) {
  return "secret " + where.name + (where.owner.empty() ? "" : " of " + where.owner);
}

Result<void> check_value(std::string_view value) {
  if (!value.empty() && value.size() <= kVaultValueBytesMax) return {};
  return fail(Code::validation, "value: 1 byte to 64 KiB");
}

VaultVersion* version_of(VaultSecret& secret, std::uint32_t number) {
  const auto found = std::ranges::find(secret.versions, number, &VaultVersion::number);
  return found == secret.versions.end() ? nullptr : &*found;
}

}  // namespace

Result<void> check_vault_name(std::string_view name) {
  const auto word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto good = [&](char c) { return word(c) || c == '-' || c == '_' || c == '.' || c == '/'; };
  const bool fits = !name.empty() && name.size() <= kNameBytesMax && word(name.front()) && word(name.back()) &&
                    std::ranges::all_of(name, good) && name.find("//") == std::string_view::npos &&
                    name.find("..") == std::string_view::npos;
  if (!fits) {
    return fail(Code::validation, "name: 1 to 128 of a-z 0-9 - _ . /, a letter or digit at both ends, no // and no ..");
  }
  if (name.starts_with(kPrincipals)) return fail(Code::validation, "name: principal/ stands for callers' own secrets");
  return {};
}

Result<void> Vault::load(VaultRules rules) {
  rules_ = rules;
  SP_TRY(auto all, store_.load_vault());
  for (VaultSecret& secret : all) {
    VaultName where{secret.owner, secret.name};
    secrets_.emplace(std::move(where), std::move(secret));
  }
  return {};
}

Result<Vault::Secrets::iterator> Vault::at(const VaultName& where) {
  const auto found = secrets_.find(where);
  if (found == secrets_.end()) return fail(Code::not_found, "no " + named(where));
  return found;
}

Result<void> Vault::check_open() const {
  if (!sealed()) return {};
  return fail(Code::conflict, "the vault is sealed; fix: sallyport vault unseal");
}

Result<void> Vault::check_room(const VaultName& where) const {
  if (secrets_.size() >= rules_.secrets) {
    return fail(Code::conflict, "the vault holds vault.secrets secrets; delete some, or raise it");
  }
  if (where.owner.empty()) return {};
  const auto own = std::ranges::count_if(secrets_, [&](const auto& one) { return one.first.owner == where.owner; });
  if (static_cast<std::size_t>(own) < rules_.per_owner) return {};
  return fail(Code::conflict, where.owner + " has vault.secrets_per_owner secrets; delete some, or raise it");
}

void Vault::tell(const VaultName& where, bool gone) const {
  if (changed_) changed_(where, gone);
}

Result<VaultVersionRow> Vault::sealed_row(const VaultSecret& secret, std::string_view value) {
  SP_TRY(auto sealed, crypto::seal_record(keys_, value, binding_of(secret.id, secret.newest), random_));
  return VaultVersionRow{secret.id, secret.newest, {std::move(sealed.wrapped_key), std::move(sealed.ciphertext)}};
}

Result<VaultSecret> Vault::store(VaultSecret next, const std::optional<VaultVersionRow>& fresh) {
  next.updated_at = clock_.wall();
  SP_CHECK(store_.put_secret(next, fresh));
  VaultName where{next.owner, next.name};
  return secrets_.insert_or_assign(std::move(where), std::move(next)).first->second;
}

// The oldest beyond those that are kept; never the one in force.
Result<void> Vault::forget_old(VaultSecret& secret) {
  while (secret.versions.size() > rules_.versions) {
    const bool first = secret.versions.front().number != secret.current;
    if (!first && secret.versions.size() < 2) break;
    const auto oldest = secret.versions.begin() + (first ? 0 : 1);
    SP_CHECK(store_.destroy_version(secret.id, oldest->number, true));
    secret.versions.erase(oldest);
  }
  return {};
}

Result<VaultSecret> Vault::drafted(const VaultPut& order, bool valued) const {
  SP_CHECK(check_vault_name(order.where.name));
  const auto known = secrets_.find(order.where);
  VaultSecret next;
  if (known != secrets_.end()) {
    next = known->second;
  } else {
    if (!valued) return fail(Code::not_found, "no " + named(order.where));
    SP_CHECK(check_room(order.where));
    next.owner = order.where.owner;
    next.name = order.where.name;
    next.created_at = clock_.wall();
  }
  if (order.description) next.description = *order.description;
  if (next.description.size() > kDescriptionBytesMax || !is_plain(next.description)) {
    return fail(Code::validation, "description: one line of at most 500 bytes");
  }
  if (order.labels) next.labels = *order.labels;
  SP_CHECK(check_labels(next.labels));
  if (order.expires_at) next.expires_at = *order.expires_at;
  if (valued) {
    SP_CHECK(check_open());
  }
  if (order.value) {
    SP_CHECK(check_value(order.value->reveal()));
  }
  return next;
}

Result<VaultSecret> Vault::put(VaultPut order) {
  SP_TRY(VaultSecret next, drafted(order, order.value.has_value()));
  if (!order.value) return store(std::move(next), std::nullopt);
  if (next.id.empty()) next.id = new_id(random_);
  next.current = ++next.newest;
  next.versions.push_back({next.newest, clock_.wall(), std::move(order.author), false});
  SP_TRY(VaultVersionRow row, sealed_row(next, order.value->reveal()));
  SP_TRY(VaultSecret stored, store(std::move(next), row));
  tell(order.where);
  // The value is in force: what becomes of an old one is not what was asked for.
  if (!forget_old(secrets_.at(order.where))) surplus_.insert(order.where);
  return secrets_.at(order.where);
}

Result<VaultSecret> Vault::find(const VaultName& where) const {
  const auto found = secrets_.find(where);
  if (found == secrets_.end()) return fail(Code::not_found, "no " + named(where));
  return found->second;
}

std::vector<VaultSecret> Vault::list(const std::optional<std::string>& owner) const {
  std::vector<VaultSecret> out;
  for (const auto& [where, secret] : secrets_) {
    if (!owner || where.owner == *owner) out.push_back(secret);
  }
  return out;
}

Result<VaultValue> Vault::open(const VaultSecret& secret, std::uint32_t version) {
  SP_CHECK(check_open());
  const auto known = std::ranges::find(secret.versions, version, &VaultVersion::number);
  const std::string which = named({secret.owner, secret.name}) + ", version " + std::to_string(version);
  if (known == secret.versions.end()) return fail(Code::not_found, "no " + which);
  if (known->destroyed) return fail(Code::gone, which + " was destroyed");
  SP_TRY(VaultSealed sealed, store_.sealed_version(secret.id, version));
  auto value = crypto::open_record(keys_, {std::move(sealed.wrapped_key), std::move(sealed.ciphertext)},
                                   binding_of(secret.id, version));
  if (!value) return fail(value.error().code, which + " does not open: " + value.error().detail);
  return VaultValue{secret.id, version, secret.expires_at, std::move(*value)};
}

Result<VaultValue> Vault::reveal(const VaultName& where, std::optional<std::uint32_t> version) {
  SP_TRY(const auto found, at(where));
  return open(found->second, version.value_or(found->second.current));
}

Result<VaultValue> Vault::use(const VaultName& where, std::optional<std::uint32_t> version) {
  SP_CHECK(check_open());
  SP_TRY(const auto found, at(where));
  VaultSecret& secret = found->second;
  if (secret.expires_at && clock_.wall() >= *secret.expires_at) return fail(Code::gone, named(where) + " has expired");
  SP_TRY(VaultValue value, open(secret, version.value_or(secret.current)));
  secret.last_used_at = clock_.wall();
  ++secret.use_count;
  if (std::ranges::find(used_, where) == used_.end()) used_.push_back(where);
  return value;
}

Result<VaultSecret> Vault::roll_back(const VaultName& where, std::uint32_t version) {
  SP_TRY(const auto found, at(where));
  VaultSecret next = found->second;
  if (next.current == version)
    return fail(Code::conflict, "version " + std::to_string(version) + " is in force already");
  SP_CHECK(open(next, version));  // what does not open comes not into force
  next.current = version;
  SP_TRY(VaultSecret stored, store(std::move(next), std::nullopt));
  tell(where);
  return stored;
}

Result<VaultSecret> Vault::destroy(const VaultName& where, std::uint32_t version) {
  SP_TRY(const auto found, at(where));
  VaultVersion* const known = version_of(found->second, version);
  if (known == nullptr) return fail(Code::not_found, "no version " + std::to_string(version) + " of " + named(where));
  if (version == found->second.current) {
    return fail(Code::conflict,
                "version " + std::to_string(version) + " is in force: roll back first, or delete it all");
  }
  SP_CHECK(store_.destroy_version(found->second.id, version, false));
  known->destroyed = true;
  return found->second;
}

Result<void> Vault::remove(const VaultName& where) {
  SP_TRY(const auto found, at(where));
  const auto gone = store_.delete_secret(found->second.id);
  if (!gone && gone.error().code != Code::not_found) return gone;
  secrets_.erase(found);
  std::erase(used_, where);
  tell(where, true);
  return {};
}

Result<std::size_t> Vault::remove_of_gone(const std::function<bool(std::string_view owner)>& there) {
  std::vector<VaultName> gone;
  for (const auto& [where, secret] : secrets_) {
    if (!where.owner.empty() && !there(where.owner)) gone.push_back(where);
  }
  for (const VaultName& where : gone) SP_CHECK(remove(where));
  return gone.size();
}

Result<std::optional<Vault::Position>> Vault::rewrap(const Position& from, std::uint32_t most) {
  SP_CHECK(check_open());
  if (from.secret.empty()) damaged_.clear();
  SP_TRY(auto rows, store_.sealed_rows(from.secret, from.version, most));
  if (rows.empty()) return std::nullopt;
  Position last{rows.back().secret, rows.back().number};
  std::erase_if(rows, [this](const auto& row) { return !keys_.needs_rewrap(row.sealed.wrapped_key); });
  std::vector<VaultVersionRow> anew;
  for (VaultVersionRow& row : rows) {
    auto wrapped = crypto::rewrap_record(keys_, row.sealed.wrapped_key, binding_of(row.secret, row.number), random_);
    if (!wrapped && wrapped.error().code != Code::crypto) return fail(std::move(wrapped).error());
    if (!wrapped) {
      damaged_.push_back(damage_of(row, wrapped.error()));
      continue;
    }
    row.sealed.wrapped_key = std::move(*wrapped);
    anew.push_back(std::move(row));
  }
  SP_CHECK(store_.put_wrapped(anew));
  return last;
}

// The key that it names; all of them where it names none that there is: which one it was is not known.
std::vector<std::uint32_t> keys_for_damaged(const crypto::KeyStore& keys, std::string_view wrapped) {
  const auto named = crypto::WrappingKeys::named_by(wrapped);
  std::vector<std::uint32_t> all;
  for (const crypto::WrappingKey& key : *keys.wrapping().current()) all.push_back(key.id);
  if (!named || std::ranges::find(all, *named) == all.end()) return all;
  return {*named};
}

VaultDamage Vault::damage_of(const VaultVersionRow& row, const Error& why) const {
  VaultDamage damage{{}, row.secret, row.number, keys_for_damaged(keys_, row.sealed.wrapped_key), why.detail};
  const auto known = std::ranges::find_if(secrets_, [&](const auto& one) { return one.second.id == row.secret; });
  if (known == secrets_.end()) return damage;
  damage.owner = known->first.owner;
  damage.name = known->first.name;
  return damage;
}

Result<bool> Vault::erase_rest() {
  while (!surplus_.empty()) {
    const auto found = secrets_.find(*surplus_.begin());
    if (found != secrets_.end()) SP_CHECK(forget_old(found->second));
    surplus_.erase(surplus_.begin());
  }
  return store_.empty_log();
}

Result<void> Vault::write_uses() {
  if (used_.empty()) return {};
  std::vector<VaultUse> uses;
  for (const VaultName& where : used_) {
    const auto found = secrets_.find(where);
    if (found == secrets_.end()) continue;
    const VaultSecret& secret = found->second;
    uses.push_back({secret.id, secret.last_used_at.value_or(WallTime{}), secret.use_count});
  }
  SP_CHECK(store_.touch_secrets(uses));
  used_.clear();
  return {};
}

}  // namespace sallyport::control
