// What root goes by when it starts on a home that somebody else may write to: who it becomes, and with whose eyes it reads what
// lies there. Whoever runs as the service user can change the home's sallyport.yaml; as whom root goes on, and what root
// reads before, is not theirs to choose. Main thread, before any other thread exists.
#pragma once

#include <optional>
#include <string>

#include "app/privileges.h"
#include "config/config.h"

namespace sallyport::app {

// As config::load. Root reads with the eyes of whom the home, or else the settings file, belongs to, unless both the file and
// its folder are root's own; what root put into such a home is handed to its owner first.
Result<config::Settings> load_settings(const std::string& home, const std::optional<std::string>& config,
                                       const config::Environment& environment);

struct ServiceUser {
  RunAs run_as;
  uid_t owner = 0;  // whose the home was when that was decided; for give_home()
  std::string note;  // why it is not whom the settings name; empty: it is
};

// The user that the home belongs to; the one of sandbox.run_as where the home is root's or not there, or where root alone can
// have said it: in the environment, or in a settings file that is, as its folder, root's own. Code::config: somebody else's
// settings name one for a home of root; no such user.
Result<ServiceUser> service_user(const config::Settings& settings);

}  // namespace sallyport::app
