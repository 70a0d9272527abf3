// Inside config only: one scalar, list or map of the file, or one text of the environment, read as a row says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/table.h"
#include "config/yaml.h"

namespace sallyport::config {

struct Wrong {
  std::string reason, fix;
};
using ReadValue = std::variant<Value, Wrong>;

ReadValue value_of_node(const RowBase& row, const Node& node);
ReadValue value_of_text(const RowBase& row, std::string_view text, std::int64_t scale = 1);

// Exactly one ${env:NAME}, ${file:path}, ${dir:NAME} or ${vault:name}.
bool is_reference(std::string_view text);

// Checks of texts, for the table.
std::string check_address(std::string_view text);
std::string check_host(std::string_view text);
std::string check_origin(std::string_view text);
std::string check_cidr(std::string_view text);
std::string check_storage_url(std::string_view text);
std::string check_server_name(std::string_view text);
std::string check_folder_rule(std::string_view text);
std::string check_forward(std::string_view text);
std::string check_label(std::string_view text);
std::string check_prefix(std::string_view text);
std::string check_http_url(std::string_view text);
std::string check_pem_path(std::string_view text);
std::string check_pin(std::string_view text);
std::string check_key_reference(std::string_view text);
bool is_loopback_address(std::string_view address);

}  // namespace sallyport::config
