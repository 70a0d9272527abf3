// Any bytes as a client's settings file: servers or an error, no secret-looking value left where it stood.
#include "cli/import_read.h"
#include "cli/import_secrets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sallyport::cli;
  auto file = read_client_file(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!file) return 0;
  for (ImportedServer& server : file->servers) {
    if (!server.skip.empty()) continue;
    for (const FoundSecret& secret : take_secrets(server, {{"HOME", "/h"}})) {
      if (secret.file.empty() || secret.file.find('/') != std::string::npos || secret.file.starts_with('.'))
        __builtin_trap();
    }
    for (const auto& [name, value] : server.env) {
      if (sallyport::config::looks_like_secret(name, value)) __builtin_trap();
    }
  }
  return 0;
}
