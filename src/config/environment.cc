// The environment's say: names made of the paths, and the names of the five guides as aliases (C2-C4, C10, C15, C24,
// C26).
#include <unistd.h>

#include <algorithm>

#include "config/sources.h"
#include "config/values.h"

namespace sallyport::config {
namespace {

struct Candidate {
  std::string name, text;
  std::int64_t scale = 1;
  bool weak = false;
};

std::vector<Candidate> candidates(const Row& row, const Environment& environment) {
  std::vector<Candidate> out;
  const auto add = [&](std::string_view name, std::int64_t scale, bool weak) {
    const auto found = environment.find(name);
    // An empty variable is an unset one: compose files pass those on.
    if (found != environment.end() && !found->second.empty())
      out.push_back({std::string(name), found->second, scale, weak});
  };
  add(own_env_name(row.path), 1, false);
  for (const EnvName& name : row.env) add(name.name, name.scale, name.weak);
  return out;
}

void take(const Row& row, const Candidate& from, GivenValues& given, Mistakes& mistakes) {
  const std::string source = "env " + from.name;
  if (row.type == Type::secret) {
    given[row.path] = {Value(is_reference(from.text) ? from.text : "${env:" + from.name + "}"), source};
    return;
  }
  ReadValue read = value_of_text(row, from.text, from.scale);
  if (const Wrong* wrong = std::get_if<Wrong>(&read)) {
    mistakes.from(source, row.path, wrong->reason, wrong->fix);
  } else {
    given[row.path] = {std::get<Value>(std::move(read)), source};
  }
}

void one_row(const Row& row, const Environment& environment, GivenValues& given, std::vector<std::string>& warnings,
             Mistakes& mistakes) {
  const std::vector<Candidate> set = candidates(row, environment);
  if (set.empty()) return;
  take(row, set[0], given, mistakes);
  for (std::size_t i = 1; i < set.size(); ++i) {
    const std::string pair = set[0].name + " and " + set[i].name;
    if (set[i].weak) {
      warnings.push_back(pair + " are both set: " + set[0].name + " wins");
    } else if (set[i].text != set[0].text) {
      mistakes.from("env " + set[i].name, row.path, pair + " are both set and differ", "set one of them");
    }
  }
}

// REQUESTS_PER_MINUTE means a window of 60 (C4), whatever else says otherwise.
void per_minute(GivenValues& given, std::vector<std::string>& warnings) {
  const auto requests = given.find("rate.default.requests");
  if (requests == given.end() || requests->second.source != "env REQUESTS_PER_MINUTE") return;
  const auto window = given.find("rate.default.window_seconds");
  if (window != given.end() && std::get<std::int64_t>(window->second.value) != 60) {
    warnings.push_back("REQUESTS_PER_MINUTE sets a window of 60 seconds; the one of " + window->second.source +
                       " is not used");
  }
  given["rate.default.window_seconds"] = {Value(std::int64_t{60}), "env REQUESTS_PER_MINUTE"};
}

void warn_unknown(const Environment& environment, std::vector<std::string>& warnings) {
  std::vector<std::string> known{"SALLYPORT_HOME", "SALLYPORT_CONFIG", "SALLYPORT_URL"};
  for (const Row& row : table()) known.push_back(own_env_name(row.path));
  for (auto it = environment.lower_bound("SALLYPORT_"); it != environment.end() && it->first.starts_with("SALLYPORT_");
       ++it) {
    if (std::ranges::find(known, it->first) != known.end()) continue;
    const std::string near = nearest(it->first, known);
    warnings.push_back("env " + it->first.substr(0, 80) + " is no setting" +
                       (near.empty() ? "" : "; did you mean " + near + "?"));
  }
}

}  // namespace

Environment process_environment() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

void read_environment(const Environment& environment, GivenValues& given, std::vector<std::string>& warnings,
                      Mistakes& mistakes) {
  for (const Row& row : table()) one_row(row, environment, given, warnings, mistakes);
  per_minute(given, warnings);
  warn_unknown(environment, warnings);
}

}  // namespace sallyport::config
