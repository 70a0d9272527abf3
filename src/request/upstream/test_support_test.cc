// The bodies of upstream_test_support.h (compiled with the tests, not into the library).
#include <signal.h>

#include "json/document.h"
#include "request/upstream/upstream_test_support.h"

namespace sallyport::upstream::testing {
namespace {

launcher::Launcher& shared_launcher() {
  static launcher::Launcher launcher = [] {
    ::signal(SIGPIPE, SIG_IGN);
    launcher::Options options;
    options.sandbox = launcher::Sandbox::fallback;
    if (::geteuid() == 0) options.run_as_uid = options.run_as_gid = 65534;
    auto made = launcher::Launcher::fork_now(options);
    if (!made) throw std::runtime_error(made.error().detail);
    return std::move(*made);
  }();
  return launcher;
}

}  // namespace

Worker::Worker(Settings settings)
    : sweep(context.get_executor(), clock, std::chrono::milliseconds{5}),
      egress(context.get_executor(), sweep),
      upstreams(context.get_executor(),
                Deps{.clock = clock,
                     .random = random,
                     .egress = &egress,
                     .launcher = &shared_launcher(),
                     .breakers = &breakers,
                     .eras = &eras,
                     .resolve = [](std::string reference, std::string, std::string principal,
                                   SteadyTime) -> Task<Result<Secret>> {
                       if (reference == "${env:TOKEN}") co_return Secret("hush");
                       if (reference == "${vault:principal/x}") co_return Secret("of " + principal);
                       co_return fail(Code::config, "unknown reference");
                     },
                     .log = [this](std::string_view, std::string_view event,
                                   std::string_view text) { log.emplace_back(event, text); }},
                settings) {
  sweep.start();
  upstreams.set_listener([this](const Notice& n) {
    notices.push_back(std::string(n.server) + "|" + std::string(n.principal) + "|" + std::string(n.method) + "|" +
                      std::string(n.params));
  });
}

Worker::~Worker() {
  run(context, upstreams.stop());
  sweep.stop();
  egress.drop_idle();
  context.restart();
  context.poll();
}

ServerPtr Worker::stdio(std::string mode, std::string name) {
  const std::string folder = SALLYPORT_SOURCE_DIR "/src/request/upstream/testing";
  auto server = std::make_shared<ServerRecord>();
  server->name = std::move(name);
  server->command = {"/usr/bin/python3", folder + "/server.py", std::move(mode)};
  server->paths = {"ro:" + folder};
  server->result_bytes_max = 1U << 20;
  return server;
}

ServerPtr Worker::modern(std::string mode, std::string name) {
  auto server = std::make_shared<ServerRecord>(*stdio(std::move(mode), std::move(name)));
  server->command[1].replace(server->command[1].rfind("server.py"), std::string::npos, "modern_server.py");
  return server;
}

void Worker::linger(std::chrono::milliseconds time) {
  context.restart();
  context.run_until(std::chrono::steady_clock::now() + time);
}

ServerPtr Worker::http(std::string url, std::string name) {
  auto server = std::make_shared<ServerRecord>();
  server->name = std::move(name);
  server->transport = Transport::http;
  server->url = std::move(url);
  server->allow_private = true;
  server->result_bytes_max = 1U << 20;
  return server;
}

SessionPtr Worker::open(const ServerPtr& server, std::string principal) {
  auto session = try_open(server, std::move(principal));
  if (!session) throw std::runtime_error("no session: " + session.error().detail);
  return *session;
}

Call Worker::make_call(std::string tool, std::string arguments, std::chrono::milliseconds timeout) const {
  Call call;
  call.method = "tools/call";
  call.params = "{\"name\":\"" + tool + "\",\"arguments\":" + arguments + "}";
  call.deadline = clock.steady() + timeout;
  return call;
}

Result<Reply> Worker::call(Session& session, std::string tool, std::string arguments, CallEvents* events,
                           std::chrono::milliseconds timeout) {
  Call call = make_call(std::move(tool), std::move(arguments), timeout);
  call.wants_progress = events != nullptr;
  return run(context, session.call(std::move(call), events));
}

bool Worker::logged(std::string_view event, std::string_view text) const {
  for (const auto& [e, t] : log)
    if (e == event && t.find(text) != std::string::npos) return true;
  return false;
}

std::string text_of(const Result<Reply>& reply) {
  if (!reply) return "ERROR " + error_of(reply);
  const auto document = json::read_upstream_document(reply->body);
  if (!document) return "UNREADABLE";
  const auto content = document->root().find("content");
  if (!content || content->size() == 0) return reply->body;
  return std::string((*content->elements().begin()).string_at("text").value_or(""));
}

std::string error_of(const Result<Reply>& reply) {
  return reply ? std::string() : std::string(info(reply.error().code).name) + ": " + reply.error().detail;
}

}  // namespace sallyport::upstream::testing
