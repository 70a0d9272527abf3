// Names of secrets that are kept elsewhere (S4-17), as they stand behind the colon of a reference:
//   ${kv:MOUNT/PATH#FIELD}   a field of a KV version 2 secret of HashiCorp Vault or OpenBao; @N behind it names a version
//   ${aws:NAME#FIELD}        a field of a JSON secret of AWS Secrets Manager; without #FIELD the whole text
// Strict: what is not written so is refused before anything is asked. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sallyport::control {

struct RemoteReference {
  std::string mount;  // kv
  std::string path;   // kv: below the mount; aws: the name or the ARN
  std::string field;  // empty: aws, the whole text
  std::optional<std::uint32_t> version;  // kv; none: the newest
};

// Code::config with the form that is wanted.
[[nodiscard]] Result<RemoteReference> parse_kv_reference(std::string_view name);
[[nodiscard]] Result<RemoteReference> parse_aws_reference(std::string_view name);

// The field of a JSON object's text, or the text itself where `field` is empty. A number or a boolean is given as it is
// written. Code::not_found where it has no such field, Code::upstream_protocol where it is no object, or the field an
// object, an array or null.
[[nodiscard]] Result<std::string> field_of(std::string_view json, std::string_view field);

}  // namespace sallyport::control
