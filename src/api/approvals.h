// The handlers about calls that wait for people (approvals.cc); routes.cc names each once. Internal to api.
#pragma once

#include "api/route.h"

namespace sallyport::api {

Task<RestAnswer> list_approvals(Call& call);
Task<RestAnswer> show_approval(Call& call);
Task<RestAnswer> approve_call(Call& call);
Task<RestAnswer> deny_call(Call& call);
Task<RestAnswer> cancel_approval(Call& call);
Task<RestAnswer> approval_page(Call& call);

}  // namespace sallyport::api
