// Tests only: a command line run against an API that answers from a table, and what it printed.
#pragma once

#include <filesystem>
#include <map>
#include <sstream>

#include "cli/cli.h"

namespace sallyport::cli {

class FakeApi {
 public:
  explicit FakeApi(const std::string& name)
      : home((std::filesystem::temp_directory_path() / ("sp_cli_" + name + std::to_string(::getpid()))).string()) {
    std::filesystem::remove_all(home);
    std::filesystem::create_directories(home);
    hooks.version = "1.2.3";
    hooks.local_request = [this](const std::string& of, std::string_view method, std::string_view path,
                                 std::string_view body) -> Result<ApiAnswer> {
      EXPECT_EQ(of, home);
      const std::string call = std::string(method) + " " + std::string(path);
      calls.push_back(call + (body.empty() ? "" : " " + std::string(body)));
      const auto found = answers.find(call);
      if (found == answers.end())
        return ApiAnswer{404, R"({"error":{"code":"not_found","message":"There is no such thing","details":{}}})"};
      return found->second;
    };
  }
  ~FakeApi() { std::filesystem::remove_all(home); }

  int run(std::vector<std::string> words, const std::string& input = "") {
    std::vector<const char*> argv{"sallyport", "--home", home.c_str()};
    for (const std::string& word : words) argv.push_back(word.c_str());
    std::istringstream in(input);
    std::ostringstream out_stream;
    std::ostringstream err_stream;
    Io io{in, out_stream, err_stream, false, interactive, environment, false, terminal};
    const int code = cli::run(static_cast<int>(argv.size()), argv.data(), hooks, io);
    out = out_stream.str();
    err = err_stream.str();
    return code;
  }

  std::string home;
  Hooks hooks;
  config::Environment environment{{"PATH", "/usr/bin:/bin"}, {"HOME", "/home/ada"}};
  std::map<std::string, ApiAnswer> answers;
  bool interactive = false, terminal = false;  // stdin, stdout
  std::vector<std::string> calls;
  std::string out, err;
};

}  // namespace sallyport::cli
