// What a session lists: the digests of its tools, made of each page while the server makes the next.
#include <deque>

#include "core/slices.h"
#include "engines/pin/definition.h"
#include "model/registration.h"
#include "request/pipeline/upstream_step.h"
#include "request/upstream/listing.h"

namespace sallyport {
namespace {

constexpr auto kTools = upstream::ListKind::tools;

// Pages that wait to be read, and what those that were had. Read by a task of its own: where nobody waits for it any more, it ends
// with the last page that came.
class Reading : public std::enable_shared_from_this<Reading> {
 public:
  Reading(Worker& worker, std::string server)
      : w_(worker),
        server_(std::move(server)),
        catalogue_(worker.snapshot->catalogue),
        done_(worker.executor, SteadyTimer::time_point::max()) {}

  Result<void> take(std::string page) {
    SP_CHECK(outcome_);
    pages_.push_back(std::move(page));
    if (std::exchange(at_work_, true)) return {};
    w_.tasks.spawn(read(shared_from_this()));
    return {};
  }

  Task<Result<DigestsPtr>> end() {
    while (at_work_) co_await done_.async_wait(use_task_ec);
    SP_CO_CHECK(outcome_);
    co_return std::make_shared<const Digests>(std::move(found_));
  }

 private:
  // However the task ends.
  struct AtWork {
    explicit AtWork(Reading& of) : reading(of) {}
    AtWork(const AtWork&) = delete;
    AtWork& operator=(const AtWork&) = delete;
    ~AtWork() {
      if (!reading.pages_.empty() && reading.outcome_)
        reading.outcome_ = fail(Code::internal, "a page of tools was not read");
      reading.at_work_ = false;
      reading.done_.cancel();
    }
    Reading& reading;
  };

  static Task<void> read(std::shared_ptr<Reading> self) {
    const AtWork ends(*self);
    co_await after_this_turn(self->w_.executor);  // the next page is asked for first
    Slices slices(self->w_.fleet.clock, self->w_.executor);
    for (; !self->pages_.empty() && self->outcome_; self->pages_.pop_front()) {
      self->outcome_ = co_await self->read_page(self->pages_.front(), slices);
    }
  }

  // What came byte for byte as it was approved has the digest that it had then: to read 10,000 definitions takes a tenth of a second.
  Task<Result<void>> read_page(const std::string& page, Slices& slices) {
    SP_CO_TRY(const auto items, upstream::items_of(kTools, page, upstream::kItemsMax - items_));
    items_ += items.size();
    for (const auto& item : items) {
      if (slices.over()) co_await slices.next();
      const ToolPtr approved = upstream_tool(*catalogue_, server_, item.key);
      if (approved && approved->definition == item.raw) found_[item.key] = approved->digest;
      else if (auto definition = pin::read_definition(item.raw)) found_[definition->name] = definition->digest;
    }
    co_return Result<void>{};
  }

  Worker& w_;
  std::string server_;
  std::shared_ptr<const Catalogue> catalogue_;
  std::deque<std::string> pages_;  // the first is being read
  std::size_t items_ = 0;
  Digests found_;
  Result<void> outcome_;
  bool at_work_ = false;
  SteadyTimer done_;
};

}  // namespace

Task<Result<DigestsPtr>> listed_by(Worker& w, upstream::SessionPtr session, SteadyTime deadline, bool anew) {
  const auto known = w.listed.find(session.get());
  if (!anew && known != w.listed.end() && known->second.session.lock() == session) co_return known->second.digests;
  Worker::Listed fresh;
  for (int attempt = 0; attempt < 3;
       ++attempt) {  // a change that is heard while the list is on its way may not be in it
    const std::uint64_t changes = w.tool_changes;
    const auto reading = std::make_shared<Reading>(w, session->server().name);
    SP_CO_CHECK(co_await upstream::list_pages(*session, kTools, deadline,
                                              [reading](std::string page) { return reading->take(std::move(page)); }));
    fresh.session = session;
    SP_CO_TRY(fresh.digests, co_await reading->end());
    if (changes == w.tool_changes) break;
  }
  auto& entry = w.listed[session.get()];
  entry = std::move(fresh);
  co_return entry.digests;
}

}  // namespace sallyport
