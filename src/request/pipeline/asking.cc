#include "request/pipeline/asking.h"

#include "request/pipeline/upstream_step.h"

namespace sallyport {
namespace {

struct Question {
  PrincipalPtr principal;
  std::optional<upstream::ListKind> kind;
  SteadyTime deadline;
};

Task<Result<bool>> ask_session(Worker& w, const Question& question, Part& part) {
  SP_CO_TRY(const auto session, co_await w.open_upstream(part.server, question.principal->id, question.deadline));
  part.revision = session->info().revision;
  if (question.kind) {
    SP_CO_TRY(part.items, co_await upstream::list_all(*session, *question.kind, question.deadline));
  } else {
    SP_CO_TRY(part.digests, co_await listed_by(w, session, question.deadline, false));
  }
  co_return true;
}

std::string why(const Error& error) { return error.detail.empty() ? std::string(info(error.code).name) : error.detail; }

// On the home worker.
Task<Result<Part>> ask_there(Worker& home, Question question, ServerPtr server) {
  home.served[question.principal->id][question.principal->session_id] = question.principal;
  Part part{.server = std::move(server)};
  if (const auto asked = co_await ask_session(home, question, part); !asked) part.failed = why(asked.error());
  co_return part;
}

}  // namespace

struct Asking::State {
  State(Worker& worker, Question asked)
      : here(worker), question(std::move(asked)), done(worker.executor, SteadyTimer::time_point::max()) {}
  Worker& here;
  Question question;
  Parts parts;
  std::size_t open = 0;
  SteadyTimer done;
};

// However the asking of one server ends.
struct Asking::Answered {
  explicit Answered(State& of) : state(of) {}
  Answered(const Answered&) = delete;
  Answered& operator=(const Answered&) = delete;
  ~Answered() {
    if (--state.open == 0) state.done.cancel();
  }
  State& state;
};

Asking::Asking(Worker& here, PrincipalPtr principal, std::optional<upstream::ListKind> kind)
    : state_(std::make_shared<State>(
          here, Question{std::move(principal), kind, here.fleet.clock.steady() + here.fleet.settings.list_timeout})) {}

void Asking::ask(const ServerPtr& server) {
  Part none{.server = server};
  none.failed = "not asked";  // until it has answered
  if (!state_->parts.try_emplace(server->name, std::move(none)).second) return;
  ++state_->open;
  state_->here.tasks.spawn(ask_one(state_, server));
}

Task<void> Asking::ask_one(std::shared_ptr<State> state, ServerPtr server) {
  const Answered ends(*state);
  Worker& home = *state->here.fleet.workers[state->here.fleet.home_of(state->question.principal->id)];
  Part& part = state->parts.find(server->name)->second;
  auto answered = co_await run_on<Part>(home.executor, ask_there(home, state->question, server));
  if (answered) part = *std::move(answered);
  else part.failed = why(answered.error());
}

Task<Parts> Asking::answers() {
  while (state_->open > 0) co_await state_->done.async_wait(use_task_ec);
  co_return std::move(state_->parts);
}

}  // namespace sallyport
