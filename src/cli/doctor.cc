// `sallyport doctor`: what stands in the way of a safe gateway on this machine, each with its fix.
#include <fcntl.h>
#include <linux/landlock.h>
#include <netdb.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <ostream>

#include "cli/client.h"
#include "cli/context.h"
#include "core/clock.h"
#include "json/canonical.h"

namespace sallyport::cli {
namespace {

using State = Check::State;

Check ok(std::string name, std::string text) { return {State::ok, std::move(name), std::move(text), ""}; }
Check warn(std::string name, std::string text, std::string fix) {
  return {State::warn, std::move(name), std::move(text), std::move(fix)};
}
Check bad(std::string name, std::string text, std::string fix) {
  return {State::fail, std::move(name), std::move(text), std::move(fix)};
}

Check check_home(const std::string& home) {
  struct stat st{};
  if (::stat(home.c_str(), &st) != 0)
    return bad("home", home + " does not exist", "sallyport --home " + home + " init");
  if (!S_ISDIR(st.st_mode)) return bad("home", home + " is no folder", "name another with --home");
  if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) return bad("home", home + " is open to others", "chmod 700 " + home);
  if (st.st_uid != ::geteuid() && ::geteuid() != 0)
    return warn("home", home + " belongs to uid " + std::to_string(st.st_uid), "run as its owner");
  return ok("home", home);
}

Check check_disk(const std::string& home) {
  struct statvfs fs{};
  if (::statvfs(home.c_str(), &fs) != 0)
    return warn("disk", "free space is not known", "check that " + home + " exists");
  const auto free_mib = static_cast<std::uint64_t>(fs.f_bavail) * fs.f_frsize >> 20U;
  const std::string text = std::to_string(free_mib) + " MiB free";
  if (free_mib < 100)
    return bad("disk", text + ": work is refused when the audit cannot be written", "free some space");
  return free_mib < 1024 ? warn("disk", text, "free some space, or lower audit.retention_days") : ok("disk", text);
}

// Records and tokens carry times: a clock that is years off or free-running spoils both.
Check check_clock() {
  const auto year = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(SystemClock().wall())).year();
  if (year < std::chrono::year(2026))
    return bad("clock", "the clock says " + std::to_string(static_cast<int>(year)), "set the time");
  timex state{};
  if (::adjtimex(&state) == TIME_ERROR)
    return warn("clock", "not synchronised", "run an NTP client (chrony, systemd-timesyncd)");
  return ok("clock", "synchronised");
}

