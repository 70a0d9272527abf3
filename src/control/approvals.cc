#include "control/approvals.h"

#include <algorithm>
#include <array>

#include "core/encoding.h"
#include "crypto/aead.h"
#include "engines/rbac/rbac.h"

namespace sallyport::control {
namespace {

using enum ApprovalState;

constexpr std::chrono::hours kClosedKept{24};
constexpr std::chrono::hours kRoundsLast{1};  // as long as a call in which people are asked (docs/life-of-a-request.md)
constexpr std::size_t kReasonBytesMax = 500;

std::string seal_context(const Approval& call) { return "arguments of approval " + call.id + " " + call.digest; }

bool is_open(ApprovalState state) { return state == pending || state == approved; }

std::string new_id(Random& random) {
  std::array<std::byte, 12> bytes{};
  random.fill(bytes);
  return hex_encode(bytes);
}

}  // namespace

Result<std::size_t> Approvals::load(ApprovalRules rules) {
  rules_ = rules;
  SP_TRY(auto stored, store_.load_approvals());
  std::vector<std::string> lost;
  for (StoredApproval& row : stored) {
    const auto bytes = base64url_decode(row.sealed);
    auto plain = crypto::open(keys_.key(crypto::Purpose::approvals), bytes ? as_text(*bytes) : std::string_view(),
                              seal_context(row.call));
    if (!plain) {
      lost.push_back(row.call.id);
      continue;
    }
    row.call.arguments = std::move(*plain);
    newest_[row.call.digest] = row.call.id;
    const std::string id = row.call.id;
    calls_[id] = std::move(row.call);
  }
  SP_CHECK(store_.delete_approvals(lost));
  return lost.size();
}

Approval Approvals::seen(Approval call) const {
  if (is_open(call.state) && clock_.wall() >= call.expires_at) call.state = expired;
  return call;
}

const Approval* Approvals::newest(const std::string& digest) const {
  const auto id = newest_.find(digest);
  const auto call = id == newest_.end() ? calls_.end() : calls_.find(id->second);
  return call == calls_.end() ? nullptr : &call->second;
}

Result<Approval> Approvals::claim(const ApprovalClaim& claim) {
  if (!claim.id.empty()) return go_on(claim);
  if (const Approval* const known = newest(claim.call.digest)) {
    Approval call = seen(*known);
    if (call.state == approved) return use(std::move(call));
    if (call.state == pending) return call;
    if (call.state == denied && clock_.wall() < call.expires_at) return call;
  }
  return ask(claim.call);
}

Result<void> Approvals::check_bounds(const Approval& call) const {
  if (call.arguments.size() > rules_.arguments_bytes) {
    return fail(Code::limit, "the arguments are longer than approval.arguments_bytes: nobody could look at them");
  }
  const auto open = [&](const auto& entry) { return is_open(seen(entry.second).state); };
  const auto own = [&](const auto& entry) { return entry.second.principal == call.principal && open(entry); };
  if (std::ranges::count_if(calls_, own) >= static_cast<std::ptrdiff_t>(rules_.per_principal)) {
    return fail(Code::limit, "calls of this principal that wait for approval: approval.per_principal; fix: decide or "
                             "withdraw some (sallyport approval list), or raise it");
  }
  SP_CHECK(check_share(call));
  if (std::ranges::count_if(calls_, open) >= static_cast<std::ptrdiff_t>(rules_.total)) {
    return fail(Code::limit, "calls that wait for approval: approval.total; fix: decide or withdraw some (sallyport "
                             "approval list), or raise it");
  }
  return {};
}

// However many keys somebody has or makes, there is room for the others.
Result<void> Approvals::check_share(const Approval& call) const {
  constexpr std::size_t kOfOnePerson = 4, kOfKeysWithoutOwner = 2;  // parts of the whole
  const bool orphan = call.person.starts_with("key:");
  const std::size_t share = std::max<std::size_t>(1, rules_.total / (orphan ? kOfKeysWithoutOwner : kOfOnePerson));
  const auto theirs = std::ranges::count_if(calls_, [&](const auto& entry) {
    const std::string& person = entry.second.person;
    return (orphan ? person.starts_with("key:") : person == call.person) && is_open(seen(entry.second).state);
  });
  if (theirs < static_cast<std::ptrdiff_t>(share)) return {};
  return fail(
      Code::limit,
      orphan
          ? "calls of keys without an owner that wait for approval: half of approval.total; fix: decide some "
            "(sallyport "
            "approval list), or raise it"
          : "calls of this person and their keys that wait for approval: a quarter of approval.total; fix: decide or "
            "withdraw some (sallyport approval list), or raise it");
}

Result<Approval> Approvals::ask(Approval call) {
  SP_CHECK(check_bounds(call));
  call.id = new_id(random_);
  call.state = pending;
  call.created_at = clock_.wall();
  call.expires_at = call.created_at + rules_.pending;
  SP_TRY(call, change(std::move(call), "requested", nullptr));
  newest_[call.digest] = call.id;
  if (asked_) asked_(call);
  return call;
}

Result<Approval> Approvals::use(Approval call) {
  call.state = used;
  call.rounds = 1;
  call.expires_at = clock_.wall() + kRoundsLast;
  return change(std::move(call), "used", nullptr);
}

// A call in several rounds is one use: each of its rounds is begun once, whoever shows its state a second time.
Result<Approval> Approvals::go_on(const ApprovalClaim& claim) {
  const auto found = calls_.find(claim.id);
  const bool fits = found != calls_.end() && found->second.digest == claim.call.digest && found->second.state == used &&
                    found->second.rounds == claim.round && clock_.wall() < found->second.expires_at;
  if (!fits) return fail(Code::invalid_params, "requestState: the approval of this call is used up");
  Approval next = found->second;
  ++next.rounds;
  return change(std::move(next), "continued", nullptr);
}

std::vector<Approval> Approvals::list() const {
  std::vector<Approval> out;
  out.reserve(calls_.size());
  for (const auto& [id, call] : calls_) {
    out.push_back(seen(call));
    out.back().arguments.clear();
  }
  std::ranges::sort(out, [](const Approval& a, const Approval& b) {
    return a.created_at != b.created_at ? a.created_at > b.created_at : a.id < b.id;
  });
  return out;
}

Result<Approval> Approvals::find(std::string_view id) const {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return fail(Code::not_found, "no such approval");
  return seen(found->second);
}

// A key shows that somebody has its secret, not who: whoever may rotate a colleague's key has a second pair of eyes.
Result<void> Approvals::check_eyes(const Approval& call, const Principal& by) const {
  if (!rules_.four_eyes) return {};
  if (by.key) {
    return fail(Code::access_denied,
                "an API key decides nothing, nor a token that it bought: log in as a person (four eyes)");
  }
  if (person_of(by) != call.person && by.id != call.principal) return {};
  return fail(Code::access_denied,
              "nobody decides about a call of their own, or of a key of theirs: ask somebody else (four eyes)");
}

Result<Approval> Approvals::decide(const std::string& id, bool yes, std::string reason, const Principal& by) {
  SP_TRY(Approval call, find(id));
  if (rbac::has_role(by, "agent")) return fail(Code::access_denied, "an agent approves nothing: people do");
  SP_CHECK(check_eyes(call, by));
  if (reason.size() > kReasonBytesMax) return fail(Code::validation, "reason: at most 500 bytes");
  if (call.state != pending) return fail(Code::conflict, "it is " + std::string(name_of(call.state)) + " already");
  call.state = yes ? approved : denied;
  call.decided_at = clock_.wall();
  call.expires_at = call.decided_at + rules_.valid;
  call.decided_by = by.id;
  call.reason = std::move(reason);
  return change(std::move(call), yes ? "approved" : "denied", &by);
}

Result<Approval> Approvals::cancel(const std::string& id, const Principal& by) {
  SP_TRY(Approval call, find(id));
  if (call.principal != by.id) return fail(Code::not_found, "no such approval");
  if (!is_open(call.state)) return fail(Code::conflict, "it is " + std::string(name_of(call.state)) + " already");
  call.state = cancelled;
  call.expires_at = clock_.wall();
  return change(std::move(call), "cancelled", &by);
}

// Evidence, then the store, then the effect.
Result<Approval> Approvals::change(Approval next, std::string_view what, const Principal* by) {
  SP_CHECK(note_(next, what, by));
  auto row = sealed(next);
  const auto stored = row ? store_.put_approval(*row) : Result<void>(fail(row.error()));
  if (!stored) {
    (void)note_(next, "failed", by);
    return fail(stored.error());
  }
  const std::string id = next.id;
  return calls_[id] = std::move(next);
}

Result<StoredApproval> Approvals::sealed(const Approval& call) {
  SP_TRY(const std::string bytes,
         crypto::seal(keys_.key(crypto::Purpose::approvals), call.arguments, seal_context(call), random_));
  StoredApproval row{call, base64url_encode(as_bytes(bytes))};
  row.call.arguments.clear();
  return row;
}

Result<void> Approvals::sweep() {
  for (const auto& [id, call] : calls_) {
    if (Approval now = seen(call); now.state != call.state) SP_CHECK(change(std::move(now), "expired", nullptr));
  }
  std::vector<std::string> old;
  std::size_t closed = 0;
  for (const Approval& call : list()) {
    if (is_open(call.state)) continue;
    const bool settled = clock_.wall() >= call.expires_at;  // nothing is asked of it any more
    if (settled && (++closed > rules_.total || clock_.wall() >= call.created_at + kClosedKept)) old.push_back(call.id);
  }
  if (old.empty()) return {};
  SP_CHECK(store_.delete_approvals(old));
  for (const std::string& id : old) {
    const auto call = calls_.find(id);
    const auto newest = newest_.find(call->second.digest);
    if (newest != newest_.end() && newest->second == id) newest_.erase(newest);
    calls_.erase(call);
  }
  return {};
}

}  // namespace sallyport::control
