// The handlers about the built-in certificate authority (certificates.cc); routes.cc names each once. Internal to api.
#pragma once

#include "api/route.h"

namespace sallyport::api {

Task<RestAnswer> list_certificates(Call& call);
Task<RestAnswer> show_certificate(Call& call);
Task<RestAnswer> show_authority(Call& call);
Task<RestAnswer> init_authority(Call& call);
Task<RestAnswer> issue_certificate(Call& call);
Task<RestAnswer> renew_certificate(Call& call);
Task<RestAnswer> revoke_certificate(Call& call);

}  // namespace sallyport::api
