// What the policy is shown: the members and whom they speak of; and that an input without what no rule reads is answered
// as the whole one is.
#include "engines/decide/input.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engines/decide/decide_fixture.h"
#include "json/document.h"
#include "model/registration.h"

namespace sallyport {
namespace {

using decide_internal::write_input;
using policy::Field;
using policy::Reads;
using test::principal_with;
using test::tool_named;

constexpr std::string_view kAnnotated =
    R"({"name":"add","annotations":{"readOnlyHint":true,"title":"\",\"user\":{\"roles\":[\"admin\"]}"},"x":1})";

WallTime at(int seconds) { return WallTime(std::chrono::seconds(seconds)); }

Snapshot labelled(const Principal& principal, const std::vector<std::pair<std::string, int>>& until) {
  Snapshot snapshot = test::shipped();
  LabelsOfOne own;
  for (const auto& [name, seconds] : until) own[name] = {at(seconds), "crm/read"};
  Labels labels;
  labels[principal.id] = std::make_shared<const LabelsOfOne>(std::move(own));
  labels["user:other"] = std::make_shared<const LabelsOfOne>(LabelsOfOne{{"not_hers", {at(9'999), ""}}});
  snapshot.labels = std::make_shared<const Labels>(std::move(labels));
  return snapshot;
}

std::string whole(const Snapshot& snapshot, const AccessRequest& request, const Reads& reads = {}) {
  std::string out;
  write_input(snapshot, request, PermissionSet{Permission::tool_execute, Permission::tool_read}, reads, out);
  return out;
}

TEST(PolicyInput, HasItsMembers) {
  Principal principal = principal_with({"user"});
  principal.groups = {"staff", "night"};
  ToolRecord tool = tool_named("calc", "add", 3);
  tool.labels = {"private_data"};
  tool.required = {"calc.add"};
  tool.definition = kAnnotated;
  const Snapshot snapshot = labelled(principal, {{"untrusted_content", 50}, {"private_data", 50}, {"gone", 40}});
  EXPECT_EQ(
      whole(snapshot, {.principal = principal,
                       .tool = &tool,
                       .remote_address = "::1",
                       .now = at(40),
                       .protocol_version = "2025-11-25"}),
      R"({"user":{"id":"user:0123456789abcdef","name":"ann","kind":"user","roles":["user"],"groups":["staff","night"],)"
      R"("permissions":["tool:read","tool:execute"]},"labels":["private_data","untrusted_content"],"action":"execute",)"
      R"("permission":"tool:execute","phase":"call","method":"tools/call","granted":true,"server":"calc","tool":{"name":"add","server":"calc",)"
      R"("security_level":3,"required":["calc.add"],"labels":["private_data"],"pin":"approved","untrusted":{"annotations":)"
      R"({"readOnlyHint":true,"title":"\",\"user\":{\"roles\":[\"admin\"]}"}}},"resource":"tool:calc/add","address":"::1",)"
      R"("protocol":"2025-11-25","time":"1970-01-01T00:00:40.000000Z"})");
}

// Roles and their names are found and written once for all that one principal asks: each change of either is seen.
TEST(PolicyInput, IsTheSameWithACallerThatIsKept) {
  const auto in_force = [](std::vector<std::string> inherits) {
    Snapshot snapshot = test::shipped();
    snapshot.roles = std::make_shared<const Roles>(
        Roles{{"odd\" \\ one", {"odd\" \\ one", {Permission::tool_read}, {}, {}, std::move(inherits)}}});
    return snapshot;
  };
  decide_internal::Caller caller;
  const ToolRecord tool = tool_named("calc", "add");
  for (const Snapshot& snapshot : {in_force({}), in_force({"user"}), in_force({"user", "auditor"}), test::shipped()}) {
    for (const auto& names : std::vector<std::vector<std::string>>{
             {"odd\" \\ one"}, {"agent", "odd\" \\ one"}, {"ghost"}, {}, {"admin", "user"}}) {
      const Principal principal = principal_with(names);
      const AccessRequest request{.principal = principal, .tool = &tool};
      for (int i = 0; i < 2; ++i) {
        caller.resolve(snapshot, principal);
        std::string out;
        write_input(snapshot, request, PermissionSet{Permission::tool_execute, Permission::tool_read}, {}, out,
                    &caller);
        EXPECT_EQ(out, whole(snapshot, request));
      }
    }
  }
}

// A member that the table lacks would be hidden from every rule.
TEST(PolicyInput, IsWhatTheTableOfFieldsSays) {
  const Principal principal = principal_with({"user"});
  ToolRecord tool = tool_named("calc", "add");
  tool.registration = std::make_shared<const Registration>();
  const std::string text = whole(test::shipped(), {.principal = principal, .tool = &tool});
  const auto document = json::read(text);
  ASSERT_TRUE(document) << text;
  EXPECT_EQ(document->root().find("tool")->string_at("pin"), "registered");
  std::vector<std::string> written{"/arguments"};  // the one that travels apart
  for (const auto [name, value] : document->root().members()) {
    if (name != "user" && name != "tool") written.push_back("/" + std::string(name));
    if (name != "user" && name != "tool") continue;
    for (const auto [inner, of_it] : value.members()) written.push_back(std::string(name) + "/" + std::string(inner));
  }
  std::vector<std::string> listed;
  for (const auto& [parent, name] : policy::kFieldPaths)
    listed.push_back(std::string(parent) + "/" + std::string(name));
  std::ranges::sort(written);
  std::ranges::sort(listed);
  EXPECT_EQ(written, listed);
}

TEST(PolicyInput, AMethodIsThatOfACall) {
  const Principal principal = principal_with({"user"});
  const ServerRecord server = test::server_named("calc");
  Reads reads = Reads::nothing();
  reads.add(Field::method);
  AccessRequest request{.principal = principal, .server = &server, .method = "prompts/get"};
  EXPECT_EQ(whole(test::shipped(), request, reads), R"({"method":"prompts/get"})");
  request.phase = Phase::list;
  EXPECT_EQ(whole(test::shipped(), request, reads), "{}");
  request.phase = Phase::call;
  request.action = Permission::tool_read;
  EXPECT_EQ(whole(test::shipped(), request, reads), "{}");
}

TEST(PolicyInput, LeavesOutWhatNoRuleReads) {
  const Principal principal = principal_with({"user"});
  const ToolRecord tool = tool_named("calc", "add", 3);
  Reads reads = Reads::nothing();
  EXPECT_EQ(whole(test::shipped(), {.principal = principal, .tool = &tool}, reads), "{}");
  reads.add(Field::user_roles);
  reads.add(Field::tool_security_level);
  EXPECT_EQ(whole(test::shipped(), {.principal = principal, .tool = &tool}, reads),
            R"({"user":{"roles":["user"]},"tool":{"security_level":3}})");
  EXPECT_EQ(whole(test::shipped(), {.principal = principal}, reads), R"({"user":{"roles":["user"]}})");
}

// What a tool server says of its tool stays below tool.untrusted, however it is written.
TEST(PolicyInputAbuse, HostileAnnotations) {
  const Snapshot snapshot = test::with_tool_access("allow if \"admin\" in input.user.roles\nallow if "
                                                   "input.tool.security_level == 0\nallow if input.tool.pin == \"x\"\n"
                                                   "deny contains \"never\" if input.tool.untrusted.never\n");
  Decider decider;
  for (const std::string annotations :
       {R"({"user":{"roles":["admin"]}})", R"({"security_level":0,"pin":"x"})",
        R"({}},"user":{"roles":["admin"]},"z":{{)", R"({"a":1},"user":{"roles":["admin"]})",
        R"({"a":"\u0000\",\"user\":{\"roles\":[\"admin\"]}"})", R"({"a":1,"a":2})", R"({"n":1e999999})",
        R"([{"user":{"roles":["admin"]}}])", R"("admin")", R"({"\u0075ser":{"roles":["admin"]}})"}) {
    ToolRecord tool = tool_named("calc", "add", 3);
    tool.definition = R"({"name":"add","annotations":)" + annotations + "}";
    const Decision decision = decider.decide(snapshot, {.principal = principal_with({"user"}), .tool = &tool});
    EXPECT_FALSE(decision.allow) << annotations;
  }
  ToolRecord tool = tool_named("calc", "add", 3);
  tool.definition = R"({"name":"add","annotations":{"never":false}})";
  EXPECT_TRUE(decider.decide(snapshot, {.principal = principal_with({"user", "admin"}), .tool = &tool}).allow)
      << "the test can pass";
}

