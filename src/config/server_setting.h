// A tool server declared in sallyport.yaml: field by field the operator's part of model/server.h. A plain value inside
// Settings; the control plane registers it at the start.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sallyport::config {

struct UpstreamTlsSetting {
  std::string ca;
  std::vector<std::string> pins;
  std::string client_certificate;
  std::string client_key;
};

struct ServerSetting {
  std::string name;
  std::string transport = "stdio";  // stdio, http
  std::vector<std::string> command;
  std::string working_directory;
  std::map<std::string, std::string> env;
  std::vector<std::string> paths;
  bool network = false;
  std::string url;
  std::map<std::string, std::string> headers, query, files;
  bool allow_private = false;
  UpstreamTlsSetting tls;
  std::string prefix;  // default: the name
  bool shared = false;
  bool enabled = true;
  std::uint32_t security_level = 1;
  std::vector<std::string> required;
  std::vector<std::string> labels;
  std::vector<std::string> forwards = {"elicitation", "sampling"};
  std::chrono::seconds call_timeout{30};
  std::chrono::seconds start_timeout{10};
  std::uint64_t result_bytes = 16U << 20;
  int line = 0;  // in the file
};

enum class SandboxMode : std::uint8_t { prefer, require };

struct SandboxSettings {
  SandboxMode mode = SandboxMode::prefer;
  std::string run_as = "sallyport";  // the user that `serve` drops to when root starts it
  friend bool operator==(const SandboxSettings&, const SandboxSettings&) = default;
};

}  // namespace sallyport::config
