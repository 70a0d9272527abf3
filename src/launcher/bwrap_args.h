// The arguments of bubblewrap for one server, as a list; pure. They are handed over by descriptor (--args FD), because
// they hold the values of the environment, which must not show in `ps`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "launcher/view.h"

namespace sallyport::launcher {

struct BwrapFds {
  int seccomp = -1;
  int passwd = -1;
};

// Everything that stands before `-- program`.
std::vector<std::string> bwrap_args(const LaunchSpec& spec, const View& view, BwrapFds fds);

// A passwd file with one line, for the user `uid` that runs the server.
std::string minimal_passwd(unsigned uid, unsigned gid);

}  // namespace sallyport::launcher
