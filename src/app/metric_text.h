// Prometheus' text format (version 0.0.4), for what few metrics app itself keeps. Pure, any thread.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::app {

// `type`: "gauge" or "counter". Samples follow.
inline void add_metric(std::string& out, std::string_view name, std::string_view help, std::string_view type) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ").append(type);
  out += "\n";
}

}  // namespace sallyport::app
