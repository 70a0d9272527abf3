// Result<T>: the value or an Error. No exception crosses a module border; one thrown by a library becomes a Result where
// it arises (style.md, rule 1).
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "core/error.h"

namespace sallyport {

template <class T>
using Result = std::expected<T, Error>;

// `return fail(Code::io, "open audit: No space left on device");`
[[nodiscard]] inline std::unexpected<Error> fail(Code code, std::string detail = {}) {
  return std::unexpected<Error>(Error{code, std::move(detail)});
}
[[nodiscard]] inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }

}  // namespace sallyport

// `SP_TRY(auto x, expr);` binds the value or returns the error; `SP_CHECK(expr);` for Result<void>.
// The co_ forms are for coroutines.
#define SP_CAT2(a, b) a##b
#define SP_CAT(a, b) SP_CAT2(a, b)
#define SP_TRY_(tmp, decl, expr, ret) \
  auto tmp = (expr);                  \
  if (!tmp) ret ::sallyport::fail(std::move(tmp).error()); \
  decl = std::move(*tmp)
#define SP_TRY(decl, expr) SP_TRY_(SP_CAT(sp_try_, __LINE__), decl, expr, return)
#define SP_CO_TRY(decl, expr) SP_TRY_(SP_CAT(sp_try_, __LINE__), decl, expr, co_return)
#define SP_CHECK(expr) \
  if (auto sp_check = (expr); !sp_check) return ::sallyport::fail(std::move(sp_check).error())
#define SP_CO_CHECK(expr) \
  if (auto sp_check = (expr); !sp_check) co_return ::sallyport::fail(std::move(sp_check).error())
