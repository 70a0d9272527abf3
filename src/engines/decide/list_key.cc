#include "engines/decide/list_key.h"

#include "engines/decide/input.h"

namespace sallyport::decide_internal {
namespace {

// With its length before it, so that no text reads as two others.
void add(std::string& key, std::string_view text) { key.append(std::to_string(text.size())).append(":").append(text); }

void add(std::string& key, std::uint64_t number) { key.append(std::to_string(number)).append(","); }

void add(std::string& key, const std::vector<std::string>& texts) {
  add(key, texts.size());
  for (const std::string& text : texts) add(key, text);
}

}  // namespace

std::string list_key(const Snapshot& snapshot, const AccessRequest& request, const policy::Reads& reads,
                     Caller& caller) {
  const Principal& principal = request.principal;
  std::string key;
  write_input(snapshot, request, {}, reads, key, &caller);
  add(key, static_cast<std::uint64_t>(request.channel));
  add(key, static_cast<std::uint64_t>(request.action));
  add(key, principal.must_change_password ? 1U : 0U);
  add(key, principal.must_enroll ? 1U : 0U);
  add(key, principal.permissions.bits());
  add(key, principal.roles);
  add(key, principal.dotted);
  add(key, principal.grants.size());
  for (const Grant& grant : principal.grants) {
    add(key, static_cast<std::uint64_t>(grant.permission));
    add(key, grant.server);
    add(key, grant.tool);
  }
  return key;
}

}  // namespace sallyport::decide_internal
