#include "launcher/launcher.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "launcher/control_socket.h"
#include "launcher/control_thread.h"
#include "launcher/launcher_process.h"

namespace sallyport::launcher {
namespace {

constexpr std::chrono::seconds kStartMax{20};
constexpr int kHelloMillisecondsMax = 15'000;

// True once `waiter` is done; false when the coroutine was cancelled or, for a start, the time is up.
Task<bool> sleep(std::shared_ptr<Waiter> waiter) {
  while (!waiter->done) {
    const auto [error] = co_await waiter->timer->async_wait(use_task_ec);
    if (waiter->done) break;
    const auto state = co_await asio::this_coro::cancellation_state;
    if (!error || state.cancelled() != asio::cancellation_type::none) co_return false;
  }
  co_return true;
}

struct Pipes {
  std::array<Fd, 3> theirs;
  Child child;
};

Result<Pipes> make_pipes(std::shared_ptr<ChildState> state) {
  SP_TRY(auto in, make_pipe());
  SP_TRY(auto out, make_pipe());
  SP_TRY(auto err, make_pipe());
  Pipes pipes;
  pipes.child = Child(std::move(state));
  pipes.child.in = std::move(in[1]);
  pipes.child.out = std::move(out[0]);
  pipes.child.err = std::move(err[0]);
  for (const Fd* own : {&pipes.child.in, &pipes.child.out, &pipes.child.err}) ::fcntl(own->get(), F_SETFL, O_NONBLOCK);
  pipes.theirs = {std::move(in[0]), std::move(out[1]), std::move(err[1])};
  return pipes;
}

Task<Result<Child>> start_child(std::shared_ptr<ControlThread> control, LaunchSpec spec) {
  const Executor executor = co_await asio::this_coro::executor;
  auto state = std::make_shared<ChildState>();
  state->id = control->next_id();
  state->control = control;
  state->confinement = control->hello().confinement;
  const std::string label = spec.label;
  auto message = encode(Request(StartRequest{state->id, std::move(spec)}));
  if (!message) co_return fail(std::move(message).error());
  auto pipes = make_pipes(state);
  if (!pipes) co_return fail(std::move(pipes).error());
  auto waiter = std::make_shared<StartWaiter>(executor);
  waiter->child = state;
  waiter->timer->expires_after(kStartMax);
  const Abandon on_leaving(waiter);
  control->start(waiter, std::move(*message), std::move(pipes->theirs));
  const bool answered = co_await sleep(waiter);
  if (!answered) {
    co_return fail(Code::upstream_unavailable, label + ": the launcher did not answer in time");
  }
  if (waiter->error) co_return fail(waiter->error->code, label + ": " + waiter->error->detail);
  co_return std::move(pipes->child);
}

Task<Result<ExitStatus>> wait_for(std::shared_ptr<ChildState> state) {
  if (!state) co_return fail(Code::cancelled, "no process");
  const Executor executor = co_await asio::this_coro::executor;
  auto waiter = std::make_shared<Waiter>(executor);
  const Abandon on_leaving(waiter);
  {
    const std::lock_guard lock(state->mutex);
    if (state->ended) co_return *state->ended;
    state->waiters.push_back(waiter);
  }
  const bool ended = co_await sleep(waiter);
  if (!ended) co_return fail(Code::cancelled, "the wait was cancelled");
  const std::lock_guard lock(state->mutex);
  co_return *state->ended;
}

Result<void> check(const Options& options) {
  if (::geteuid() == 0 && (options.run_as_uid == 0 || options.run_as_gid == 0)) {
    return fail(Code::config, "started by root, the launcher needs an unprivileged user for the servers");
  }
  if (options.children_max < 1 || options.children_max > 4096) return fail(Code::config, "children_max: 1..4096");
  if (!options.home.empty() && options.home[0] != '/') return fail(Code::config, "the home's path is not absolute");
  return {};
}

Result<Hello> read_hello(int socket) {
  pollfd readable{socket, POLLIN, 0};
  if (::poll(&readable, 1, kHelloMillisecondsMax) <= 0) return fail(Code::io, "the launcher process does not answer");
  SP_TRY(const Packet packet, receive_packet(socket));
  SP_TRY(const Reply reply, decode_reply(packet.bytes));
  if (const auto* refused = std::get_if<Refused>(&reply)) return fail(refused->error);
  if (const auto* hello = std::get_if<Hello>(&reply)) return *hello;
  return fail(Code::io, "the launcher process answers out of turn");
}

}  // namespace

Child::Child(std::shared_ptr<ChildState> state) : state_(std::move(state)) {}

Child& Child::operator=(Child&& other) noexcept {
  if (this == &other) return *this;
  kill();
  in = std::move(other.in);
  out = std::move(other.out);
  err = std::move(other.err);
  state_ = std::move(other.state_);
  return *this;
}

Child::~Child() { kill(); }

std::uint64_t Child::id() const noexcept { return state_ ? state_->id : 0; }
int Child::pid() const noexcept { return state_ ? state_->pid.load() : 0; }
Confinement Child::confinement() const noexcept { return state_ ? state_->confinement : Confinement::rlimits; }

Task<Result<ExitStatus>> Child::wait() { return wait_for(state_); }

void Child::stop(std::chrono::milliseconds grace) {
  in.reset();
  if (!state_) return;
  if (const auto control = state_->control.lock()) {
    const auto bounded = std::clamp<std::chrono::milliseconds>(grace, grace.zero(), std::chrono::minutes(10));
    control->post(StopRequest{state_->id, bounded});
  }
}

void Child::kill() {
  if (!state_) return;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->ended) return;
  }
  if (const auto control = state_->control.lock()) control->post(KillRequest{state_->id});
}

Result<Launcher> Launcher::fork_now(Options options) {
  SP_CHECK(check(options));
  SP_TRY(auto pair, control_pair());
  const pid_t pid = ::fork();
  if (pid < 0) return fail(Code::io, std::string("fork: ") + ::strerror(errno));
  if (pid == 0) {
    pair[0].reset();
    run_launcher_process(std::move(pair[1]), options);
  }
  pair[1].reset();
  auto hello = read_hello(pair[0].get());
  if (!hello) {
    pair[0].reset();
    ::waitpid(pid, nullptr, 0);
    return fail(std::move(hello).error());
  }
  return Launcher(std::make_shared<ControlThread>(std::move(pair[0]), pid, std::move(*hello)));
}

Launcher::Launcher(std::shared_ptr<ControlThread> control) : control_(std::move(control)) {}
Launcher::Launcher(Launcher&&) noexcept = default;
Launcher& Launcher::operator=(Launcher&& other) noexcept {
  if (this != &other) {
    if (control_) control_->shut_down();
    control_ = std::move(other.control_);
  }
  return *this;
}
Launcher::~Launcher() {
  if (control_) control_->shut_down();
}

Task<Result<Child>> Launcher::start(LaunchSpec spec) { return start_child(control_, std::move(spec)); }

int Launcher::pid() const noexcept { return control_->launcher(); }
Confinement Launcher::confinement() const noexcept { return control_->hello().confinement; }
const std::string& Launcher::fallback_reason() const noexcept { return control_->hello().reason; }
bool Launcher::alive() const noexcept { return control_->alive(); }

}  // namespace sallyport::launcher
