#include "launcher/launcher_process.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>

#include "launcher/control_socket.h"
#include "launcher/probe.h"
#include "launcher/process_tree.h"
#include "launcher/seccomp_filter.h"
#include "launcher/supervisor.h"

namespace sallyport::launcher {
namespace {

using Clock = std::chrono::steady_clock;

struct Running {
  pid_t supervisor = -1;
  Fd status;
  bool started = false;
  bool refused = false;
  std::optional<int> ended;                 // status of waitpid(2), as the supervisor told it
  std::optional<Clock::time_point> next_step;  // of an orderly stop
  std::chrono::milliseconds grace{0};
  bool terminated = false;                  // SIGTERM was sent; the next step is SIGKILL
};

ExitStatus exit_status(int status) {
  if (WIFSIGNALED(status)) return {-1, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

class Loop {
 public:
  Loop(Fd control, const Options& options, Filters filters, Confinement confinement)
      : control_(std::move(control)), options_(options), filters_(std::move(filters)), confinement_(confinement) {
    sigset_t child;
    ::sigemptyset(&child);
    ::sigaddset(&child, SIGCHLD);
    signals_.reset(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  // Until the gateway is gone.
  void run() {
    while (open_) {
      std::vector<pollfd> ready = wait();
      take_steps();
      if (ready[1].revents != 0) reap();
      read_statuses(ready);
      if (ready[0].revents != 0) serve_control();
    }
    end_all();
  }

 private:
  std::vector<pollfd> wait() {
    std::vector<pollfd> fds{{control_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
    std::optional<Clock::time_point> next;
    for (const auto& [id, child] : children_) {
      if (child.status) fds.push_back({child.status.get(), POLLIN, 0});
      if (child.next_step && (!next || *child.next_step < *next)) next = child.next_step;
    }
    int timeout = -1;
    if (next) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now()).count();
      timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
    }
    ::poll(fds.data(), fds.size(), timeout);
    return fds;
  }

  void serve_control() {
    auto packet = receive_packet(control_.get());
    if (!packet && packet.error().code == Code::io) {
      open_ = false;
      return;
    }
    auto request = packet ? decode_request(packet->bytes) : Result<Request>(fail(packet.error()));
    if (packet) wipe(packet->bytes);  // may hold secrets
    if (!request) {
      reply(Refused{0, request.error()});
    } else if (auto* start = std::get_if<StartRequest>(&*request)) {
      const std::uint64_t id = start->id;
      if (auto started = begin(*start, *packet); !started) reply(Refused{id, started.error()});
    } else if (auto* stop = std::get_if<StopRequest>(&*request)) {
      if (Running* child = find(stop->id); child != nullptr && !child->next_step) {
        child->grace = stop->grace;
        child->next_step = Clock::now() + stop->grace;
      }
    } else if (Running* child = find(std::get<KillRequest>(*request).id)) {
      ::kill(child->supervisor, kSignalKill);
    }
  }

  Result<void> begin(StartRequest& request, Packet& packet) {
    if (packet.fd_count != 3) return fail(Code::invalid_request, "a start needs three descriptors");
    if (children_.contains(request.id)) return fail(Code::invalid_request, "this id is in use");
    if (children_.size() >= options_.children_max) return fail(Code::limit, "the launcher runs its maximum of processes");
    Assignment assignment{.confinement = confinement_, .bwrap = options_.bwrap};
    SP_TRY(assignment.view, make_view(request.spec, options_.home));
    assignment.seccomp = request.spec.network ? filters_.with_network : filters_.without_network;
    assignment.spec = std::move(request.spec);
    assignment.stdio = std::move(packet.fds);
    SP_CHECK(make_private_folder(assignment));
    SP_TRY(auto pipe, make_pipe());
    const pid_t pid = ::fork();
    if (pid < 0) return fail(Code::upstream_unavailable, std::string("fork: ") + ::strerror(errno));
    if (pid == 0) supervise(std::move(assignment), std::move(pipe[1]));
    Running child;
    child.supervisor = pid;
    child.status = std::move(pipe[0]);
    ::fcntl(child.status.get(), F_SETFL, O_NONBLOCK);
    children_.emplace(request.id, std::move(child));
    return {};
  }

  Result<void> make_private_folder(Assignment& assignment) {
    if (confinement_ == Confinement::bubblewrap) return {};
    assignment.private_folder = options_.scratch + "/sallyport-child-XXXXXX";
    if (::mkdtemp(assignment.private_folder.data()) == nullptr) {
      return fail(Code::upstream_unavailable, "private folder of the server: " + std::string(::strerror(errno)));
    }
    return {};
  }

  void read_statuses(const std::vector<pollfd>& ready) {
    for (auto& [id, child] : children_) {
      const bool readable = std::ranges::any_of(ready, [&child](const pollfd& entry) {
        return entry.revents != 0 && child.status && entry.fd == child.status.get();
      });
      if (readable) drain(id, child);
    }
  }

  void drain(std::uint64_t id, Running& child) {
    Status status;
    ssize_t got = 0;
    while (child.status && (got = ::read(child.status.get(), &status, sizeof status)) == sizeof status) {
      status.step[sizeof status.step - 1] = '\0';
      if (status.kind == Status::Kind::started) {
        child.started = true;
        reply(Started{id, status.pid});
      } else if (status.kind == Status::Kind::failed) {
        refuse(id, child, std::string(status.step) + ": " + ::strerror(status.value));
      } else {
        child.ended = status.value;
      }
    }
    if (got == 0) child.status.reset();
  }

  void refuse(std::uint64_t id, Running& child, std::string why) {
    if (child.refused || child.started) return;
    child.refused = true;
    reply(Refused{id, Error{Code::upstream_unavailable, "the program could not be started: " + why}});
  }

  void reap() {
    signalfd_siginfo info;
    while (::read(signals_.get(), &info, sizeof info) > 0) continue;
    int status = 0;
    bool strangers = false;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto child = std::ranges::find_if(children_, [pid](const auto& entry) { return entry.second.supervisor == pid; });
      // Whoever is nobody's supervisor became our child because its own supervisor was killed.
      if (child == children_.end() || !WIFEXITED(status)) strangers = true;
      if (child != children_.end()) finish(child);
    }
    if (strangers) kill_strangers();
  }

  void finish(std::map<std::uint64_t, Running>::iterator entry) {
    auto& [id, child] = *entry;
    drain(id, child);
    if (!child.started) {
      refuse(id, child, "its supervisor ended");
    } else {
      reply(Exited{id, child.ended ? exit_status(*child.ended) : ExitStatus{-1, SIGKILL}});
    }
    children_.erase(entry);
  }

  void kill_strangers() {
    for (const pid_t pid : children_of(::getpid())) {
      if (std::ranges::any_of(children_, [pid](const auto& entry) { return entry.second.supervisor == pid; })) continue;
      for (const pid_t below : descendants_of(pid)) ::kill(below, SIGKILL);
      ::kill(pid, SIGKILL);
    }
  }

  void take_steps() {
    const auto now = Clock::now();
    for (auto& [id, child] : children_) {
      if (!child.next_step || *child.next_step > now) continue;
      ::kill(child.supervisor, child.terminated ? kSignalKill : kSignalTerminate);
      child.next_step = now + std::max(child.grace, std::chrono::milliseconds(1));
      child.terminated = true;
    }
  }

  // The supervisors take their trees down and end; what is left after two seconds goes with them.
  void end_all() {
    for (const auto& [id, child] : children_) ::kill(child.supervisor, kSignalKill);
    for (int waited = 0; waited < 2000 && ::waitpid(-1, nullptr, WNOHANG) >= 0; ++waited) {
      pollfd signal{signals_.get(), POLLIN, 0};
      signalfd_siginfo info;
      if (::poll(&signal, 1, 1) > 0 && ::read(signals_.get(), &info, sizeof info) < 0) continue;
    }
    kill_descendants();
  }

  Running* find(std::uint64_t id) {
    const auto found = children_.find(id);
    return found == children_.end() ? nullptr : &found->second;
  }

  void reply(const Reply& message) {
    if (!send_packet(control_.get(), encode(message), {})) open_ = false;
  }

  Fd control_;
  const Options& options_;
  Filters filters_;
  Confinement confinement_;
  Fd signals_;
  std::map<std::uint64_t, Running> children_;
  bool open_ = true;
};

// Own session (Ctrl-C of a terminal must not reach the servers before the gateway drains), no inherited descriptors.
Result<Fd> detach(Fd control) {
  ::setsid();
  ::prctl(PR_SET_NAME, "sp-launcher");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int high = ::fcntl(control.release(), F_DUPFD, 100);
  if (high < 0 || nothing < 0) return fail(Code::io, "launcher: descriptors");
  const int lifted = ::fcntl(nothing, F_DUPFD, 100);
  for (int fd = 0; fd <= 2; ++fd) ::dup2(lifted, fd);
  ::dup3(high, 3, O_CLOEXEC);
  ::close_range(4, ~0U, 0);
  return Fd(3);
}

Result<void> drop_privileges(const Options& options) {
  if (::geteuid() == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(options.run_as_gid, options.run_as_gid, options.run_as_gid) != 0 ||
        ::setresuid(options.run_as_uid, options.run_as_uid, options.run_as_uid) != 0 || ::setuid(0) == 0) {
      return fail(Code::io, "launcher: privileges could not be dropped");
    }
  }
  ::prctl(PR_SET_DUMPABLE, 0);  // secrets pass through this process
  return {};
}

Result<Hello> prepare(const Options& options, Filters& filters) {
  SP_CHECK(drop_privileges(options));
  SP_TRY(filters.without_network, build_seccomp_filter(false));
  SP_TRY(filters.with_network, build_seccomp_filter(true));
  return probe_confinement(options, filters);
}

}  // namespace

void run_launcher_process(Fd control, const Options& options) {
  auto socket = detach(std::move(control));
  if (!socket) ::_exit(1);
  Filters filters;
  auto hello = prepare(options, filters);
  if (!hello) {
    static_cast<void>(send_packet(socket->get(), encode(Reply(Refused{0, hello.error()})), {}));
    ::_exit(1);
  }
  const Confinement confinement = hello->confinement;
  if (!send_packet(socket->get(), encode(Reply(std::move(*hello))), {})) ::_exit(1);
  Loop(std::move(*socket), options, std::move(filters), confinement).run();
  ::_exit(0);
}

}  // namespace sallyport::launcher
