// Asio is core's one foreign type: its alias and nothing else. Precompiled (cmake/sallyport.cmake).
#pragma once

#include <boost/asio.hpp>

namespace sallyport {
namespace asio = boost::asio;
}  // namespace sallyport