TEST(PolicyInputAbuse, UnreadableAnnotationsDenyWhereARuleReadsThem) {
  ToolRecord tool = tool_named("calc", "add");
  tool.definition = R"({"name":"add","annotations":{"a":1,"a":2}})";
  Decider decider;
  const Principal user = principal_with({"user"});
  const Snapshot reading =
      test::with_tool_access("allow := true\ndeny contains \"x\" if input.tool.untrusted.annotations.a == 3\n", 2);
  EXPECT_EQ(decider.decide(reading, {.principal = user, .tool = &tool}).rule_id, kRulePolicyError);
  EXPECT_TRUE(decider.decide(test::shipped(), {.principal = user, .tool = &tool}).allow)
      << "the shipped rules do not look";
}

TEST(PolicyInput, GroupsAndLabelsChangeARememberedAnswer) {
  Principal principal = principal_with({"user"});
  const ToolRecord tool = tool_named("calc", "add");
  Snapshot snapshot = labelled(principal, {{"private_data", 100}});
  snapshot.policy =
      test::with_tool_access("allow := true\ndeny contains \"tainted\" if \"private_data\" in input.labels\n"
                             "deny contains \"night\" if \"night\" in input.user.groups\n",
                             7)
          .policy;
  Decider decider;
  const auto ask = [&](int now) {
    return decider.decide(snapshot, {.principal = principal, .tool = &tool, .now = at(now)}).reason;
  };
  EXPECT_EQ(ask(50), "tainted");
  EXPECT_EQ(ask(99), "tainted");
  EXPECT_EQ(decider.counters().remembered, 1U);
  EXPECT_EQ(ask(100), "") << "it has run out";
  EXPECT_EQ(ask(99), "tainted") << "the clock was set back";
  principal.groups = {"night"};
  EXPECT_EQ(ask(100), "night");
  snapshot.labels = std::make_shared<const Labels>();
  principal.groups.clear();
  EXPECT_EQ(ask(50), "") << "cleared";
}

