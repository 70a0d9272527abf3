// Which era a server over stdio speaks: found out with real processes.
#include "request/upstream/listing.h"
#include "request/upstream/upstream_test_support.h"

namespace sallyport::upstream {
namespace {

using testing::error_of;
using testing::Recorder;
using testing::run;
using testing::text_of;
using testing::Worker;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

Settings impatient() {
  auto settings = testing::quick_settings();
  settings.probe_wait = std::chrono::milliseconds{200};
  return settings;
}

// How often the server saw a method.
int saw(Worker& w, Session& session, std::string_view method) {
  const std::string all = text_of(w.call(session, "seen"));
  const std::string word = "\"method\": \"" + std::string(method) + "\"";
  int count = 0;
  for (auto at = all.find(word); at != std::string::npos; at = all.find(word, at + 1)) ++count;
  return count;
}

TEST(EraStdio, AModernServerIsNeverInitialized) {
  Worker w;
  const auto server = w.modern();
  const auto session = w.open(server);
  EXPECT_EQ(session->info().revision, kModern);
  EXPECT_EQ(session->info().instructions, "be kind");
  EXPECT_EQ(session->info().server_info, R"({"name":"modern","version":"1"})");
  EXPECT_FALSE(session->stateless());
  EXPECT_EQ(saw(w, *session, "server/discover"), 1);
  EXPECT_EQ(saw(w, *session, "initialize") + saw(w, *session, "notifications/initialized"), 0);
  EXPECT_EQ(w.eras.of(*server)->speech, Speech::modern);
}

// mcp-spec.md, 3: a DiscoverResult is one principal's.
TEST(EraStdio, EachPrincipalDiscoversForItself) {
  Worker w;
  const auto server = w.modern();
  w.open(server, "user:1");
  const auto second = w.open(server, "user:2");
  EXPECT_EQ(saw(w, *second, "server/discover"), 1);
}

TEST(EraStdio, ALegacyServerIsProbedOnceForAll) {
  Worker w;
  const auto server = w.stdio();
  const auto first = w.open(server, "user:1");
  EXPECT_TRUE(contains(text_of(w.call(*first, "messages")), "server/discover"));
  EXPECT_EQ(w.eras.of(*server)->speech, Speech::legacy);
  const auto second = w.open(server, "user:2");
  EXPECT_FALSE(contains(text_of(w.call(*second, "messages")), "server/discover"));
  w.upstreams.end_server(server->name);  // an operator's restart forgets it
  EXPECT_FALSE(w.eras.of(*server));
}

// mcp-spec.md, 2.1: some servers exit on any request before initialize.
TEST(EraStdio, AServerThatDiesOfTheProbeIsStartedAgain) {
  Worker w;
  const auto server = w.stdio("dies_of_probe");
  const auto session = w.open(server);
  EXPECT_EQ(session->info().revision, Revision::r2025_11_25);
  EXPECT_EQ(text_of(w.call(*session, "count")), "1");
  EXPECT_EQ(w.eras.of(*server)->speech, Speech::legacy);
  EXPECT_EQ(w.upstreams.restarts(), 0U);
}

TEST(EraStdio, AServerThatIsSilentToTheProbeIsStartedAgain) {
  Worker w(impatient());
  const auto server = w.stdio("mute_to_probe");
  const auto session = w.open(server);
  const auto messages = text_of(w.call(*session, "messages"));
  EXPECT_FALSE(contains(messages, "server/discover")) << messages;  // that was its sibling
  EXPECT_EQ(w.eras.of(*server)->speech, Speech::legacy);
}

TEST(EraStdio, ALiarIsInitialized) {
  Worker w;
  const auto session = w.open(w.stdio("lies"));
  EXPECT_EQ(session->info().revision, Revision::r2025_11_25);
}

TEST(EraStdio, AServerThatSpeaksNothingOfOursIsSaidSo) {
  Worker w;
  const auto server = w.stdio("speaks_nothing");
  EXPECT_EQ(w.try_open(server).error().code, Code::upstream_protocol);
  EXPECT_FALSE(w.eras.of(*server));
}

// Silence made it a legacy one, its answer to initialize contradicts.
TEST(EraStdio, AModernServerThatWasSilentIsFoundOut) {
  Worker w(impatient());
  const auto server = w.modern("late");
  const auto session = w.open(server);
  EXPECT_EQ(session->info().revision, kModern);
  EXPECT_EQ(saw(w, *session, "initialize"), 1);
  EXPECT_EQ(w.eras.of(*server)->speech, Speech::modern);
}

TEST(EraStdio, AnOldVerdictThatIsWrongIsCorrected) {
  Worker w;
  const auto server = w.modern();
  w.eras.learn(*server, Speech::legacy);
  EXPECT_EQ(w.open(server)->info().revision, kModern);
  EXPECT_EQ(w.eras.of(*server)->speech, Speech::modern);
  const auto old = w.stdio();
  w.eras.learn(*old, Speech::modern);
  EXPECT_EQ(w.open(old)->info().revision, Revision::r2025_11_25);
  EXPECT_EQ(w.eras.of(*old)->speech, Speech::legacy);
}

TEST(EraStdio, AServerThatNeverAnswersIsNoVerdictForLong) {
  Worker w;
  auto server = std::make_shared<ServerRecord>(*w.stdio("silent"));
  server->start_timeout = std::chrono::milliseconds{900};  // it says nothing at all, however soon it is up
  EXPECT_EQ(w.try_open(server).error().code, Code::upstream_timeout);
  EXPECT_TRUE(w.eras.of(*server));  // a slow starter gets all of its time the next time
  EXPECT_EQ(w.try_open(server).error().code, Code::upstream_timeout);
  EXPECT_FALSE(w.eras.of(*server));
}

TEST(EraStdio, RefusalsOfTheEnvelopeAreTriedAgainOnce) {
  Worker w;
  const auto session = w.open(w.modern());
  for (const auto* code : {"-32020", "-32022"}) {
    const auto arguments = std::string(R"({"code":)") + code + "}";
    const bool first = std::string_view(code) == "-32020";
    if (first) EXPECT_EQ(text_of(w.call(*session, "code_once", arguments)), "at last");
    EXPECT_EQ(w.call(*session, "code_always", arguments).error().code, Code::upstream_protocol) << code;
  }
  EXPECT_EQ(saw(w, *session, "server/discover"), 4);
  EXPECT_TRUE(session->alive());
}

TEST(EraStdio, AMissingCapabilityIsAReply) {
  Worker w;
  const auto session = w.open(w.modern());
  const auto reply = w.call(*session, "code_always", R"({"code":-32021})");
  ASSERT_TRUE(reply) << error_of(reply);
  EXPECT_EQ(reply->body, R"({"code":-32021,"message":"no"})");
  EXPECT_EQ(saw(w, *session, "server/discover"), 1);
}

TEST(EraStdio, AModernServerIsNotAnsweredAndItsStrayNotificationsAreDropped) {
  Worker w;
  const auto session = w.open(w.modern());
  Recorder events;
  EXPECT_EQ(text_of(w.call(*session, "request", "{}", &events)), "asked");
  EXPECT_EQ(text_of(w.call(*session, "log", "{}", &events)), "logged");
  EXPECT_EQ(events.notifications, std::vector<std::string>{R"(notifications/message {"level":"info","data":"hello"})"});
  EXPECT_TRUE(w.notices.empty());
  EXPECT_FALSE(contains(text_of(w.call(*session, "seen")), "srv-1"));
  EXPECT_TRUE(w.logged("request_dropped", "elicitation/create"));
}

TEST(EraStdio, CancellingTellsAModernServer) {
  Worker w;
  const auto session = w.open(w.modern());
  EXPECT_EQ(w.call(*session, "never", "{}", nullptr, std::chrono::milliseconds{30}).error().code,
            Code::upstream_timeout);
  EXPECT_EQ(saw(w, *session, "notifications/cancelled"), 1);
}

TEST(EraStdio, InputIsAskedForAndGiven) {
  Worker w;
  const auto session = w.open(w.modern());
  Call call = w.make_call(
      "raw",
      R"({"result":{"resultType":"input_required","requestState":"s","inputRequests":{"k":{"method":"roots/list"}}}})");
  EXPECT_EQ(run(w.context, session->call(call, nullptr)).error().code, Code::upstream_protocol);
  call.client_capabilities = R"({"roots":{}})";
  const auto asked = run(w.context, session->call(call, nullptr));
  ASSERT_TRUE(asked) << error_of(asked);
  EXPECT_TRUE(asked->input_required);
  Call retry = w.make_call("echo");
  retry.request_state = "\"s\"";
  retry.input_responses = R"({"k":{"roots":[]}})";
  EXPECT_TRUE(contains(text_of(run(w.context, session->call(retry, nullptr))),
                       R"("inputResponses": {"k": {"roots": []}}, "name": "echo", "requestState": "s")"));
}

TEST(EraStdio, ListsAreDrainedAndWhatIsOfTheResultStaysOut) {
  Worker w;
  const auto session = w.open(w.modern());
  const auto items = run(w.context, list_all(*session, ListKind::tools, w.clock.steady() + std::chrono::seconds{10}));
  ASSERT_TRUE(items) << items.error().detail;
  ASSERT_EQ(items->size(), 2U);
  EXPECT_EQ((*items)[0].raw, R"({"name":"a"})");
  EXPECT_EQ((*items)[1].raw, R"({"name":"b"})");
}

TEST(EraStdio, AProbeOfAModernServer) {
  Worker w;
  const auto found = run(w.context, probe(w.upstreams, w.modern(), w.clock, std::chrono::milliseconds{10}));
  ASSERT_TRUE(found) << found.error().detail;
  EXPECT_EQ(found->info.protocol_version, "2026-07-28");
  EXPECT_EQ(found->tools.size(), 2U);
}

}  // namespace
}  // namespace sallyport::upstream