// Runs a program with no arguments of others; true when it exits with 0.
bool runs(std::vector<std::string> command) {
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::array<char*, 1> environment{nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int fd : {0, 1, 2}) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  int status = -1;
  return error == 0 && ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

Check check_sandbox(const Context& c, bool required) {
  const std::string bwrap = find_program("bwrap", c.io.environment);
  const auto poor = [&](const std::string& text, const std::string& fix) {
    return required ? bad("sandbox", text + "; sandbox.mode requires it", fix)
                    : warn("sandbox", text + ": stdio servers run with Landlock and limits only", fix);
  };
  if (bwrap.empty()) return poor("bubblewrap is not installed", "apt-get install bubblewrap");
  const bool works =
      runs({bwrap, "--ro-bind", "/", "/", "--unshare-user", "--unshare-pid", "--unshare-net", "/bin/true"});
  if (!works)
    return poor("namespaces are denied here",
                "allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1; in a container: its "
                "seccomp profile)");
  return ok("sandbox", "bubblewrap with namespaces");
}

Check check_landlock() {
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return warn("landlock", "this kernel has none", "boot a kernel of 5.13 or later with lsm=landlock");
  return ok("landlock", "version " + std::to_string(abi));
}

// Does anybody take connections there?
bool is_open(const std::string& address, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string host = address == "0.0.0.0" ? "127.0.0.1" : address == "::" ? "::1" : address;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, ::freeaddrinfo);
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  bool open = ::connect(fd, found->ai_addr, found->ai_addrlen) == 0;
  if (!open && errno == EINPROGRESS) {
    pollfd waiting{fd, POLLOUT, 0};
    int error = 0;
    socklen_t size = sizeof error;
    open = ::poll(&waiting, 1, 2'000) == 1 && ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
  }
  ::close(fd);
  return open;
}

// One of ours: free, or taken by the gateway itself.
Check check_port(const config::Settings& s, std::uint16_t port, const Result<ApiAnswer>& health, const char* setting) {
  const std::string where = s.listen.address + ":" + std::to_string(port);
  const std::string elsewhere = "end what listens there, or set " + std::string(setting);
  const bool open = is_open(s.listen.address, port);
  if (health && health->status == 200) {
    return open ? ok("port", "the gateway answers on " + where)
                : bad("port", "the gateway runs, but nobody takes connections on " + where, "see its log");
  }
  if (!open) return ok("port", where + " is free; the gateway is not running");
  if (health) return bad("port", "something answers " + std::to_string(health->status) + " on " + where, elsewhere);
  return warn("port", where + " takes connections, but: " + health.error().detail,
              elsewhere + "; see the gateway's log");
}

Check check_tls(const Context& c, const std::string& url) {
  const auto answer = get_url(url + "/health", std::chrono::seconds(2), own_authority(c));
  if (answer && answer->status == 200) return ok("tls", "the gateway answers on " + url);
  const std::string why = answer ? "answered " + std::to_string(answer->status) : answer.error().detail;
  return warn("tls", url + ": " + why,
              "nothing, where clients show a certificate or come by another name; else sallyport certs show server");
}

void check_ports(const Context& c, const config::Settings& s, std::vector<Check>& out) {
  const auto url = gateway_url(c);
  if (!url) return;
  const auto health = ask_health(c, *url, std::chrono::seconds(2));
  if (names_gateway(c)) {
    const bool good = health && health->status == 200;
    out.push_back(good ? ok("port", "a gateway answers on " + *url)
                       : warn("port", *url + ": " + (health ? std::to_string(health->status) : health.error().detail),
                              "name another with SALLYPORT_URL"));
    return;
  }
  out.push_back(check_port(s, s.listen.port, health, "listen.port"));
  if (s.listen.redirect_port != 0) out.push_back(check_port(s, s.listen.redirect_port, health, "listen.redirect_port"));
  if (s.tls.enabled && health && health->status == 200) out.push_back(check_tls(c, *url));
}

Check check_audit(const Context& c) {
  if (!c.hooks.verify_audit) return warn("audit", "not checked", "sallyport audit verify");
  const auto verdict = c.hooks.verify_audit(c.options.home);
  if (!verdict) return warn("audit", verdict.error().detail, "sallyport audit verify");
  if (!verdict->intact) return bad("audit", verdict->problem, "keep the folder as it is and find out who wrote to it");
  return ok("audit", "intact, " + std::to_string(verdict->records) + " records");
}

Check check_npm(const Context& c) {
  const bool there = !find_program("npx", c.io.environment).empty();
  return there ? ok("npm", "npx is installed")
               : warn("npm", "npx is not installed: servers from npm cannot be started",
                      "apt-get install npm, or leave it");
}

// What the gateway says of its own, near their end, ended, or not renewed.
void check_certificates(const Context& c, std::vector<Check>& out) {
  const auto answer = c.api("GET", "/health/detailed");
  const auto document = answer && answer->status == 200 ? json::read_upstream_document(answer->body) : json::read("{}");
  if (!document) return;
  const auto part = document->root().find("parts").value_or(json::Value()).find("certificates");
  if (!part) return;  // check_servers says that nobody answers
  std::size_t said = 0;
  for (const json::Value one : part->find("warnings").value_or(json::Value()).elements()) {
    ++said;
    const std::string text = cell_text(one, "warning"), fix = cell_text(one, "fix"), state = cell_text(one, "state");
    const bool over = state == "expired" || state == "unusable";
    out.push_back(over ? bad("certificates", text, fix) : warn("certificates", text, fix));
  }
  if (said == 0) out.push_back(ok("certificates", "none of the gateway's own ends soon"));
}

void check_servers(const Context& c, std::vector<Check>& out) {
  const auto listed = c.api("GET", "/api/v1/servers?limit=1000");
  if (!listed || exit_of_status(listed->status) != kOk) {
    out.push_back(warn(
        "servers",
        "not checked: " + (listed ? "the gateway answered " + std::to_string(listed->status) : listed.error().detail),
        "sallyport serve"));
    return;
  }
  const auto document = json::read_upstream_document(listed->body);
  if (!document) return;
  for (const json::Value server : document->root().find("data").value_or(json::Value()).elements()) {
    const std::string name(server.string_at("name").value_or(""));
    const auto probe = c.api("POST", "/api/v1/servers/" + url_encode(name) + "/probe", R"({"accept":false})");
    if (probe && exit_of_status(probe->status) == kOk) {
      out.push_back(ok("server " + name, "answers"));
      continue;
    }
    const auto why = probe ? json::read_upstream_document(probe->body) : json::read("{}");
    out.push_back(bad(
        "server " + name,
        probe ? (why ? cell_text(why->root(), "error.message") : std::to_string(probe->status)) : probe.error().detail,
        "sallyport server probe " + name));
  }
}

void check_vault(const Context& c, std::vector<Check>& out) {
  const auto asked = c.api("GET", "/api/v1/vault/status");
  if (!asked || exit_of_status(asked->status) != kOk) return;  // why not, the servers say
  const auto document = json::read(asked->body);
  if (!document) return;
  const std::string damaged = cell_text(document->root(), "damaged");
  if (document->root().find("sealed").value_or(json::Value()).as_bool() == true) {
    out.push_back(warn("vault", "sealed: servers that need its secrets do not start", "sallyport vault unseal"));
  } else if (damaged != "0") {
    out.push_back(bad("vault", damaged + " of what it keeps does not open", "sallyport vault keys names it"));
  } else {
    out.push_back(ok("vault", "unsealed, secrets: " + cell_text(document->root(), "secrets")));
  }
}

std::string_view word_of(State state) { return state == State::ok ? "ok" : state == State::warn ? "warn" : "fail"; }

int print(const Context& c, const std::vector<Check>& checks) {
  bool failed = false;
  json::Writer w;
  w.object().key("checks").array();
  for (const Check& check : checks) {
    failed = failed || check.state == State::fail;
    w.object()
        .member("check", check.name)
        .member("state", word_of(check.state))
        .member("found", check.text)
        .member("fix", check.fix)
        .end_object();
    if (c.options.json) continue;
    std::string word(word_of(check.state));
    word.resize(5, ' ');
    c.io.out << coloured(word, word_of(check.state), c.io.colour) << check.name << ": " << printable(check.text, 1000)
             << "\n";
    if (!check.fix.empty()) c.io.out << "     fix: " << printable(check.fix, 1000) << "\n";
  }
  w.end_array().member("healthy", !failed).end_object();
  if (c.options.json) c.io.out << json::pretty(w.text()) << "\n";
  return failed ? kFailure : kOk;
}

}  // namespace

