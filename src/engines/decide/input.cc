#include "engines/decide/input.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "engines/rbac/rbac.h"
#include "json/document.h"
#include "json/slice.h"

namespace sallyport::decide_internal {
namespace {

using policy::Field;

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

void number(std::string& out, int value) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

// The members of one object.
class Object {
 public:
  explicit Object(std::string& out) : out_(out) { out_ += '{'; }
  void close() { out_ += '}'; }

  void key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_.append("\"").append(name).append("\":");
  }
  void text(std::string_view name, std::string_view value) {
    key(name);
    quote(out_, value);
  }

 private:
  std::string& out_;
  bool first_ = true;
};

// `visit(add)` calls add(text) for each element.
template <class Visit>
void texts(std::string& out, Visit&& visit) {
  out += '[';
  bool first = true;
  visit([&](std::string_view text) {
    if (!first) out += ',';
    first = false;
    quote(out, text);
  });
  out += ']';
}

template <class List>
void list(std::string& out, const List& list) {
  texts(out, [&](auto&& add) {
    for (const auto& item : list) add(item);
  });
}

// Of a call alone: what there is to list is the same whatever will be asked of it.
std::string_view method_of(const AccessRequest& request) {
  if (request.phase != Phase::call || request.action != Permission::tool_execute) return {};
  return request.tool != nullptr ? "tools/call" : request.method;
}

std::string_view kind_name(PrincipalKind kind) {
  switch (kind) {
    case PrincipalKind::user: return "user";
    case PrincipalKind::key: return "key";
    case PrincipalKind::local: return "local";
  }
  return "unknown";
}

struct Writing {
  const Snapshot& snapshot;
  const AccessRequest& request;
  PermissionSet held;
  const policy::Reads& reads;
  std::string& out;
  Caller* caller;
};

void write_user(const Writing& w) {
  const Principal& principal = w.request.principal;
  Object user(w.out);
  if (w.reads.has(Field::user_id)) user.text("id", principal.id);
  if (w.reads.has(Field::user_name)) user.text("name", principal.name);
  if (w.reads.has(Field::user_kind)) user.text("kind", kind_name(principal.kind));
  if (w.reads.has(Field::user_roles)) {
    user.key("roles");
    if (w.caller != nullptr) w.out += w.caller->role_names();
    else list(w.out, rbac::all_roles(principal, *w.snapshot.roles));
  }
  if (w.reads.has(Field::user_groups)) {
    user.key("groups");
    list(w.out, principal.groups);
  }
  if (w.reads.has(Field::user_permissions)) {
    user.key("permissions");
    texts(w.out, [&](auto&& add) {
      for (std::size_t i = 0; i < kPermissionNames.size(); ++i) {
        if (w.held.has(static_cast<Permission>(i))) add(kPermissionNames[i]);
      }
    });
  }
  user.close();
}

void write_labels(const Writing& w) {
  texts(w.out, [&](auto&& add) { each_label(w.snapshot, w.request, add); });
}

// The server says of its own tool what it likes: a document of its own, so that it says nothing of anything else. What
// cannot be read makes the input none, and the answer a no.
void write_untrusted(const Writing& w, const ToolRecord& tool) {
  Object untrusted(w.out);
  const auto raw = json::member(tool.definition, "annotations");
  if (raw && json::is_object(*raw)) {
    const auto annotations = json::read_upstream_document(*raw);
    untrusted.key("annotations");
    w.out += annotations ? annotations->text() : std::string_view("unreadable");
  }
  untrusted.close();
}

void write_tool(const Writing& w, std::string_view server_name, std::string_view tool_name) {
  const ToolRecord* tool = w.request.tool;
  const ServerRecord* server = w.request.server;
  Object object(w.out);
  if (w.reads.has(Field::tool_name)) object.text("name", tool_name);
  if (w.reads.has(Field::tool_server)) object.text("server", server_name);
  if (w.reads.has(Field::tool_security_level)) {
    object.key("security_level");
    number(w.out, tool != nullptr ? tool->security_level : server->security_level);
  }
  if (w.reads.has(Field::tool_required)) {
    object.key("required");
    list(w.out, tool != nullptr ? tool->required : server->required);
  }
  if (w.reads.has(Field::tool_labels)) {
    object.key("labels");
    list(w.out, tool != nullptr ? tool->labels : server->labels);
  }
  if (w.reads.has(Field::tool_pin) && tool != nullptr)
    object.text("pin", tool->registration ? "registered" : "approved");
  if (w.reads.has(Field::tool_untrusted) && tool != nullptr) {
    object.key("untrusted");
    write_untrusted(w, *tool);
  }
  object.close();
}

void write_object(const Writing& w, Object& input) {
  const ToolRecord* tool = w.request.tool;
  const ServerRecord* server = w.request.server;
  if (tool == nullptr && server == nullptr) return;
  const std::string_view server_name = tool != nullptr ? std::string_view(tool->server) : std::string_view(server->name);
  const std::string_view tool_name = tool != nullptr ? std::string_view(tool->name) : std::string_view();
  if (w.reads.has(Field::server)) input.text("server", server_name);
  if (w.reads.below("tool")) {
    input.key("tool");
    write_tool(w, server_name, tool_name);
  }
  if (w.reads.has(Field::resource)) {
    input.text("resource", std::string("tool:").append(server_name).append("/").append(tool_name));
  }
}

void write_time(WallTime now, std::string& out) {
  using namespace std::chrono;
  const auto day = floor<days>(now);
  const year_month_day date(day);
  const hh_mm_ss clock(now - day);
  std::array<char, 40> text{};
  const int size =
      std::snprintf(text.data(), text.size(), "\"%04d-%02u-%02uT%02d:%02d:%02d.%06dZ\"", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  if (size > 0) out.append(text.data(), std::min(static_cast<std::size_t>(size), text.size() - 1));
}

}  // namespace

std::string_view Caller::role_names() {
  if (!written_) {
    names_.clear();
    list(names_, held_.all());
    written_ = true;
  }
  return names_;
}

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
                 std::string& out, Caller* caller) {
  out.clear();
  const Writing w{snapshot, request, held, reads, out, caller};
  Object input(out);
  if (reads.below("user")) {
    input.key("user");
    write_user(w);
  }
  if (reads.has(Field::labels)) {
    input.key("labels");
    write_labels(w);
  }
  if (reads.has(Field::action)) input.text("action", action_name(request.action));
  if (reads.has(Field::permission)) input.text("permission", name_of(request.action));
  if (reads.has(Field::phase)) input.text("phase", request.phase == Phase::list ? "list" : "call");
  if (const auto method = method_of(request); reads.has(Field::method) && !method.empty()) input.text("method", method);
  if (reads.has(Field::granted)) {
    input.key("granted");
    out += held.has(request.action) ? "true" : "false";
  }
  write_object(w, input);
  if (reads.has(Field::address)) input.text("address", request.remote_address);
  if (reads.has(Field::protocol)) input.text("protocol", request.protocol_version);
  if (reads.has(Field::time)) {
    input.key("time");
    write_time(request.now, out);
  }
  input.close();
}

}  // namespace sallyport::decide_internal
