// Handlers of backups. Internal to api.
#pragma once

#include "api/route.h"

namespace sallyport::api {

Task<RestAnswer> list_backups(Call& call);
Task<RestAnswer> make_backup(Call& call);
Task<RestAnswer> verify_backup(Call& call);

}  // namespace sallyport::api
