// Starts and ends the stdio servers. A small single-threaded process, forked before any thread of the gateway, is the
// ancestor and subreaper of all of them: when the gateway goes, `kill -9` included, it kills every descendant, those that
// called setsid and double-forked included (design.md section 2, Processes). The app owns the one Launcher; start() may
// be called from every worker, a Child belongs to the worker that started it. Limit: children_max in all; what a
// principal or a server may have is the caller's business. An io_context may go before the Launcher does.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"
#include "core/task.h"
#include "launcher/fd.h"
#include "launcher/launch_spec.h"

namespace sallyport::launcher {

struct Options {
  std::string home;                    // Sallyport's folder: no child ever sees it. Absolute; empty only in tests
  Sandbox sandbox = Sandbox::prefer;
  std::uint32_t run_as_uid = 0;        // the unprivileged user of launcher and servers; needed when started by root
  std::uint32_t run_as_gid = 0;
  std::uint32_t children_max = 256;    // 1..4096
  std::string bwrap = "/usr/bin/bwrap";
  std::string scratch = "/tmp";        // without namespaces: where the private HOME of a child is made and removed
};

class ControlThread;
struct ChildState;

// One running server. Dropping it kills the whole tree.
class Child {
 public:
  Child() = default;
  explicit Child(std::shared_ptr<ChildState> state);
  Child(Child&&) noexcept = default;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  Fd in;   // write end of its stdin; non-blocking, close-on-exec, like the two below. Closing it is the first step of
  Fd out;  // an orderly stop. For Asio: posix::basic_stream_descriptor<Executor>(executor, child.out.release())
  Fd err;

  [[nodiscard]] std::uint64_t id() const noexcept;
  [[nodiscard]] int pid() const noexcept;  // of the server or of its bubblewrap
  [[nodiscard]] Confinement confinement() const noexcept;

  // Resumes on the caller's executor when the process and all its descendants are gone. Code::upstream_unavailable if the
  // launcher itself died; Code::cancelled if the Launcher was destroyed first. May be awaited more than once.
  Task<Result<ExitStatus>> wait();
  // The spec's order (MCP, stdio, shutdown): closes `in`, waits `grace`, SIGTERM, waits `grace`, SIGKILL to the whole
  // tree. Returns at once; wait() tells the end.
  void stop(std::chrono::milliseconds grace);
  // SIGKILL to the whole tree, now.
  void kill();

 private:
  std::shared_ptr<ChildState> state_;
};

class Launcher {
 public:
  // Forks the launcher process: the first thing main does, while it has one thread. Code::config: unusable options (root
  // without run_as_uid, Sandbox::require without a working bubblewrap); Code::io: the system refused.
  static Result<Launcher> fork_now(Options options);
  Launcher(Launcher&&) noexcept;
  Launcher& operator=(Launcher&&) noexcept;
  ~Launcher();  // kills every child and waits for the launcher process to end

  // Starts one server; resumes on the caller's executor. Code::config: the specification is unusable (detail says why);
  // Code::limit: children_max; Code::upstream_unavailable: program missing or not executable, or the launcher is gone.
  Task<Result<Child>> start(LaunchSpec spec);

  [[nodiscard]] int pid() const noexcept;                      // of the launcher process
  [[nodiscard]] Confinement confinement() const noexcept;      // what children get on this machine
  [[nodiscard]] const std::string& fallback_reason() const noexcept;  // why it is not bubblewrap; empty if it is
  [[nodiscard]] bool alive() const noexcept;                   // false after the launcher process died

 private:
  explicit Launcher(std::shared_ptr<ControlThread> control);
  std::shared_ptr<ControlThread> control_;
};

}  // namespace sallyport::launcher
