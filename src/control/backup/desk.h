// Backups of a running gateway: on demand and by the clock, on a thread of their own, one at a time; what was made last, for
// metrics. Owned by app. create() and verify() from any worker; tick() on the control executor; stop() before the workers end.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "control/backup/create.h"
#include "control/backup/shelf.h"
#include "core/aside.h"

namespace sallyport::backup {

struct DeskRules {
  std::chrono::hours every{0};  // 0: only when it is asked for
  std::size_t keep = 7;
  bool with_audit = false;
  bool incremental = false;
  bool verify = true;
  // The recovery password of the settings, read anew; null: none.
  std::function<Result<std::shared_ptr<const Secret>>()> password;
  // The folder in which one was made, as the database keeps it; null: nobody does. On the control executor, and at the start.
  std::function<Result<std::optional<std::string>>()> made_in = nullptr;
  std::function<Result<void>(const std::string& folder)> keep_made_in = nullptr;
};

// What is not said is as the rules have it.
struct Order {
  std::shared_ptr<const Secret> password;
  std::optional<bool> with_audit, incremental, verify;
};

struct Done {
  Made made;
  bool verified = false;
  std::vector<std::string> unopened;  // as Verified
  std::vector<std::string> pruned;
  std::vector<std::string> untold;  // of made.notices those that whoever looks after the gateway has to know
};

class Desk {
 public:
  // `tools.go_on` is the desk's own. `note`: something that nobody asked for was done (bad: failed), for log and audit.
  Desk(Places places, Tools tools, DeskRules rules, std::function<void(std::string text, bool bad)> note);

  // `who` asks, as Aside has it. Errors: those of create() and verify(): one that is proved damaged is set aside, one that
  // could not be tried is kept, and the error says which. Where one that it adds to is damaged, one that stands alone takes its
  // place at once, and a notice names the damaged file.
  Task<Result<Done>> create(std::string who, Order order);
  // Code::validation for what is no name of a backup; Code::not_found. `password`: null: with the home's keys.
  Task<Result<Verified>> verify(std::string who, std::string name, std::shared_ptr<const Secret> password);
  [[nodiscard]] Result<std::vector<Shelved>> list() const { return backups_in(places_.folder); }  // as their heads say
  // The same, each looked at with the home's keys.
  Task<Result<std::vector<Shelved>>> look(std::string who);
  // Makes one where it is due, and tells `note`; also what was found out by one that somebody asked for: an older one is damaged,
  // or could not be removed.
  Task<void> tick();
  // Which key-encryption keys the backups in the folder need; while one is made, all that there are. On the control executor.
  // Code::conflict, with the fix, where that cannot be known: one that cannot be read, or none is where one was made.
  [[nodiscard]] Result<std::vector<std::uint32_t>> keys_in_use() const;
  [[nodiscard]] std::string metrics() const;  // in Prometheus' text format
  void stop();  // ends what runs

 private:
  class Making;  // while it lives, keys_in_use() names all keys
  Result<Done> make(const Order& order);
  Result<Done> make_tried(Wish wish, bool verify);
  void prune(Done& done) const;
  Result<void> try_out(Done& done, const Secret* password);
  void keep_made_in();
  void tell_untold();
  void remember(const Result<Done>& done);
  [[nodiscard]] bool due(WallTime now) const;

  Places places_;
  Tools tools_;
  DeskRules rules_;
  std::function<void(std::string, bool)> note_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  // of the next seven
  int making_ = 0;
  bool made_ = false;  // one of this home lay in the folder at the start, or was made since
  std::vector<std::string> untold_;
  WallTime last_success_{};
  WallTime last_try_{};
  std::uint64_t last_bytes_ = 0;
  std::uint64_t failures_ = 0;
  std::vector<std::string> untried_;  // kept, and nobody knows whether they are good; of the thread that makes them
  bool running_ = false;  // a scheduled one; the control executor's, as is the next
  bool kept_made_in_ = false;
  Aside aside_;
};

}  // namespace sallyport::backup
