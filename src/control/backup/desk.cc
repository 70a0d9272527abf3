#include "control/backup/desk.h"

#include <algorithm>
#include <ranges>
#include <set>
#include <utility>

namespace sallyport::backup {
namespace {

constexpr std::chrono::hours kAfterFailure{1};

std::int64_t seconds_of(WallTime at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

void add(std::set<std::uint32_t>& ids, const std::vector<std::uint32_t>& more) { ids.insert(more.begin(), more.end()); }

void write_metric(std::string& out, const char* name, const char* kind, const char* help, std::uint64_t value) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ").append(kind);
  out.append("\n").append(name).append(" ").append(std::to_string(value)).append("\n");
}

std::string said_of(const std::vector<std::string>& unopened) {
  if (unopened.empty()) return {};
  return "; in it, as in the home: " + unopened.front() +
         (unopened.size() == 1 ? "" : " (" + std::to_string(unopened.size()) + " such)");
}

}  // namespace

class Desk::Making {
 public:
  explicit Making(Desk& desk) : desk_(desk) {
    const std::scoped_lock lock(desk_.mutex_);
    ++desk_.making_;
  }
  ~Making() {
    const std::scoped_lock lock(desk_.mutex_);
    --desk_.making_;
  }
  Making(const Making&) = delete;
  Making& operator=(const Making&) = delete;

