#include "engines/decide/memo.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <string_view>

namespace sallyport::decide_internal {
namespace {

bool same_principal(const Principal& a, const Principal& b) noexcept {
  return a.id == b.id && a.kind == b.kind && a.permissions == b.permissions &&
         a.must_change_password == b.must_change_password && a.must_enroll == b.must_enroll && a.roles == b.roles &&
         a.grants == b.grants && a.dotted == b.dotted && a.name == b.name;
}

struct Object {
  bool present = false;
  std::string_view server;
  std::string_view tool;
  int security_level = 0;
  const std::vector<std::string>* required = nullptr;
};

Object object_of(const AccessRequest& request) noexcept {
  if (const ToolRecord* tool = request.tool) {
    return {true, tool->server, tool->name, tool->security_level, &tool->required};
  }
  if (const ServerRecord* server = request.server) return {true, server->name, {}, server->security_level, &server->required};
  return {};
}

}  // namespace

Memo::Memo(std::size_t entries) : entries_(entries == 0 ? 0 : std::bit_ceil(std::min<std::size_t>(entries, 1U << 20U))) {}

std::size_t Memo::place(const AccessRequest& request) const noexcept {
  const Object object = object_of(request);
  const std::hash<std::string_view> hash;
  std::size_t h = hash(request.principal.id);
  h = std::rotl(h, 21) ^ hash(object.server);
  h = std::rotl(h, 21) ^ hash(object.tool);
  h ^= static_cast<std::size_t>(request.action) << 4U ^ static_cast<std::size_t>(request.phase) << 2U ^
       static_cast<std::size_t>(request.channel);
  return h & (entries_.size() - 1);
}

bool Memo::same_object(const Entry& entry, const AccessRequest& request) noexcept {
  const Object object = object_of(request);
  if (entry.has_object != object.present) return false;
  return !object.present || (entry.tool == object.tool && entry.server == object.server &&
                             entry.security_level == object.security_level && entry.required == *object.required);
}

const Decision* Memo::find(const Snapshot& snapshot, const AccessRequest& request) const {
  if (entries_.empty()) return nullptr;
  const Entry& entry = entries_[place(request)];
  // A call without arguments may be remembered where one with arguments may not.
  const bool same = entry.used && entry.with_arguments == request.arguments_json.has_value() && entry.epoch == snapshot.epoch && entry.action == request.action &&
                    entry.phase == request.phase && entry.channel == request.channel && same_object(entry, request) &&
                    same_principal(entry.principal, request.principal);
  return same ? &entry.decision : nullptr;
}

void Memo::store(const Snapshot& snapshot, const AccessRequest& request, const Decision& decision) {
  if (entries_.empty()) return;
  const Object object = object_of(request);
  Entry& entry = entries_[place(request)];
  entry = Entry{true, request.arguments_json.has_value(), snapshot.epoch, request.action, request.phase, request.channel,
                request.principal, object.present,
                std::string(object.server), std::string(object.tool), object.security_level,
                object.required != nullptr ? *object.required : std::vector<std::string>{}, decision};
}

void Memo::clear() {
  for (Entry& entry : entries_) entry.used = false;
}

}  // namespace sallyport::decide_internal
