// Which user the process is. Started by root it becomes the service user before it opens anything; commands that only
// read a home become its owner. Main thread, before any other thread exists.
#pragma once

#include <sys/types.h>

#include <string>

#include "core/result.h"

namespace sallyport::app {

struct RunAs {
  uid_t uid = 0;
  gid_t gid = 0;
};

// The user `name`; Code::config where it is missing or root, naming the fix.
Result<RunAs> user_of(const std::string& name);
// May this folder be a home? It is not there yet, is empty, or is one already: its mode and owner will be changed.
Result<void> check_home(const std::string& home);
// Hands the home and what lies inside it to `to`, never through a link. It is looked at once it is open, so that nothing else can
// be put in its place meanwhile: it may be a home, and belongs to `owner` (0: root) or to `to`; what in it is a third one's stays
// theirs. Code::config.
Result<void> give_home(const std::string& home, RunAs to, uid_t owner = 0);
// Gives up root for good, and checks that the home can still be reached.
Result<void> drop_to(RunAs to, const std::string& home);
// No core file, nothing of memory in one that is forced (core(5): coredump_filter), and no look into our memory, environment or
// descriptors by others of the same user (PR_SET_DUMPABLE, proc(5)).
Result<void> keep_memory_private();
// Root becomes the owner of the home; anyone else stays who they are.
Result<void> become_owner(const std::string& home);

}  // namespace sallyport::app