 private:
  Desk& desk_;
};

Desk::Desk(Places places, Tools tools, DeskRules rules, std::function<void(std::string, bool)> note)
    : places_(std::move(places)), tools_(std::move(tools)), rules_(std::move(rules)), note_(std::move(note)) {
  tools_.go_on = [this] { return !stopping_; };
  const auto all = backups_in(places_.folder);
  if (!all) return;
  for (const Shelved& one : *all | std::views::reverse) {
    if (!is_authentic(places_.folder + "/" + one.name, {&tools_.keys, nullptr})) continue;
    made_ = true;
    last_success_ = one.header.at;
    last_bytes_ = one.bytes;
    return;
  }
}

Result<Done> Desk::make(const Order& order) {
  SP_CHECK(sweep(places_.home));
  std::shared_ptr<const Secret> password = order.password;
  if (!password && rules_.password) {
    SP_TRY(password, rules_.password());
  }
  Wish wish{password.get(), order.with_audit.value_or(rules_.with_audit),
            order.incremental.value_or(rules_.incremental), untried_};
  SP_TRY(Done done, make_tried(std::move(wish), order.verify.value_or(rules_.verify)));
  prune(done);
  done.made.notices.insert(done.made.notices.end(), done.untold.begin(), done.untold.end());
  const std::scoped_lock lock(mutex_);
  untold_.insert(untold_.end(), done.untold.begin(), done.untold.end());
  return done;
}

// One that leans on a damaged one cannot be restored, nor could any later one that leans on it: one that stands alone takes its place.
Result<Done> Desk::make_tried(Wish wish, bool verify) {
  Done done;
  SP_TRY(done.made, sallyport::backup::create(places_, tools_, wish));
  done.verified = verify;
  if (!verify) return done;
  const auto tried = try_out(done, wish.password);
  if (tried) return done;
  const std::string& leaning = done.made.name;
  const std::string damaged = damaged_beside(places_.folder + "/" + leaning, {&tools_.keys, nullptr}, tools_.go_on);
  if (damaged.empty()) return fail(tried.error());  // always, where it stands alone
  const std::string said = damaged + " is damaged: neither it nor what adds to it can be restored";
  wish.incremental = false;
  auto alone = make_tried(std::move(wish), verify);
  if (!alone) return fail(alone.error().code, said + "; one that stands alone: " + alone.error().detail);
  if (drop(places_.folder, {leaning})) std::erase(untried_, leaning);
  alone->untold.push_back(said + "; so this one stands alone");
  return alone;
}

void Desk::prune(Done& done) const {
  auto pruned = sallyport::backup::prune(places_.folder, rules_.keep, {&tools_.keys, nullptr});
  if (!pruned) {
    done.untold.push_back("older ones were not removed: " + pruned.error().detail);
    return;
  }
  done.pruned = std::move(pruned->gone);
  if (!pruned->failed.empty()) done.untold.push_back("older ones were not all removed: " + pruned->failed);
  if (pruned->strange.empty()) return;
  done.made.notices.push_back(pruned->strange.front() + " does not open with the keys of this home (" +
                              std::to_string(pruned->strange.size()) +
                              " such): it is left alone, and does not count to backup.keep");
}

// What does not stand its trial is kept unless it is proved damaged: a disk without room proves nothing. No older one is removed
// then, but for those that were not tried either.
Result<void> Desk::try_out(Done& done, const Secret* password) {
  const std::string& name = done.made.name;
  const std::string path = places_.folder + "/" + name;
  const Unlock unlock{&tools_.keys, nullptr};
  auto found = sallyport::backup::verify(path, unlock, places_.home, tools_);
  if (found && password != nullptr) {  // the same data keys open: what they open was read
    if (auto opens = check_chain(path, {nullptr, password}); !opens) found = fail(std::move(opens).error());
  }
  if (found) {
    for (auto& one : found->unopened) done.made.notices.push_back("in it, as in the home: " + one);
    done.unopened = std::move(found->unopened);
    return {};
  }
  const Error& why = found.error();
  if (why.code == Code::storage || is_damaged(path, unlock, tools_.go_on)) {
    const auto aside = set_aside(places_.folder, name, tools_.keys);
    return fail(why.code, "the backup did not stand its trial and was set aside as " +
                              (aside ? aside->substr(places_.folder.size() + 1)
                                     : "damaged, but in vain: " + aside.error().detail) +
                              ": " + why.detail);
  }
  {
    const std::scoped_lock lock(mutex_);
    made_ = true;
  }
  if (drop(places_.folder, untried_)) {
    std::erase_if(untried_, [&](const std::string& one) { return !exists(places_.folder + "/" + one); });
  }
  untried_.push_back(name);
  return fail(why.code, "the backup " + name + " was made and is kept, but could not be tried: " + why.detail +
                            "; fix that, then: sallyport backup verify " + name);
}

void Desk::remember(const Result<Done>& done) {
  const std::scoped_lock lock(mutex_);
  last_try_ = tools_.clock.wall();
  failures_ += done ? 0 : 1;
  if (!done) return;
  last_success_ = last_try_;
  last_bytes_ = done->made.bytes;
  made_ = true;
}

void Desk::keep_made_in() {
  if (kept_made_in_ || !rules_.keep_made_in) return;
  {
    const std::scoped_lock lock(mutex_);
    if (!made_) return;
  }
  kept_made_in_ = rules_.keep_made_in(places_.folder).has_value();  // else at the next tick
}

void Desk::tell_untold() {
  std::vector<std::string> all;
  {
    const std::scoped_lock lock(mutex_);
    all.swap(untold_);
  }
  for (auto& one : all) note_(std::move(one), true);
}

Task<Result<Done>> Desk::create(std::string who, Order order) {
  co_return co_await aside_.run<Done>(std::move(who), [this, order = std::move(order)] {
    const Making making(*this);
    auto done = make(order);
    remember(done);
    return done;
  });
}

Task<Result<Verified>> Desk::verify(std::string who, std::string name, std::shared_ptr<const Secret> password) {
  if (!is_file_name(name))
    co_return fail(Code::validation,
                   "this is no name of a backup; fix: one that sallyport backup list shows, or a path with a / in it");
  co_return co_await aside_.run<Verified>(std::move(who), [this, name = std::move(name),
                                                           password = std::move(password)] {
    return sallyport::backup::verify(places_.folder + "/" + name, {&tools_.keys, password.get()}, places_.home, tools_);
  });
}

Task<Result<std::vector<Shelved>>> Desk::look(std::string who) {
  co_return co_await aside_.run<std::vector<Shelved>>(std::move(who), [this]() -> Result<std::vector<Shelved>> {
    SP_TRY(auto all, list());
    authenticate(places_.folder, all, {&tools_.keys, nullptr});
    return all;
  });
}

bool Desk::due(WallTime now) const {
  const std::scoped_lock lock(mutex_);
  if (rules_.every.count() == 0) return false;
  if (last_success_ <= now && now - last_success_ < rules_.every) return false;  // else: a clock that was ahead
  return last_try_ <= last_success_ || now - last_try_ >= kAfterFailure;
}

Task<void> Desk::tick() {
  keep_made_in();
  tell_untold();
  if (running_ || !due(tools_.clock.wall())) co_return;
  running_ = true;
  const auto done = co_await create("the clock", {});
  running_ = false;
  if (!done) note_("failed: " + done.error().detail, true);
  else
    note_(done->made.name + " bytes=" + std::to_string(done->made.bytes) + (done->verified ? " verified" : "") +
              said_of(done->unopened),
          !done->unopened.empty());
  keep_made_in();
  tell_untold();
}

Result<std::vector<std::uint32_t>> Desk::keys_in_use() const {
  std::set<std::uint32_t> ids;
  bool made = false;
  {  // before the folder is read: what is named by then stands there, and what is not is still being made
    const std::scoped_lock lock(mutex_);
    made = made_;
    if (making_ > 0 && tools_.keys.held) add(ids, tools_.keys.held());
  }
  if (!made && rules_.made_in) {
    SP_TRY(const auto folder, rules_.made_in());
    made = folder == places_.folder;
  }
  SP_TRY(const auto all, every_backup_in(places_.folder));
  const Unlock unlock{&tools_.keys, nullptr};
  if (made && std::ranges::none_of(all, [&](const Shelved& one) { return open_key(one.header, unlock).has_value(); })) {
    return fail(Code::conflict,
                "backups were made in " + places_.folder +
                    " and none of this home's is there now: which keys they need is not known, so none is destroyed; "
                    "fix: bring the folder back, or make a backup if they are given up");
  }
  for (const Shelved& one : all) add(ids, keys_needed_by(one.header));
  return std::vector<std::uint32_t>(ids.begin(), ids.end());
}

std::string Desk::metrics() const {
  const std::scoped_lock lock(mutex_);
  std::string out;
  write_metric(out, "sallyport_backup_last_success_timestamp_seconds", "gauge",
               "When the newest backup was made; 0: there is none.",
               static_cast<std::uint64_t>(seconds_of(last_success_)));
  write_metric(out, "sallyport_backup_last_size_bytes", "gauge", "Size of the newest backup.", last_bytes_);
  write_metric(out, "sallyport_backup_failures_total", "counter",
               "Backups that were not made, or did not stand their trial.", failures_);
  return out;
}

void Desk::stop() {
  stopping_ = true;
  aside_.stop();
}

}  // namespace sallyport::backup
