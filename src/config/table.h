// Inside config only: THE table of settings (style.md, rule 8). From its rows alone come the parser, the validation,
// the environment names, `config explain`, the JSON Schema and docs/reference/config.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.h"

namespace sallyport::config {

enum class Type : std::uint8_t { boolean, integer, text, choice, list, map, secret };

using Value =
    std::variant<bool, std::int64_t, std::string, std::vector<std::string>, std::map<std::string, std::string>>;

struct EnvName {
  std::string_view name;
  std::int64_t scale = 1;  // JWT_EXPIRATION_HOURS gives minutes times 60
  bool weak = false;       // gives way to the others with a warning instead of refusing a difference (C2, C4)
};

// Empty: fine; else why a text (or one item of a list) cannot be.
using Check = std::string (*)(std::string_view);

struct RowBase {
  std::string path;
  Type type = Type::text;
  std::string fallback;  // the default as it would be written in the environment
  std::int64_t min = 0;  // integers; and the least number of items of a list
  std::int64_t max = 0;  // integers; and the greatest length of a text
  std::string_view unit = {};
  std::vector<std::string_view> choices = {};
  bool restart = true;
  std::string_view doc = {};
  std::vector<EnvName> env = {};  // aliases beside the name made of the path
  Check check = nullptr;
};

template <class Target>
struct RowOf : RowBase {
  std::function<void(Target&, const Value&)> apply;
};
using Row = RowOf<Settings>;
using ServerRow = RowOf<ServerSetting>;

const std::vector<Row>& table();
const std::vector<ServerRow>& server_table();

// The class names of `rate`, with their defaults.
struct RateDefault {
  std::string_view name;
  RateClass value;
  std::string_view doc;
};
const std::vector<RateDefault>& rate_defaults();

// "listen.port" -> "SALLYPORT_LISTEN_PORT"
std::string own_env_name(std::string_view path);

std::string_view type_name(Type type);
std::string show(const Value& value);

}  // namespace sallyport::config