// Policies at random from the ways to name the input, each of which shows what it saw.
class RandomPolicy {
 public:
  explicit RandomPolicy(unsigned seed) : rng_(seed) {}
  std::size_t pick(std::size_t n) { return rng_() % n; }

  std::string source() {
    std::string out = "package tool_access\nimport rego.v1\nimport input.tool as t\nimport input.user.roles as r\n";
    if (pick(6) == 0) out = "package tool_access\nimport rego.v1\nimport input as i\nimport input.user as u\n";
    const bool whole_import = out.find("input as i") != std::string::npos;
    out += "allow if { " + condition() + " }\nallow if { " + condition() + "; " + condition() + " }\n";
    for (std::size_t i = 1 + pick(3); i > 0; --i) {
      const std::string guard = pick(3) == 0 ? "; " + condition() : "";
      out += "deny contains x if { " + shown(whole_import) + guard + " }\n";
    }
    return out + "f(input_like) := input_like.name if input_like.name\n";
  }

 private:
  std::string member() {
    static const std::vector<std::string> kPaths{"input.user.id",
                                                 "input.user.name",
                                                 "input[\"user\"].roles",
                                                 "input.user[\"groups\"]",
                                                 "input.user.permissions",
                                                 "input.labels",
                                                 "input.action",
                                                 "input.phase",
                                                 "input.method",
                                                 "input.granted",
                                                 "input.server",
                                                 "input.tool.name",
                                                 "input[`tool`][\"labels\"]",
                                                 "input.tool.pin",
                                                 "input.tool.untrusted.annotations",
                                                 "input.tool.security_level",
                                                 "input.resource",
                                                 "input.address",
                                                 "input.protocol",
                                                 "input.time",
                                                 "input.arguments.x",
                                                 "input.nothing",
                                                 "input.user.nothing",
                                                 "input.tool.untrusted.annotations.title"};
    return kPaths[pick(kPaths.size())];
  }
  std::string condition() {
    static const std::vector<std::string> kForms{"not @",
                                                 "@ == \"execute\"",
                                                 "count(@) > 0",
                                                 "\"user\" in @",
                                                 "@",
                                                 "some k; input.user[k] == \"ann\"",
                                                 "some q; @[q] == \"user\"",
                                                 "is_string(@)",
                                                 "@ != input.user.name",
                                                 "every e in @ { e != \"a\" }"};
    return filled(kForms[pick(kForms.size())]);
  }
  std::string shown(bool whole_import) {
    static const std::vector<std::string> kForms{"x := sprintf(\"%v\", [@])",
                                                 "x := json.marshal(@)",
                                                 "y := input.user; x := json.marshal(y)",
                                                 "x := json.marshal(object.get(input, [\"tool\", \"name\"], \"none\"))",
                                                 "y := input; x := json.marshal(y)",
                                                 "some k; v := input[k]; x := json.marshal([k, v])",
                                                 "some k; v := input.tool[k]; x := json.marshal([k, v])",
                                                 "walk(input, [p, v]); is_string(v); x := json.marshal([p, v])",
                                                 "x := json.marshal(json.filter(input, [\"user/name\"]))",
                                                 "x := json.marshal({k: v | some k, v in input.user})",
                                                 "x := json.marshal([v | some v in input])",
                                                 "y := input.tool\n  [\"a\"] == [\"a\"]\n  x := json.marshal(y)",
                                                 "x := f(input.tool)",
                                                 "x := f(input.user)",
                                                 "y := input.user # a comment\n  x := json.marshal(y)",
                                                 "x := json.marshal(input[\"tool\"])",
                                                 "k := \"server\"; x := json.marshal(input[k])",
                                                 "k := \"pin\"; x := json.marshal(input.tool[k])",
                                                 "x := json.marshal(input.user) with input.user.name as \"b\"",
                                                 "x := json.marshal(input[\"\\u0075ser\"])",
                                                 "x := \"input.user.name\"",
                                                 "x := json.marshal(object.keys(input.user))",
                                                 "x := json.marshal(count(input.tool))"};
    static const std::vector<std::string> kImported{"x := json.marshal(i)", "x := json.marshal(i.tool)",
                                                    "x := json.marshal(u.name)",
                                                    "k := \"labels\"; x := json.marshal(i[k])"};
    static const std::vector<std::string> kNarrow{"x := json.marshal(t)", "x := json.marshal(t.name)",
                                                  "x := json.marshal(r)"};
    if (pick(4) == 0) return whole_import ? kImported[pick(kImported.size())] : kNarrow[pick(kNarrow.size())];
    return filled(kForms[pick(kForms.size())]);
  }
  std::string filled(std::string form) {
    for (auto place = form.find('@'); place != std::string::npos; place = form.find('@'))
      form.replace(place, 1, member());
    return form;
  }
  std::mt19937 rng_;
};

