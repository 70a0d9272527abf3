// A policy to begin with, made from the tools that are approved.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <ostream>

#include "cli/context.h"

namespace sallyport::cli {
namespace {

constexpr std::string_view kEnding = ".rego";

// A new file; what is there stays.
Result<void> write_new(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return fail(Code::io, path + ": " + std::strerror(errno));
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  const bool whole = ::close(fd) == 0 && text.empty();
  return whole ? Result<void>() : fail(Code::io, path + " could not be written in full");
}

std::string text_of(json::Value root, std::string_view name) {
  const json::Value files = root.find("files").value_or(json::Value());
  for (const json::Value file : files.elements()) {
    if (file.string_at("name") == name) return std::string(file.string_at("text").value_or(""));
  }
  return "";
}

int write_files(const Context& c, json::Value root) {
  const std::string& path = c.options.output;
  const std::string stem = path.substr(0, path.size() - kEnding.size());
  // The folder replaces what ships as a whole, so admin_access has to be in it too.
  const std::filesystem::path admin = std::filesystem::path(path).parent_path() / "admin_access.rego";
  std::vector<std::pair<std::string, std::string>> files{{path, text_of(root, "tool_access.rego")},
                                                         {stem + "_test.rego", text_of(root, "tool_access_test.rego")}};
  std::error_code ec;
  if (!std::filesystem::exists(admin, ec)) files.emplace_back(admin.string(), text_of(root, "admin_access.rego"));
  for (const auto& [name, text] : files) {
    if (std::filesystem::exists(name, ec))
      return c.fail_with(kFailure, name + " is there already", "name another file with -o");
  }
  for (const auto& [name, text] : files) {
    if (const auto written = write_new(name, text); !written)
      return c.fail_with(kFailure, written.error().detail, "name a file in a folder that you may write to");
    c.io.out << "wrote " << printable(name, 4000) << "\n";
  }
  return kOk;
}

}  // namespace

int run_policy_scaffold(const Context& c) {
  const Options& o = c.options;
  if (!o.output.empty() && (!o.output.ends_with(kEnding) || o.output.ends_with("_test.rego")))
    return c.fail_with(kUsage, "a policy is a file *.rego that is no *_test.rego", "-o policies/tool_access.rego");
  const auto answer = c.api("GET", "/api/v1/policies/scaffold" + query({{"server", o.server}}));
  if (o.output.empty() || o.json || !answer || exit_of_status(answer->status) != kOk)
    return finish(c, answer, [](json::Value root) { return text_of(root, "tool_access.rego"); });
  const auto document = json::read_upstream_document(answer->body, {.bytes_max = 64U << 20});
  if (!document) return c.fail_with(kFailure, "the gateway answered with what is no JSON");
  return write_files(c, document->root());
}

}  // namespace sallyport::cli
