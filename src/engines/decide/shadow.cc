#include "engines/decide/shadow.h"

#include <algorithm>
#include <utility>

namespace sallyport {
namespace {

constexpr std::chrono::milliseconds kBudget{1};
constexpr std::chrono::milliseconds kOwedMax{50};  // beyond it nothing is compared until time has passed
constexpr int kShare = 10;                         // one part in so many of the worker's time
constexpr std::size_t kSeenMax = 256;
constexpr std::size_t kToldMax = 256;
constexpr int kSlow = 8;        // a slow failure weighs as much as so many good answers
constexpr int kStrainMax = 256;

constexpr std::string_view kByPolicy = "policy.";

// Roles and duties say the same under every policy.
bool by_policy(const Decision& decision) { return std::string_view(decision.rule_id).starts_with(kByPolicy); }

bool same_obligations(const Decision& a, const Decision& b) {
  static const Obligations kNone;
  return (a.obligations ? *a.obligations : kNone) == (b.obligations ? *b.obligations : kNone);
}

std::string text_of(const Decision& decision) {
  const std::string& why = decision.rule_id == kRulePolicyError ? decision.evidence : decision.reason;
  return decision.rule_id + (why.empty() ? "" : ": " + why);
}

}  // namespace

std::string_view shadow_kind_name(ShadowKind kind) noexcept {
  switch (kind) {
    case ShadowKind::would_deny: return "would_deny";
    case ShadowKind::would_allow: return "would_allow";
    case ShadowKind::would_oblige: return "would_oblige";
    case ShadowKind::error: return "error";
  }
  return "error";
}

Shadow::Shadow(const Clock& clock) : clock_(clock) {}
Shadow::~Shadow() = default;

void Shadow::begin(const Snapshot& snapshot) {
  candidate_epoch_ = snapshot.shadow ? snapshot.shadow->epoch : 0;
  active_epoch_ = snapshot.policy->epoch;
  begun_ = snapshot.epoch;
  decider_.reset();
  beside_ = {};
  counts_ = {};
  seen_.clear();
  news_.clear();
  told_ = 0;
  strain_ = 0;
  if (!snapshot.shadow) return;
  counts_.version = snapshot.shadow->version;
  counts_.against = snapshot.policy->version;
  decider_ = std::make_unique<Decider>(DeciderSettings{.policy_budget = kBudget});
}

void Shadow::compare(const Snapshot& snapshot, const AccessRequest& request, const Decision& answer) noexcept {
  try {
    if (snapshot.epoch < begun_) return;
    const std::uint64_t candidate = snapshot.shadow ? snapshot.shadow->epoch : 0;
    if (candidate != candidate_epoch_ || snapshot.policy->epoch != active_epoch_) begin(snapshot);
    if (!decider_ || !by_policy(answer)) return;
    if (counts_.suspended || !has_time()) {
      ++counts_.skipped;
      return;
    }
    if (beside_.epoch != snapshot.epoch || beside_.policy != snapshot.shadow) {
      beside_ = snapshot;
      beside_.policy = snapshot.shadow;
      beside_.shadow.reset();
    }
    const SteadyTime from = clock_.steady();
    const Decision other = decider_->decide(beside_, request);
    took(clock_.steady() - from, other.rule_id == kRulePolicyError);
    weigh(request, answer, other);
  } catch (const std::exception&) {
    ++counts_.errors;
  }
}

// What was used is paid back by the time that passes.
bool Shadow::has_time() {
  const SteadyTime now = clock_.steady();
  owed_ = std::max(std::chrono::nanoseconds(0), owed_ - (now - looked_) / kShare);
  looked_ = now;
  return owed_ < kOwedMax;
}

void Shadow::took(std::chrono::nanoseconds time, bool failed) {
  owed_ += time;
  strain_ = failed && time >= kBudget ? strain_ + kSlow : std::max(0, strain_ - 1);
  counts_.suspended = strain_ >= kStrainMax;
}

void Shadow::weigh(const AccessRequest& request, const Decision& answer, const Decision& other) {
  ++counts_.compared;
  if (other.rule_id == kRulePolicyError) {
    ++counts_.errors;
    note(ShadowKind::error, request, answer, other);
  } else if (answer.allow && !other.allow) {
    ++counts_.would_deny;
    note(ShadowKind::would_deny, request, answer, other);
  } else if (!answer.allow && other.allow) {
    ++counts_.would_allow;
    note(ShadowKind::would_allow, request, answer, other);
  } else if (answer.allow && !same_obligations(answer, other)) {
    ++counts_.would_oblige;
    note(ShadowKind::would_oblige, request, answer, other);
  }
}

void Shadow::note(ShadowKind kind, const AccessRequest& request, const Decision& answer, const Decision& other) {
  ShadowDifference fresh{.kind = kind, .principal = request.principal.id};
  if (request.tool != nullptr) fresh.server = request.tool->server;
  else if (request.server != nullptr) fresh.server = request.server->name;
  if (request.tool != nullptr) fresh.tool = request.tool->name;
  fresh.permission = name_of(request.action);
  fresh.phase = request.phase == Phase::list ? "list" : "call";
  fresh.active = text_of(answer);
  fresh.candidate = text_of(other);
  fresh.at = request.now;
  std::string key(shadow_kind_name(kind));
  for (const std::string* part : {&fresh.principal, &fresh.server, &fresh.tool, &fresh.permission, &fresh.phase}) {
    key.append(1, '\0').append(*part);
  }
  const auto known = seen_.find(key);
  if (known != seen_.end()) {
    fresh.count = known->second.count + 1;
    known->second = std::move(fresh);
    return;
  }
  fresh.count = 1;
  if (told_ < kToldMax) {
    ++told_;
    news_.push_back(fresh);
  }
  if (seen_.size() >= kSeenMax) forget_one();
  seen_.emplace(std::move(key), std::move(fresh));
}

void Shadow::forget_one() {
  seen_.erase(std::ranges::min_element(seen_, {}, [](const auto& entry) { return entry.second.at; }));
}

ShadowReport Shadow::report(bool with_differences) const {
  ShadowReport out = counts_;
  if (!with_differences) return out;
  for (const auto& [key, difference] : seen_) out.differences.push_back(difference);
  return out;
}

std::vector<ShadowDifference> Shadow::news() { return std::exchange(news_, {}); }

}  // namespace sallyport
