#include "engines/decide/input.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "engines/rbac/rbac.h"

namespace sallyport::decide_internal {
namespace {

// Bytes from 0x80 pass as they are: the policy engine refuses what is not UTF-8, and a refusal denies.
void quote(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) continue;
    out.append(text, from, i - from);
    from = i + 1;
    out += "\\u00";
    out += kHex[c >> 4U];
    out += kHex[c & 0xfU];
  }
  out.append(text, from);
  out += '"';
}

void member(std::string& out, std::string_view name, std::string_view text) {
  out += name;
  quote(out, text);
}

void number(std::string& out, int value) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

template <class List, class Each>
void array(std::string& out, const List& list, Each&& each) {
  out += '[';
  bool first = true;
  for (const auto& item : list) each(item, first);
  out += ']';
}

void separate(std::string& out, bool& first) {
  if (!first) out += ',';
  first = false;
}

std::string_view kind_name(PrincipalKind kind) {
  switch (kind) {
    case PrincipalKind::user: return "user";
    case PrincipalKind::key: return "key";
    case PrincipalKind::local: return "local";
  }
  return "unknown";
}

void write_user(const Snapshot& snapshot, const Principal& principal, PermissionSet held, std::string& out) {
  member(out, "{\"user\":{\"id\":", principal.id);
  member(out, ",\"name\":", principal.name);
  member(out, ",\"kind\":", kind_name(principal.kind));
  out += ",\"roles\":";
  array(out, rbac::all_roles(principal, *snapshot.roles), [&](std::string_view role, bool& first) {
    separate(out, first);
    quote(out, role);
  });
  out += ",\"permissions\":";
  std::uint32_t bit = 1;
  array(out, kPermissionNames, [&](std::string_view name, bool& first) {
    const bool has = (held.bits() & bit) != 0;
    bit <<= 1U;
    if (!has) return;
    separate(out, first);
    quote(out, name);
  });
  out += '}';
}

void write_object(const AccessRequest& request, std::string& out) {
  const ToolRecord* tool = request.tool;
  const ServerRecord* server = request.server;
  if (tool == nullptr && server == nullptr) return;
  const std::string_view server_name = tool != nullptr ? std::string_view(tool->server) : std::string_view(server->name);
  const std::string_view tool_name = tool != nullptr ? std::string_view(tool->name) : std::string_view();
  member(out, ",\"server\":", server_name);
  member(out, ",\"tool\":{\"name\":", tool_name);
  member(out, ",\"server\":", server_name);
  out += ",\"security_level\":";
  number(out, tool != nullptr ? tool->security_level : server->security_level);
  out += ",\"required\":";
  array(out, tool != nullptr ? tool->required : server->required, [&](const std::string& name, bool& first) {
    separate(out, first);
    quote(out, name);
  });
  out += "},\"resource\":";
  std::string resource("tool:");
  resource.append(server_name).append("/").append(tool_name);
  quote(out, resource);
}

void write_time(WallTime now, std::string& out) {
  using namespace std::chrono;
  const auto day = floor<days>(now);
  const year_month_day date(day);
  const hh_mm_ss clock(now - day);
  std::array<char, 40> text{};
  const int size = std::snprintf(text.data(), text.size(), ",\"time\":\"%04d-%02u-%02uT%02d:%02d:%02d.%06dZ\"",
                                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                                 static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                                 static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
                                 static_cast<int>(clock.subseconds().count()));
  if (size > 0) out.append(text.data(), std::min(static_cast<std::size_t>(size), text.size() - 1));
}

}  // namespace

bool is_tool_action(Permission action) noexcept {
  using enum Permission;
  return action == tool_read || action == tool_execute || action == tool_create || action == tool_update ||
         action == tool_delete;
}

std::string_view action_name(Permission action) noexcept {
  constexpr std::string_view kPrefix = "tool:";
  return is_tool_action(action) ? name_of(action).substr(kPrefix.size()) : "admin";
}

void write_input(const Snapshot& snapshot, const AccessRequest& request, PermissionSet held, const policy::Reads& reads,
                 std::string& out) {
  out.clear();
  write_user(snapshot, request.principal, held, out);
  member(out, ",\"action\":", action_name(request.action));
  member(out, ",\"permission\":", name_of(request.action));
  out += request.phase == Phase::list ? ",\"phase\":\"list\"" : ",\"phase\":\"call\"";
  out += held.has(request.action) ? ",\"granted\":true" : ",\"granted\":false";
  write_object(request, out);
  if (reads.caller) {
    member(out, ",\"address\":", request.remote_address);
    member(out, ",\"protocol\":", request.protocol_version);
  }
  if (reads.time) write_time(request.now, out);
  out += '}';
}

}  // namespace sallyport::decide_internal
