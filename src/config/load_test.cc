#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "config/config.h"
#include "config/table.h"

namespace sallyport::config {
namespace {

using namespace std::chrono_literals;

constexpr const char* kKey = "u8Vq3bYx0Tn5Zr1Lk7Jd2Wm9Hc4Gs6PaEfQiRoUy";

Result<Settings> with(std::string_view yaml, const Environment& environment = {}) {
  return load_text(yaml, "sallyport.yaml", "/tmp/sallyport-home", environment);
}

std::string mistakes(std::string_view yaml, const Environment& environment = {}) {
  const auto settings = with(yaml, environment);
  return settings ? "" : settings.error().detail;
}

TEST(Config, DefaultsOfTableAndStructAgree) {
  auto loaded = with("");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  Settings s;
  EXPECT_EQ(loaded->listen, s.listen);
  EXPECT_EQ(loaded->limits, s.limits);
  EXPECT_EQ(loaded->sessions, s.sessions);
  EXPECT_EQ(loaded->auth, s.auth);
  EXPECT_EQ(loaded->upstream, s.upstream);
  EXPECT_EQ(loaded->sandbox, s.sandbox);
  EXPECT_EQ(loaded->log, s.log);
  EXPECT_EQ(loaded->encryption, s.encryption);
  EXPECT_EQ(loaded->secrets, s.secrets);
  EXPECT_EQ(loaded->certificates, s.certificates);
  EXPECT_EQ(loaded->acme, s.acme);
  EXPECT_EQ(loaded->storage.url, s.storage.url);
  EXPECT_EQ(loaded->audit.retention_days, s.audit.retention_days);
  EXPECT_EQ(loaded->audit.path, "/tmp/sallyport-home/audit");
  EXPECT_EQ(loaded->storage.sqlite_path, "/tmp/sallyport-home/sallyport.db");
  EXPECT_EQ(loaded->policies, "/tmp/sallyport-home/policies");
  EXPECT_EQ(loaded->rate.at("mcp"), (RateClass{600, 60s, 60}));
  EXPECT_EQ(loaded->rate.at("default"), (RateClass{100, 60s, 10}));  // S0-25
  EXPECT_EQ(loaded->rate.at("delete"), (RateClass{10, 60s, 0}));     // S1-3
  EXPECT_TRUE(loaded->warnings.empty());
}

TEST(Config, ReadsAFile) {
  auto s = with(R"(listen:
  port: 9000
  hosts: [gateway.example.com, "*.example.com"]
limits: {body_bytes: 1048576}
rate:
  mcp: {requests: 1000, burst: 0}
audit: {level: disk}
log: {format: json, level: debug}
servers:
  - name: calc
    command: [/usr/bin/calc, --quiet]
    env: {TOKEN: "${file:secrets/calc}", MODE: fast}
  - name: remote
    transport: http
    url: https://tools.example.com/mcp
    headers: {Authorization: "Bearer ${env:REMOTE}"}
    prefix: ""
    call_timeout_seconds: 60
    forwards: [roots]
  - {name: quiet, command: [/bin/q], forwards: []}
upstream: {call_timeout_seconds: 20}
)");
  ASSERT_TRUE(s) << s.error().detail;
  EXPECT_EQ(s->listen.port, 9000);
  EXPECT_EQ(s->listen.hosts[1], "*.example.com");
  EXPECT_EQ(s->limits.body_bytes, 1048576U);
  EXPECT_EQ(s->rate.at("mcp"), (RateClass{1000, 60s, 0}));
  EXPECT_EQ(s->audit.durability, AuditDurability::disk);
  EXPECT_TRUE(s->log.json);
  ASSERT_EQ(s->servers.size(), 3U);
  EXPECT_EQ(s->servers[0].forwards, (std::vector<std::string>{"elicitation", "sampling"}));
  EXPECT_EQ(s->servers[1].forwards, std::vector<std::string>{"roots"});
  EXPECT_TRUE(s->servers[2].forwards.empty());
  EXPECT_EQ(s->servers[0].prefix, "calc");
  EXPECT_EQ(s->servers[0].call_timeout, 20s);
  EXPECT_EQ(s->servers[0].env.at("TOKEN"), "${file:secrets/calc}");
  EXPECT_EQ(s->servers[1].prefix, "");
  EXPECT_EQ(s->servers[1].call_timeout, 60s);
}

struct Bad {
  const char* yaml;
  const char* says;  // source, path, reason and fix
};

class ConfigMistake : public testing::TestWithParam<Bad> {};

TEST_P(ConfigMistake, NamesLineReasonAndFix) {
  const std::string said = mistakes(GetParam().yaml);
  EXPECT_EQ(said, GetParam().says) << GetParam().yaml;
}

constexpr Bad kBad[]{
    {"listen:\n  prot: 1\n", "sallyport.yaml:2: listen.prot: unknown key; fix: did you mean 'port'?"},
    {"audit:\n  head_bytes: 1\n",
     "sallyport.yaml:2: audit.head_bytes: unknown key; fix: did you mean 'limits.head_bytes'?"},
    {"listen:\n  port: 1\n  port: 2\n",
     "sallyport.yaml:3: the key 'port' stands twice, first in line 2; fix: keep one of them"},
    {"listen:\n  port: \"80\"\n",
     "sallyport.yaml:2: listen.port: wrong type: a quoted text where whole number is expected; fix: write a whole "
     "number without quotes"},
    {"listen:\n  port: 70000\n",
     "sallyport.yaml:2: listen.port: 70000 is out of range; fix: give a number, 1 to 65535"},
    {"limits:\n  body_bytes: 10MiB\n",
     "sallyport.yaml:2: limits.body_bytes: '10MiB' is no whole number; fix: write digits only, 1024 to 1073741824 "
     "bytes"},
    {"limits:\n  connections: 0\n",
     "sallyport.yaml:2: limits.connections: 'unlimited' cannot be configured, and 0 would mean it; fix: give a number, "
     "1 to 1000000 connections"},
    {"rate:\n  mcp:\n    requests: -1\n",
     "sallyport.yaml:3: rate.mcp.requests: 'unlimited' cannot be configured, and -1 would mean it; fix: give a number, "
     "1 to 1000000000 requests"},
    {"listen:\n  admin_socket: yes\n",
     "sallyport.yaml:2: listen.admin_socket: 'yes' is neither true nor false; fix: write true or false"},
    {"log:\n  level: inf\n",
     "sallyport.yaml:2: log.level: 'inf' is not one of debug, info, warning, error; fix: did you mean 'info'?"},
    {"listen: [1]\n",
     "sallyport.yaml:1: listen: wrong type: a section of settings is expected; fix: write NAME: value pairs"},
    {"listen:\n  hosts: localhost\n",
     "sallyport.yaml:2: listen.hosts: wrong type: a single value where list is expected; fix: write [one, two]"},
    {"listen:\n  hosts: ['*']\n",
     "sallyport.yaml:2: listen.hosts: '*' would allow every name (DNS rebinding); fix: list the names, or *.suffix"},
    {"listen:\n  origins: ['*']\n",
     "sallyport.yaml:2: listen.origins: '*' cannot be combined with credentials (C15); fix: list the origins, such as "
     "https://app.example.com"},
    {"listen:\n  origins: ['https://a.example/']\n",
     "sallyport.yaml:2: listen.origins: 'https://a.example/' is no origin; fix: write scheme://host[:port], without a "
     "path or a slash at the end"},
    {"listen:\n  trusted_proxies: [0.0.0.0/0]\n",
     "sallyport.yaml:2: listen.trusted_proxies: '0.0.0.0/0' would trust every address; fix: name the proxy's network"},
    {"listen:\n  address: 0.0.0.0\n",
     "sallyport.yaml:2: listen.address: 0.0.0.0 is reachable from outside and there is no TLS (C16); fix: listen on "
     "127.0.0.1, or set tls.enabled: true (docs/tls.md), or put a TLS proxy in front and set listen.behind_tls_proxy: "
     "true"},
    {"listen:\n  address: localhost\n",
     "sallyport.yaml:2: listen.address: 'localhost' is no IP address; fix: write one such as 127.0.0.1 or ::1"},
    {"auth:\n  secret_key: hunter2hunter2hunter2hunter2hunter2\n",
     "sallyport.yaml:2: auth.secret_key: a secret must not stand in the file; fix: keep it in a file with mode 0600 "
     "and write ${file:PATH}, or export it and write ${env:NAME}"},
    {"auth:\n  secret_key: ${env:NOT_SET_ANYWHERE}\n",
     "sallyport.yaml:2: auth.secret_key: environment variable NOT_SET_ANYWHERE is not set; fix: make the reference "
     "readable, or leave it out"},
    {"auth:\n  secret_key: ${vault:jwt}\n",
     "sallyport.yaml:2: auth.secret_key: ${vault:jwt}: settings are read before the vault and its sources; use "
     "${env:NAME} or ${file:PATH}; fix: make the reference "
     "readable, or leave it out"},
    {"audit:\n  enabled: false\n",
     "sallyport.yaml:2: audit.enabled: a gateway without an audit does not start (C24); fix: remove it, or set it to "
     "true"},
    {"storage:\n  url: postgresql://db/x\n",
     "sallyport.yaml:2: storage.url: 'postgresql://db/x' names PostgreSQL, which arrives with a later issue; fix: use "
     "sqlite:///sallyport.db"},
    {"upstream:\n  call_timeout_seconds: 301\n",
     "sallyport.yaml:2: upstream.call_timeout_seconds: 301 is out of range; fix: give a number, 1 to 300 seconds"},
    {"sandbox:\n  run_as: root\n",
     "sallyport.yaml:2: sandbox.run_as: the gateway never serves as root; fix: name another user"},
    {"servers:\n  - name: a\n    command: [calc]\n",
     "sallyport.yaml:3: servers.a.command: the program must be an absolute path; fix: write what 'command -v' prints "
     "for it"},
    {"servers:\n  - name: A B\n    command: [/c]\n",
     "sallyport.yaml:2: servers.name: 'A B' is no server name; fix: use a-z, 0-9, '_' and '-', 32 at most, starting "
     "with a letter or digit\nsallyport.yaml:2: servers.name: a server needs a name; fix: add 'name: ...'"},
    {"servers:\n  - name: a\n    command: [/c]\n  - name: a\n    command: [/c]\n",
     "sallyport.yaml:4: servers.a.name: stands twice, first in line 2; fix: give each its own name"},
    {"servers:\n  - name: a\n    command: [/c]\n    env: {GITHUB_TOKEN: abcdef}\n",
     "sallyport.yaml:4: servers.a.env.GITHUB_TOKEN: looks like a secret in the clear; fix: put it into a file with "
     "mode 0600 and write ${file:PATH}, or export it and write ${env:NAME}"},
    {"servers:\n  - name: a\n    command: [/c, --api-key, s3cr3t]\n",
     "sallyport.yaml:3: servers.a.command: an argument looks like a secret, and arguments are seen by every process; "
     "fix: hand it over in 'env' as a reference"},
    {"servers:\n  - name: a\n    transport: http\n    url: https://u:p@h/mcp\n",
     "sallyport.yaml:4: servers.url: 'https://u:p@h/mcp' carries credentials; fix: send them as a header whose value "
     "is a reference\nsallyport.yaml:2: servers.a.url: an http server needs its URL; fix: add 'url: https://...'"},
    {"servers:\n  - name: a\n    transport: http\n    url: https://h/mcp?api_key=12345\n",
     "sallyport.yaml:4: servers.a.url: the query holds what looks like a secret; fix: send it as a header, or under "
     "query, whose value is a reference"},
    {"servers:\n  - name: a\n    command: [/c]\n    forwards: [root]\n",
     "sallyport.yaml:4: servers.forwards: 'root' is nothing a server may ask a client; fix: write elicitation, "
     "sampling or roots"},
    {"servers:\n  - name: a\n    comand: [/c]\n",
     "sallyport.yaml:3: servers.comand: unknown key; fix: did you mean 'command'?\nsallyport.yaml:2: "
     "servers.a.command: a stdio server needs its program; fix: add 'command: [/path/to/program]'"},
    {"a: &x 1\n", "sallyport.yaml:1: anchors and aliases are not read; fix: write the value out where it is used"},
    {"listen: !!map {}\n", "sallyport.yaml:1: tags such as tag:yaml.org,2002:map are not read; fix: remove the tag"},
    {"listen: {}\n---\nlog: {}\n", "sallyport.yaml:2: a second document; fix: keep one document, without '---'"},
    {"? [a]\n: 1\n", "sallyport.yaml:1: a key is no plain name; fix: write NAME: value"},
    {"listen:\n  port: [1\n",
     "sallyport.yaml:3: not valid YAML: end of sequence flow not found; fix: check indentation, quotes and colons "
     "there"},
};

INSTANTIATE_TEST_SUITE_P(Table, ConfigMistake, testing::ValuesIn(kBad));

TEST(ConfigAbuse, AliasBombDeepNestingAndHugeFilesAreRefusedAtOnce) {
  std::string bomb = "a: &a [x, x]\n";
  for (char c = 'b'; c < 'z'; ++c)
    bomb += std::string{c} + ": &" + c + " [*" + static_cast<char>(c - 1) + ", *" + static_cast<char>(c - 1) + "]\n";
  EXPECT_NE(mistakes(bomb).find("anchors and aliases"), std::string::npos);
  EXPECT_NE(mistakes(std::string(10'000, '[')), "");
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_NE(mistakes(deep).find("nested too deeply"), std::string::npos) << mistakes(deep);
  EXPECT_NE(mistakes(std::string(2U << 20, 'a')).find("larger than 1 MiB"), std::string::npos);
}

TEST(ConfigAbuse, MistakesNeverShowASecretAndKeepToOneLineEach) {
  const std::string said =
      mistakes("auth: {secret_key: \"topsecretvalue\\n99\"}\nservers:\n  - {name: s, command: [/c], env: {A_TOKEN: "
               "mysecretvalue}}\n\"evil\\nkey\": 1\n");
  EXPECT_EQ(said.find("topsecretvalue"), std::string::npos) << said;
  EXPECT_EQ(said.find("mysecretvalue"), std::string::npos) << said;
  EXPECT_NE(said.find("evil?key"), std::string::npos) << said;
}

TEST(Config, ManyMistakesAreToldAtOnceButNotEndlessly) {
  std::string yaml;
  for (int i = 0; i < 100; ++i) yaml += "k" + std::to_string(i) + ": 1\n";
  const std::string said = mistakes(yaml);
  EXPECT_EQ(std::ranges::count(said, '\n'), 20);
  EXPECT_TRUE(said.ends_with("... and more"));
}

TEST(Config, LoadsTheFileOfTheHomeOrTheOneNamed) {
  const std::string home = testing::TempDir() + "/config_load_home";
  std::filesystem::create_directories(home);
  std::filesystem::remove(home + "/sallyport.yaml");
  ASSERT_TRUE(load(home, std::nullopt, {}));
  EXPECT_EQ(load(home, std::nullopt, {})->config_file, "");
  std::ofstream(home + "/sallyport.yaml") << "listen: {port: 8123}\n";
  EXPECT_EQ(load(home, std::nullopt, {})->listen.port, 8123);
  std::ofstream(home + "/other.yaml") << "listen: {port: 8124}\n";
  EXPECT_EQ(load(home, home + "/other.yaml", {})->listen.port, 8124);
  EXPECT_EQ(load(home, std::nullopt, {{"SALLYPORT_CONFIG", home + "/other.yaml"}})->listen.port, 8124);
  EXPECT_FALSE(load(home, home + "/missing.yaml", {}));
  EXPECT_FALSE(load(home, home, {}));
  std::filesystem::remove_all(home);
}

// For a restore: settings whose references lead nowhere yet say all the same where the database belongs.
TEST(ConfigLoad, TellsWhereTheDatabaseLiesThoughOtherSettingsAreRefused) {
  std::string pattern = (std::filesystem::temp_directory_path() / "sallyport-XXXXXX").string();
  const std::string home = ::mkdtemp(pattern.data());
  EXPECT_EQ(*database_place(home, {}), home + "/sallyport.db");
  std::ofstream(home + "/sallyport.yaml") << "listen:\n  prot: 1\nstorage:\n  url: sqlite:////far/x.db\n";
  EXPECT_FALSE(load(home, std::nullopt, {}));
  EXPECT_EQ(*database_place(home, {}), "/far/x.db");
  EXPECT_EQ(*database_place(home, {{"DATABASE_URL", "sqlite:///near/y.db"}}), home + "/near/y.db");
  std::ofstream(home + "/sallyport.yaml") << "storage: [";
  EXPECT_FALSE(database_place(home, {}));
  std::filesystem::remove_all(home);
}

TEST(Config, KnownGoodSigningKeyIsAccepted) {
  EXPECT_TRUE(with("auth: {secret_key: \"${env:MY_KEY}\"}\n", {{"MY_KEY", kKey}}));
}

}  // namespace
}  // namespace sallyport::config
