// Runs a coroutine to its end on an io_context of its own. Tests only.
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include "core/task.h"

namespace sallyport {

template <class T>
T await(Task<T> task) {
  asio::io_context io;
  std::optional<T> out;
  asio::co_spawn(io.get_executor(), std::move(task), [&out](const std::exception_ptr& error, T value) {
    if (error) std::rethrow_exception(error);
    out.emplace(std::move(value));
  });
  io.run();
  return std::move(out.value());
}

}  // namespace sallyport
