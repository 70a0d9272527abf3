#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "cli/test_support.h"

namespace sallyport::cli {
namespace {

constexpr const char* kTools =
    R"({"data":[{"id":"t1","server":"calc","name":"add","exposed_name":"calc_add","description":"Adds","security_level":1,"status":"active"}],)"
    R"("pagination":{"total":1,"limit":200,"offset":0,"has_next":false,"has_prev":false}})";

TEST(Commands, ListIsATableAndJsonIsTheApisOwn) {
  FakeApi api("list");
  api.answers["GET /api/v1/tools?limit=50&offset=0"] = {200, kTools};
  EXPECT_EQ(api.run({"tool", "list"}), 0) << api.err;
  EXPECT_EQ(api.out, "NAME      SERVER  STATUS  LEVEL  DESCRIPTION\ncalc_add  calc    active  1      Adds\n");
  EXPECT_EQ(api.run({"tool", "list", "--json"}), 0);
  EXPECT_NE(api.out.find("\"exposed_name\": \"calc_add\""), std::string::npos) << api.out;
}

TEST(Commands, ListSaysWhatIsLeft) {
  FakeApi api("page");
  api.answers["GET /api/v1/users?limit=1&offset=2"] = {
      200, R"({"data":[{"id":"1","username":"ada"}],"pagination":{"total":9,"limit":1,"offset":2,"has_next":true}})"};
  EXPECT_EQ(api.run({"user", "list", "--limit", "1", "--offset", "2"}), 0);
  EXPECT_NE(api.out.find("1 of 9; more with --offset 3\n"), std::string::npos) << api.out;
}

TEST(Commands, CallFindsTheToolAndReadsValuesAsJsonOrText) {
  FakeApi api("call");
  api.answers["GET /api/v1/tools?limit=200&offset=0"] = {200, kTools};
  api.answers["POST /api/v1/tools/t1/execute"] = {
      200, R"({"result":{"content":[{"type":"text","text":"3\nlines\u001b[2J"}],"isError":false},"status":"success"})"};
  EXPECT_EQ(api.run({"tool", "call", "calc/add", "a=1", "b=two words", "c=[1, 2]", "d=\"4\"", "--timeout", "5"}), 0)
      << api.err;
  EXPECT_EQ(api.calls.back(),
            R"(POST /api/v1/tools/t1/execute {"arguments":{"a":1,"b":"two words","c":[1,2],"d":"4"},"timeout":5})");
  EXPECT_EQ(api.out, "3\nlines�[2J\n");
  EXPECT_EQ(api.run({"tool", "call", "calc_add", "--arguments", "-"}, "{ \"a\" : 1 }"), 0);
  EXPECT_EQ(api.calls.back(), R"(POST /api/v1/tools/t1/execute {"arguments":{"a":1}})");
  EXPECT_EQ(api.run({"tool", "call", "calc_add", "--arguments", "[1]"}), 2);
  EXPECT_EQ(api.run({"tool", "call", "nope"}), 4);
}

TEST(Commands, ToolErrorIsAFailure) {
  FakeApi api("tool_error");
  api.answers["GET /api/v1/tools?limit=200&offset=0"] = {200, kTools};
  api.answers["POST /api/v1/tools/t1/execute"] = {
      500, R"({"error":{"code":"tool_execution_failed","message":"The tool says that it failed","details":)"
           R"({"result":{"content":[{"type":"text","text":"division by zero"}],"isError":true}}}})"};
  EXPECT_EQ(api.run({"tool", "call", "t1"}), 1);
  EXPECT_EQ(api.out, "division by zero\n");
}

TEST(Commands, StatusBecomesTheDocumentedExitCode) {
  const std::map<int, int> kCodes{{200, 0}, {201, 0}, {400, 1}, {401, 3}, {403, 3},
                                  {404, 4}, {409, 1}, {429, 7}, {500, 1}};
  for (const auto& [status, code] : kCodes) {
    FakeApi api("status");
    api.answers["GET /api/v1/status"] = {
        status, R"({"error":{"code":"x","message":"Said \u001b[1mno","details":{"path":"/a"}}})"};
    EXPECT_EQ(api.run({"status"}), code) << status;
    if (code != 0)
      EXPECT_NE(api.err.find("sallyport: Said �[1mno ({\"path\":\"/a\"}) [" + std::to_string(status) + "]"),
                std::string::npos)
          << api.err;
  }
}

TEST(Commands, NoGatewayIsExitFiveWithTheFix) {
  FakeApi api("down");
  api.hooks.local_request = nullptr;
  EXPECT_EQ(api.run({"status"}), 5);
  EXPECT_NE(api.err.find("fix: start the gateway: sallyport --home " + api.home + " serve"), std::string::npos)
      << api.err;
}

TEST(Commands, ServerAddResolvesTheProgramAndRefusesSecretsInTheClear) {
  FakeApi api("server");
  api.answers["POST /api/v1/servers"] = {201, R"({"name":"s","status":"active"})"};
  EXPECT_EQ(api.run({"server", "add", "s", "--env", "TOKEN=${file:secrets/t}", "--no-probe", "--", "sh", "-c", "x"}), 0)
      << api.err;
  const std::string sh = std::filesystem::exists("/usr/bin/sh") ? "/usr/bin/sh" : "/bin/sh";
  EXPECT_EQ(api.calls.back(), R"(POST /api/v1/servers {"name":"s","transport":"stdio","command":[")" + sh +
                                  R"(","-c","x"],"env":{"TOKEN":"${file:secrets/t}"},"probe":false})");
  EXPECT_EQ(api.run({"server", "add", "s", "--env", "GITHUB_TOKEN=abc", "--", "sh"}), 2);
  EXPECT_EQ(api.err.find("abc"), std::string::npos);
  EXPECT_EQ(api.run({"server", "add", "s", "--", "no-such-program-anywhere"}), 4);
  EXPECT_EQ(api.run({"server", "add", "s"}), 2);
  EXPECT_EQ(api.calls.size(), 1U);
}

TEST(Commands, ServerAddSaysWhatIsForwardedOnlyWhereItWasSaid) {
  FakeApi api("forwards");
  api.answers["POST /api/v1/servers"] = {201, R"({"name":"s","status":"active"})"};
  const auto sent = [&](std::vector<std::string> options) -> std::string {
    std::vector<std::string> words{"server", "add", "s", "--url", "https://h/mcp"};
    words.insert(words.end(), options.begin(), options.end());
    EXPECT_EQ(api.run(words), 0) << api.err;
    const auto at = api.calls.back().find("\"forwards\":");
    return at == std::string::npos ? "" : api.calls.back().substr(at, api.calls.back().find(']') + 1 - at);
  };
  EXPECT_EQ(sent({}), "");
  EXPECT_EQ(sent({"--forward", "roots", "--forward", "sampling"}), R"("forwards":["roots","sampling"])");
  EXPECT_EQ(sent({"--forward", "none"}), R"("forwards":[])");
  EXPECT_EQ(api.run({"server", "add", "s", "--url", "https://h/mcp", "--forward", "none", "--forward", "roots"}), 2);
  EXPECT_EQ(api.calls.size(), 3U);
}

TEST(Commands, UserAddShowsARandomPasswordOnceThatMustBeChanged) {
  FakeApi api("user");
  api.answers["POST /api/v1/users"] = {201, R"({"id":"7","username":"ada"})"};
  EXPECT_EQ(api.run({"user", "add", "ada", "--role", "readonly"}), 0);
  EXPECT_NE(api.calls.back().find(R"("must_change_password":true,"roles":["readonly"])"), std::string::npos)
      << api.calls.back();
  const auto at = api.out.find("login): ");
  ASSERT_NE(at, std::string::npos) << api.out;
  const std::string password = api.out.substr(at + 8, 24);
  EXPECT_NE(api.calls.back().find(password), std::string::npos);
  EXPECT_EQ(api.run({"user", "add", "ada", "--password-stdin"}, "Correct-Horse-9\n"), 0);
  EXPECT_NE(api.calls.back().find(R"("password":"Correct-Horse-9","must_change_password":false)"), std::string::npos);
  EXPECT_EQ(api.out.find("Correct"), std::string::npos);
  EXPECT_EQ(api.run({"user", "add", "ada", "--password-stdin"}, ""), 2);
}

TEST(Commands, PasswdNeverTakesAPasswordFromTheCommandLine) {
  FakeApi api("passwd");
  api.answers["PUT /api/v1/users/a%2Fb/password"] = {200, "{}"};
  EXPECT_EQ(api.run({"user", "passwd", "a/b", "--password-stdin"}, "New-Password-1\n"), 0) << api.err;
  EXPECT_EQ(api.calls.back(), R"(PUT /api/v1/users/a%2Fb/password {"password":"New-Password-1"})");
  EXPECT_EQ(api.run({"user", "passwd", "a/b"}), 2);
  EXPECT_EQ(api.run({"user", "passwd", "a/b", "New-Password-1"}), 2);
}

TEST(Commands, UsersAreReadChangedAndDeletedByTheirPath) {
  FakeApi api("user_paths");
  for (const char* call : {"GET /api/v1/users/a%2Fb", "PUT /api/v1/users/a%2Fb", "POST /api/v1/users/a%2Fb/toggle"}) {
    api.answers[call] = {200, R"({"id":"7","username":"a/b","enabled":false})"};
  }
  api.answers["DELETE /api/v1/users/a%2Fb"] = {204, ""};
  EXPECT_EQ(api.run({"user", "show", "a/b"}), 0) << api.err;
  EXPECT_EQ(api.run({"user", "update", "a/b", "--email", "a@b.example", "--role", "user"}), 0) << api.err;
  EXPECT_EQ(api.calls.back(), R"(PUT /api/v1/users/a%2Fb {"email":"a@b.example","roles":["user"]})");
  EXPECT_EQ(api.run({"user", "update", "a/b"}), 2);
  EXPECT_EQ(api.run({"user", "toggle", "a/b"}), 0) << api.err;
  EXPECT_EQ(api.run({"user", "delete", "a/b"}), 0) << api.err;
  EXPECT_EQ(api.out, "a/b is deleted\n");
}

TEST(Commands, TokenKeysRotateAndInspect) {
  FakeApi api("token");
  api.answers["GET /api/v1/token-keys?limit=50&offset=0"] = {
      200,
      R"({"data":[{"id":"k1","algorithm":"EdDSA","status":"active","source":"gateway"}],"pagination":{"total":1}})"};
  api.answers["POST /api/v1/token-keys/rotate"] = {200, R"({"id":"k2","status":"active"})"};
  api.answers["POST /api/v1/tokens/inspect"] = {200, R"({"accepted":false,"reason":"token.expired"})"};
  EXPECT_EQ(api.run({"token", "keys"}), 0) << api.err;
  EXPECT_NE(api.out.find("k1   EdDSA      active"), std::string::npos) << api.out;
  EXPECT_EQ(api.run({"token", "rotate"}), 0);
  EXPECT_EQ(api.out, "key k2 signs from now on; the former key verifies until its last token has expired\n");
  EXPECT_EQ(api.run({"token", "rotate", "--revoke-old"}), 0);
  EXPECT_EQ(api.calls.back(), R"(POST /api/v1/token-keys/rotate {"revoke_old":true})");
  EXPECT_EQ(api.run({"token", "inspect"}, "Bearer a.b.c\n"), 0);
  EXPECT_EQ(api.calls.back(), R"(POST /api/v1/tokens/inspect {"token":"a.b.c"})");
  EXPECT_NE(api.out.find("token.expired"), std::string::npos);
  EXPECT_EQ(api.run({"token", "inspect"}, ""), 2);
  EXPECT_EQ(api.run({"token", "inspect", "a.b.c"}), 2) << "never from the command line";
}

TEST(Commands, KeyCreateSendsEveryFlag) {
  FakeApi api("key");
  api.answers["POST /api/v1/keys"] = {201, R"({"id":"k","api_key":"mcp_once"})"};
  EXPECT_EQ(api.run({"key", "create", "bot", "--can-read", "--can-execute", "--scope", "tool:execute@calc",
                     "--expires-at", "2027-01-01T00:00:00"}),
            0);
  EXPECT_EQ(
      api.calls.back(),
      R"(POST /api/v1/keys {"name":"bot","can_read":true,"can_create":false,"can_update":false,"can_delete":false,"can_execute":true,)"
      R"("scopes":["tool:execute@calc"],"expires_at":"2027-01-01T00:00:00"})");
  EXPECT_NE(api.out.find("mcp_once"), std::string::npos);
}

TEST(Commands, KeyUpdateSendsWhatIsNamedAndNothingElse) {
  FakeApi api("key_update");
  api.answers["PUT /api/v1/keys/a%2Fb"] = {200, R"({"id":"a/b"})"};
  EXPECT_EQ(api.run({"key", "update", "a/b", "--can-read", "--no-can-delete", "--any-address", "--never-expires"}), 0);
  EXPECT_EQ(api.calls.back(),
            R"(PUT /api/v1/keys/a%2Fb {"can_read":true,"can_delete":false,"addresses":[],"expires_at":null})");
  EXPECT_EQ(api.run({"key", "update", "a/b", "--name", "n", "--description", "", "--address", "10.0.0.0/8"}), 0);
  EXPECT_EQ(api.calls.back(), R"(PUT /api/v1/keys/a%2Fb {"name":"n","description":"","addresses":["10.0.0.0/8"]})");
  EXPECT_EQ(api.run({"key", "update", "a/b"}), 2);
}

TEST(Commands, KeyRotateSaysItsGraceInSeconds) {
  FakeApi api("key_rotate");
  api.answers["POST /api/v1/keys/k/rotate"] = {200, R"({"id":"k","api_key":"mcp_once"})"};
  EXPECT_EQ(api.run({"key", "rotate", "k", "--grace", "1h"}), 0) << api.err;
  EXPECT_EQ(api.calls.back(), R"(POST /api/v1/keys/k/rotate {"grace_seconds":3600})");
  EXPECT_NE(api.out.find("mcp_once"), std::string::npos);
  EXPECT_EQ(api.run({"key", "rotate", "k", "--grace", "0"}), 0) << api.err;
  EXPECT_EQ(api.calls.back(), R"(POST /api/v1/keys/k/rotate {"grace_seconds":0})");
  EXPECT_EQ(api.run({"key", "rotate", "k"}), 0) << api.err;
  EXPECT_EQ(api.calls.back(), R"(POST /api/v1/keys/k/rotate {})");
}

TEST(Commands, AKeyIsDisabledAndEnabled) {
  FakeApi api("key_enable");
  api.answers["POST /api/v1/keys/k/disable"] = {200, R"({"id":"k"})"};
  api.answers["POST /api/v1/keys/k/toggle"] = {200, R"({"id":"k","enabled":true})"};
  api.answers["GET /api/v1/keys/k"] = {200, R"({"id":"k","use_count":7})"};
  EXPECT_EQ(api.run({"key", "disable", "k"}), 0) << api.err;
  EXPECT_EQ(api.out, "k is disabled\n");
  EXPECT_EQ(api.run({"key", "toggle", "k"}), 0) << api.err;
  EXPECT_EQ(api.run({"key", "show", "k"}), 0) << api.err;
  EXPECT_NE(api.out.find("use_count"), std::string::npos);
}

TEST(Commands, AuditVerifyFailsWithSix) {
  FakeApi api("verify");
  api.hooks.verify_audit = [](const std::string&) -> Result<AuditVerdict> { return AuditVerdict{true, 12, ""}; };
  EXPECT_EQ(api.run({"audit", "verify"}), 0);
  EXPECT_EQ(api.out, "intact: 12 records\n");
  api.hooks.verify_audit = [](const std::string&) -> Result<AuditVerdict> {
    return AuditVerdict{false, 12, "segment 0, record 7: hash differs"};
  };
  EXPECT_EQ(api.run({"audit", "verify"}), 6);
  EXPECT_NE(api.err.find("record 7"), std::string::npos);
  EXPECT_EQ(api.run({"audit", "verify", "--json"}), 6);
}

TEST(Commands, AuditTailPassesItsFilters) {
  FakeApi api("tail");
  api.answers["GET /api/v1/audit?limit=5&principal=key%3Ax&result=denied"] = {200, R"({"data":[]})"};
  EXPECT_EQ(api.run({"audit", "tail", "--limit", "5", "--principal", "key:x", "--result", "denied"}), 0) << api.err;
  EXPECT_EQ(api.out, "No records\n");
}

TEST(Commands, ConfigCheckShowsTheMistakesAndExplainTheSources) {
  FakeApi api("config");
  EXPECT_EQ(api.run({"config", "check"}), 0) << api.err;
  std::ofstream(api.home + "/sallyport.yaml") << "listen:\n  prot: 1\n";
  EXPECT_EQ(api.run({"config", "check"}), 1);
  EXPECT_NE(api.err.find("sallyport.yaml:2: listen.prot: unknown key; fix: did you mean 'port'?"), std::string::npos)
      << api.err;
  EXPECT_EQ(api.run({"config", "check", "--json"}), 1);
  EXPECT_NE(api.out.find("\"valid\": false"), std::string::npos);
  std::ofstream(api.home + "/sallyport.yaml") << "listen:\n  port: 9\n";
  EXPECT_EQ(api.run({"config", "explain"}), 0);
  EXPECT_NE(api.out.find(api.home + "/sallyport.yaml:2"), std::string::npos) << api.out;
  EXPECT_EQ(api.run({"config", "schema"}), 0);
  EXPECT_TRUE(api.out.starts_with("{"));
}

TEST(Commands, ServeAndInitAreTheAppsBusiness) {
  FakeApi api("serve");
  api.hooks.serve = [&](const ServeOptions& o) { return o.home == api.home ? 0 : 9; };
  api.hooks.init = [](const InitOptions&) -> Result<std::string> { return "ready"; };
  EXPECT_EQ(api.run({"serve"}), 0);
  EXPECT_EQ(api.run({"init"}), 0);
  EXPECT_EQ(api.out, "ready\n");
  api.hooks.init = [](const InitOptions&) -> Result<std::string> { return fail(Code::io, "disk full"); };
  EXPECT_EQ(api.run({"init"}), 1);
  EXPECT_EQ(api.err, "sallyport: disk full\n");
}

// S4-16, C25
TEST(Commands, StdioWithoutAKeySaysSo) {
  FakeApi api("stdio");
  EXPECT_EQ(api.run({"stdio"}), 1);
  EXPECT_TRUE(api.err.starts_with("sallyport: MCP_API_KEY not configured\n")) << api.err;
}

TEST(Commands, HealthcheckNamesWhatHelpsWhereAClientCertificateIsDemanded) {
  FakeApi api("health-mtls");
  const auto write = [&](const char* more) {
    std::ofstream(api.home + "/sallyport.yaml")
        << "listen: {port: 1, admin_socket: false}\ntls: {enabled: true" << more << "}\n";
  };
  write(", client_certificates: required");
  EXPECT_EQ(api.run({"healthcheck"}), 1);
  EXPECT_NE(api.err.find("demands a client certificate"), std::string::npos) << api.err;
  EXPECT_EQ(api.err.find("--url"), std::string::npos) << api.err;
  write("");
  EXPECT_EQ(api.run({"healthcheck"}), 1);
  EXPECT_NE(api.err.find("--url https://NAME:PORT"), std::string::npos) << api.err;
}

// serve does not read as root; what root reads here is no proof of that.
TEST(Commands, ConfigCheckByRootSaysWhatItDoesNotShow) {
  FakeApi api("check-root");
  EXPECT_EQ(api.run({"config", "check"}), 0) << api.err;
  EXPECT_EQ(api.out.find("checked as root, and serve goes on as the owner of the home") != std::string::npos,
            ::geteuid() == 0)
      << api.out;
  EXPECT_EQ(api.run({"config", "check", "--json"}), 0);
  EXPECT_EQ(api.out.find("checked as root") != std::string::npos, ::geteuid() == 0) << api.out;
}

TEST(Commands, HealthcheckOfNothingIsUnhealthy) {
  FakeApi api("health");
  EXPECT_EQ(api.run({"healthcheck", "--url", "http://127.0.0.1:1"}), 1);
  EXPECT_NE(api.err.find("unhealthy"), std::string::npos);
}

TEST(Commands, DoctorNamesEveryCheckAndItsFix) {
  FakeApi api("doctor");
  api.hooks.verify_audit = [](const std::string&) -> Result<AuditVerdict> { return AuditVerdict{true, 1, ""}; };
  api.hooks.doctor = [](const config::Settings&) {
    return std::vector<Check>{{Check::State::fail, "key file", "is missing", "sallyport init"}};
  };
  api.answers["GET /api/v1/servers?limit=1000"] = {200, R"({"data":[{"name":"calc"},{"name":"dead"}]})"};
  api.answers["POST /api/v1/servers/calc/probe"] = {200, "{}"};
  api.answers["GET /api/v1/vault/status"] = {200, R"({"sealed":true,"secrets":3,"damaged":0})"};
  api.answers["GET /health/detailed"] = {
      200, R"({"parts":{"certificates":{"status":"failing","warnings":[)"
           R"({"state":"expired","warning":"the list has expired","fix":"write one"},)"
           R"({"state":"ends_soon","warning":"the authority ends","fix":"renew it"}]}}})"};
  std::filesystem::permissions(api.home, std::filesystem::perms::owner_all | std::filesystem::perms::others_read);
  EXPECT_EQ(api.run({"doctor"}), 1);
  for (const char* line :
       {"fail home: ", "fix: chmod 700 ", "config: ", "port: ", "sandbox: ", "landlock: ", "disk: ", "clock: ",
        "ok   audit: intact, 1 records", "npm: ", "fail key file: is missing", "warn vault: sealed",
        "fix: sallyport vault unseal", "fail certificates: the list has expired\n     fix: write one",
        "warn certificates: the authority ends\n     fix: renew it", "ok   server calc: answers",
        "fail server dead: There is no such thing"}) {
    EXPECT_NE(api.out.find(line), std::string::npos) << line << "\n" << api.out;
  }
}

TEST(Commands, DoctorSaysWhatTheVaultHolds) {
  FakeApi api("doctor_vault");
  api.answers["GET /api/v1/vault/status"] = {200, R"({"sealed":false,"secrets":3,"damaged":0})"};
  (void)api.run({"doctor"});
  EXPECT_NE(api.out.find("ok   vault: unsealed, secrets: 3"), std::string::npos) << api.out;
  api.answers["GET /api/v1/vault/status"] = {200, R"({"sealed":false,"secrets":3,"damaged":2})"};
  EXPECT_EQ(api.run({"doctor"}), 1);
  EXPECT_NE(api.out.find("fail vault: 2 of what it keeps does not open"), std::string::npos) << api.out;
}

// Whoever looks starts nothing that would make a database, or bring one up to date.
TEST(Commands, DoctorAsksNoServersWhereAStartWouldChangeTheDatabase) {
  for (const auto state : {Check::State::warn, Check::State::fail}) {
    FakeApi api("doctor-database");
    api.hooks.doctor = [&](const config::Settings&) { return std::vector<Check>{{state, "database", "x", "y"}}; };
    (void)api.run({"doctor"});
    EXPECT_NE(api.out.find("servers: not checked"), std::string::npos) << api.out;
    EXPECT_TRUE(api.calls.empty());
  }
}

}  // namespace
}  // namespace sallyport::cli
