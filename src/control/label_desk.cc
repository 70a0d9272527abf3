#include "control/label_desk.h"

#include <algorithm>

namespace sallyport::control {
namespace {

constexpr std::size_t kLabelsOfOneMax = 64;

auto all_over(WallTime now) {
  return [now](const auto& entry) {
    return std::ranges::all_of(*entry.second, [now](const auto& label) { return label.second.until <= now; });
  };
}

}  // namespace

LabelDesk::LabelDesk(LabelStore& store, const Clock& clock, LabelRules rules, Publish publish)
    : store_(store), clock_(clock), rules_(rules), publish_(std::move(publish)) {}

void LabelDesk::load(std::map<std::string, LabelsOfOne, std::less<>> stored) {
  auto all = std::make_shared<Labels>();
  for (auto& [holder, labels] : stored) (*all)[holder] = std::make_shared<const LabelsOfOne>(std::move(labels));
  all_ = std::move(all);
}

LabelsOfOne LabelDesk::unexpired(const std::string& holder) const {
  LabelsOfOne out;
  const auto found = all_->find(holder);
  if (found == all_->end()) return out;
  for (const auto& [name, label] : *found->second) {
    if (label.until > clock_.wall()) out.emplace(name, label);
  }
  return out;
}

// Where all places are taken, those go whose labels have all run out.
Result<void> LabelDesk::make_room(Labels& labels) {
  if (labels.size() < rules_.holders_max) return {};
  const WallTime now = clock_.wall();
  SP_CHECK(store_.prune_labels(now));
  std::erase_if(labels, all_over(now));
  if (labels.size() < rules_.holders_max) return {};
  return fail(Code::limit, "too many principals carry labels: clear some (sallyport label clear)");
}

Task<Result<void>> LabelDesk::keep(std::string holder, LabelsOfOne mine) {
  auto next = std::make_shared<Labels>(*all_);
  if (!mine.empty() && !next->contains(holder)) {
    SP_CO_CHECK(make_room(*next));
  }
  SP_CO_CHECK(store_.put_labels(holder, mine));
  if (mine.empty()) next->erase(holder);
  else (*next)[holder] = std::make_shared<const LabelsOfOne>(std::move(mine));
  all_ = std::move(next);
  co_return co_await publish_(all_);
}

Task<Result<void>> LabelDesk::leave(std::string holder, std::vector<std::string> names, std::string set_by,
                                    std::chrono::seconds longest) {
  const WallTime now = clock_.wall();
  LabelsOfOne mine = unexpired(holder);
  const bool fresh = std::ranges::all_of(names, [&](const std::string& name) {
    const auto found = mine.find(name);
    return found != mine.end() && found->second.until - now > longest + rules_.lifetime / 2;
  });
  if (fresh) co_return co_await publish_(all_);  // a call beside this one set them: until every worker knows
  for (std::string& name : names) {
    Label& label = mine[std::move(name)];
    label = {std::max(label.until, now + longest + rules_.lifetime), set_by};  // another call may last longer
  }
  if (mine.size() > kLabelsOfOneMax) co_return fail(Code::limit, "a principal carries at most 64 labels");
  co_return co_await keep(std::move(holder), std::move(mine));
}

std::shared_ptr<const Labels> LabelDesk::without(const std::vector<std::string>& holders) {
  auto next = std::make_shared<Labels>(*all_);
  for (const std::string& holder : holders) next->erase(holder);
  if (next->size() != all_->size()) all_ = std::move(next);
  return all_;
}

Task<Result<void>> LabelDesk::sweep() {
  const WallTime now = clock_.wall();
  if (std::ranges::none_of(*all_, all_over(now))) co_return Result<void>{};
  SP_CO_CHECK(store_.prune_labels(now));
  auto next = std::make_shared<Labels>(*all_);
  std::erase_if(*next, all_over(now));
  all_ = std::move(next);
  co_return co_await publish_(all_);
}

Task<Result<std::vector<std::string>>> LabelDesk::clear(std::string holder, std::string name) {
  LabelsOfOne mine = unexpired(holder);
  std::vector<std::string> gone;
  std::erase_if(mine, [&](const auto& label) {
    const bool goes = name.empty() || label.first == name;
    if (goes) gone.push_back(label.first);
    return goes;
  });
  if (gone.empty()) co_return fail(Code::not_found, holder + " carries no label" + (name.empty() ? "" : " " + name));
  SP_CO_CHECK(co_await keep(std::move(holder), std::move(mine)));
  co_return gone;
}

}  // namespace sallyport::control
