// How a handler changes things: on the control executor, and only if its caller still stands there. Internal to api.
#pragma once

#include <string>
#include <utility>

#include "api/route.h"
#include "control/gifts.h"
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

template <class T>
Task<Result<T>> if_over(const ApiDeps& deps, PrincipalPtr caller, std::string whose, Task<Result<T>> task) {
  SP_CO_CHECK(control::still_stands(*deps.control.snapshot(), *caller, deps.clock.wall()));
  SP_CO_CHECK(control::check_over(*deps.control.snapshot(), *caller, whose));
  co_return co_await std::move(task);
}

// As run_for_caller, for what is done to the sessions or the second factor of `whose` ("user:...", "key:..."): access_denied
// where they hold more than the caller (control/gifts.h). Of oneself, nothing more is asked.
template <class T>
Task<Result<T>> run_over(Call& call, std::string whose, Task<Result<T>> task) {
  ApiDeps& deps = call.api.deps();
  if (whose == call.request.principal->id) return run_for_caller<T>(call, std::move(task));
  return run_on<T>(deps.control.executor(),
                   if_over<T>(deps, call.request.principal, std::move(whose), std::move(task)));
}

}  // namespace sallyport::api
