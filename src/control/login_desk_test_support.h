// A store of login sessions for the tests of the desk and of accounts. Tests only.
#pragma once

#include <map>
#include <string>

#include "control/login_desk.h"

namespace sallyport::control::testing {

// Sessions in memory, as a store that can fail.
class FakeSessions final : public SessionStore {
 public:
  Result<void> put_session(const StoredSession& session) override {
    if (fails) return fail(Code::storage, "disk full");
    hashes[session.session->id] = session.refresh_hash;
    ++puts;
    return {};
  }
  Result<void> delete_sessions(std::span<const std::string> ids) override {
    if (fails) return fail(Code::storage, "disk full");
    for (const auto& id : ids) hashes.erase(id);
    return {};
  }
  Result<void> touch_sessions(std::span<const LoginSessionPtr> sessions) override {
    touched += sessions.size();
    return {};
  }
  std::map<std::string, std::string> hashes;
  std::size_t touched = 0;
  int puts = 0;
  bool fails = false;
};

}  // namespace sallyport::control::testing