int run_doctor(const Context& c) {
  std::vector<Check> checks{check_home(c.options.home)};
  const auto settings = config::load(c.options.home, c.options.config, c.io.environment);
  if (settings) {
    checks.push_back(ok("config", settings->config_file.empty() ? "defaults and environment" : settings->config_file));
    for (const std::string& warning : settings->warnings)
      checks.push_back(warn("config", warning, "see docs/reference/config.md"));
    check_ports(c, *settings, checks);
  } else {
    checks.push_back(bad("config", settings.error().detail, "sallyport config check"));
  }
  checks.push_back(check_sandbox(c, settings && settings->sandbox.mode == config::SandboxMode::require));
  checks.push_back(check_landlock());
  checks.push_back(check_disk(c.options.home));
  checks.push_back(check_clock());
  checks.push_back(check_audit(c));
  checks.push_back(check_npm(c));
  if (settings && c.hooks.doctor) {
    for (Check& check : c.hooks.doctor(*settings)) checks.push_back(std::move(check));
  }
  // With no gateway running, one starts in this process to answer, which makes or changes a database.
  const auto database = std::ranges::find(checks, "database", &Check::name);
  if (database == checks.end() || database->state == State::ok) {
    if (settings && settings->encryption.enabled) check_vault(c, checks);
    check_certificates(c, checks);
    check_servers(c, checks);
  } else {
    checks.push_back(warn("servers", "not checked, nor the vault: see database", "sallyport serve"));
  }
  return print(c, checks);
}

}  // namespace sallyport::cli
