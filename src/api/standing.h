// How a handler changes things: on the control executor, and only if its caller still stands there. Internal to api.
#pragma once

#include <utility>

#include "api/route.h"
#include "control/standing.h"

namespace sallyport::api {

template <class T>
Task<Result<T>> if_standing(const ApiDeps& deps, PrincipalPtr caller, Task<Result<T>> task) {
  SP_CO_CHECK(control::still_stands(*deps.control.snapshot(), *caller, deps.clock.wall()));
  co_return co_await std::move(task);
}

// As run_on the control executor; errors of still_stands() beside those of `task`, which has then not begun. The route is not public.
template <class T>
Task<Result<T>> run_for_caller(Call& call, Task<Result<T>> task) {
  ApiDeps& deps = call.api.deps();
  return run_on<T>(deps.control.executor(), if_standing<T>(deps, call.request.principal, std::move(task)));
}

}  // namespace sallyport::api
