// Inside config only: the stages of a load. File and environment give values by path; then the rows apply them; then
// what only several settings together can be wrong about is checked.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/mistakes.h"
#include "config/table.h"
#include "config/yaml.h"

namespace sallyport::config {

struct Given {
  Value value;
  std::string source;  // "sallyport.yaml:12", "env NAME"
};
using GivenValues = std::map<std::string, Given, std::less<>>;  // by path

struct FileServer {
  ServerSetting setting;
  GivenValues given;
};

void read_file(const Node& root, GivenValues& given, std::vector<FileServer>& servers, Mistakes& mistakes);
// One entry of `servers`.
FileServer read_server(const Node& node, Mistakes& mistakes);
// `prefix` is what stands before the keys of `node` in messages ("servers").
void refuse_unknown(std::string_view prefix, const Entry& entry, const std::vector<std::string>& known,
                    const std::vector<std::string>& elsewhere, Mistakes& mistakes);

void read_environment(const Environment& environment, GivenValues& given, std::vector<std::string>& warnings,
                      Mistakes& mistakes);

// Unsafe combinations (C3, C15, C16, C24, C26) and secrets.
void check_together(Settings& settings, const GivenValues& given, const Environment& environment, Mistakes& mistakes);
void check_servers(const std::vector<FileServer>& servers, Mistakes& mistakes);

}  // namespace sallyport::config
