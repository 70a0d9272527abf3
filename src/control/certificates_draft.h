// A change of the authority's folder that is not written yet. Internal to Certificates.
#pragma once

#include "control/certificates.h"

namespace sallyport::control {

struct Certificates::Draft {
  CertificateIndex index;
  std::vector<CertificateFile> files;
  std::optional<crypto::Certificate> authority;  // a new one
  Secret new_key;  // and its key
  bool list_anew = false;  // the revocation list changes with it
};

}  // namespace sallyport::control