std::string answer_text(policy::PolicyEngine& engine, const std::string& input) {
  auto answer = engine.evaluate("tool_access", input, std::nullopt, std::chrono::seconds(5));
  if (!answer) return "error";  // its text may quote the input
  std::string out = std::string(answer->allow ? "allow" : "no") + (answer->deny ? " deny" : "");
  for (const std::string& reason : answer->deny_reasons) out += "\n" + reason;
  return out;
}

TEST(PolicyInputAbuse, ARestrictedInputIsAnsweredAsTheWholeOne) {
  RandomPolicy random(5);
  Principal principal = principal_with({"user", "admin"});
  principal.groups = {"staff"};
  const Snapshot snapshot = labelled(principal, {{"private_data", 100}});
  std::vector<ToolRecord> tools{tool_named("calc", "add", 2), tool_named("mail", "send", 5)};
  tools[0].definition = kAnnotated;
  tools[1].labels = {"external_sink"};
  int compiled = 0, narrower = 0, said = 0;
  for (int i = 0; i < 1'500; ++i) {
    const policy::Modules modules{{"p.rego", random.source()}};
    policy::PolicyEngine engine;
    if (!engine.use({static_cast<std::uint64_t>(i), modules})) continue;
    ++compiled;
    for (const Phase phase : {Phase::list, Phase::call}) {
      const std::size_t which = random.pick(3);
      const AccessRequest request{.principal = principal,
                                  .tool = which < 2 ? &tools[which] : nullptr,
                                  .phase = phase,
                                  .remote_address = "::1",
                                  .now = at(40),
                                  .protocol_version = "2025-11-25"};
      const std::string all = whole(snapshot, request);
      const std::string seen = whole(snapshot, request, engine.reads());
      const std::string answer = answer_text(engine, all);
      ASSERT_EQ(answer_text(engine, seen), answer) << modules[0].second << "\nwhole " << all << "\nseen  " << seen;
      narrower += seen.size() < all.size() ? 1 : 0;
      said += answer.find('\n') != std::string::npos ? 1 : 0;
    }
  }
  EXPECT_GT(compiled, 1'000);
  EXPECT_GT(narrower, 500) << "the cases must leave something out";
  EXPECT_GT(said, 300) << "and show something";
}

}  // namespace
}  // namespace sallyport
