#include "launcher/launch_spec.h"

namespace sallyport::launcher {

const char* confinement_name(Confinement confinement) noexcept {
  switch (confinement) {
    case Confinement::bubblewrap: return "bubblewrap";
    case Confinement::landlock: return "landlock";
    case Confinement::rlimits: break;
  }
  return "rlimits";
}

}  // namespace sallyport::launcher
