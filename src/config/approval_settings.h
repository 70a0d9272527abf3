// The settings of human approval (docs/policy.md). A part of Settings (config/settings.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sallyport::config {

struct ApprovalSettings {
  std::chrono::seconds pending{900};
  std::chrono::seconds valid{600};
  bool four_eyes = true;
  std::uint32_t per_principal = 16;
  std::uint32_t total = 256;
  std::uint32_t arguments_bytes = 65'536;
  std::string base_url;  // of links; empty: the gateway's own address
  std::string webhook;   // empty: none
  std::string webhook_secret;  // reference
  bool webhook_allow_private = false;
  bool webhook_arguments = false;
  friend bool operator==(const ApprovalSettings&, const ApprovalSettings&) = default;
};

}  // namespace sallyport::config
