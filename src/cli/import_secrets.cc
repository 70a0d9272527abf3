#include "cli/import_secrets.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "core/encoding.h"

namespace sallyport::cli {
namespace {

std::string file_name(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool good =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (good) out += c;
    else if (!out.empty() && out.back() != '_') out += '_';
  }
  while (out.starts_with('-') || out.starts_with('_')) out.erase(0, 1);
  return out.substr(0, 80);
}

std::string standard_base64(std::string_view text) {
  std::string out = base64url_encode(as_bytes(text));
  for (char& c : out) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (out.size() % 4 != 0) out += '=';
  return out;
}

class Taker {
 public:
  Taker(ImportedServer& server, const config::Environment& environment) : s_(server), environment_(environment) {}

  std::vector<FoundSecret> run() {
    for (auto& [name, value] : s_.env) value = named(name, value);
    for (auto& [name, value] : s_.headers) value = header(name, value);
    arguments();
    url();
    if (!s_.working_directory.empty()) s_.working_directory = variables(s_.working_directory, "cwd");
    return std::move(found_);
  }

 private:
  std::string reference(std::string_view name, std::string value) {
    std::string file = s_.name + "_" + file_name(name);
    for (int i = 2; std::ranges::any_of(found_, [&](const FoundSecret& f) { return f.file == file; }); ++i) {
      file = s_.name + "_" + file_name(name) + "_" + std::to_string(i);
    }
    found_.push_back({file, Secret(std::move(value))});
    return "${file:secrets/" + file + "}";
  }

  // ${env:X} is ours as well; ${input:X} asks a person; ${userHome} is known; anything else belongs to the editor.
  std::string variables(const std::string& text, std::string_view name) {
    std::string out;
    std::string_view rest = text;
    while (!rest.empty()) {
      const auto at = std::min(rest.find("${"), rest.size());
      out += rest.substr(0, at);
      rest.remove_prefix(at);
      const auto end = rest.find('}');
      if (rest.empty() || end == std::string_view::npos) break;
      const std::string_view inner = rest.substr(2, end - 2);
      if (inner.starts_with("env:")) {
        out += rest.substr(0, end + 1);
      } else if (inner.starts_with("input:")) {
        out += reference(name, "");
        s_.notes.push_back("put the value of '" + std::string(inner.substr(6)) + "' into secrets/" +
                           found_.back().file);
      } else if (const auto home = environment_.find("HOME"); inner == "userHome" && home != environment_.end()) {
        out += home->second;
      } else {
        s_.skip = "only its editor knows ${" + std::string(inner) + "}";
      }
      rest.remove_prefix(end + 1);
    }
    return out.append(rest);
  }

  std::string named(std::string_view name, const std::string& value) {
    if (config::has_reference(value)) return variables(value, name);
    return config::looks_like_secret(name, value) ? reference(name, value) : value;
  }

  // The scheme stays readable: "Bearer ${file:..}".
  std::string header(std::string_view name, const std::string& value) {
    for (const std::string_view scheme : {"Bearer ", "bearer ", "Basic ", "token "}) {
      if (!value.starts_with(scheme)) continue;
      const std::string credential = value.substr(scheme.size());
      if (config::has_reference(credential)) return std::string(scheme) + variables(credential, name);
      return std::string(scheme) + reference(name, credential);
    }
    return named(name, value);
  }

  void arguments() {
    std::string option;
    const std::size_t before = found_.size();
    for (std::size_t i = 1; i < s_.command.size(); ++i) {
      std::string& argument = s_.command[i];
      const auto equals = argument.find('=');
      if (equals != std::string::npos && argument.starts_with('-')) {
        argument = argument.substr(0, equals + 1) + named(argument.substr(0, equals), argument.substr(equals + 1));
      } else if (equals != std::string::npos &&
                 config::looks_like_secret(argument.substr(0, equals), argument.substr(equals + 1))) {
        argument = argument.substr(0, equals + 1) + reference(argument.substr(0, equals), argument.substr(equals + 1));
      } else if (!argument.starts_with('-')) {
        argument = named(option.empty() ? "" : std::string_view(option), argument);
      }
      option = argument.starts_with('-') && equals == std::string::npos ? argument : "";
    }
    if (found_.size() > before)
      s_.notes.emplace_back("a secret in its arguments is seen by other processes: prefer its environment");
  }

  void url() {
    if (s_.url.empty()) return;
    const auto scheme = s_.url.find("://");
    const auto slash =
        std::min(s_.url.find_first_of("/?#", scheme == std::string::npos ? 0 : scheme + 3), s_.url.size());
    const auto at = s_.url.rfind('@', slash);
    if (scheme != std::string::npos && at != std::string::npos && at > scheme) {
      s_.headers["Authorization"] =
          "Basic " + reference("Authorization", standard_base64(s_.url.substr(scheme + 3, at - scheme - 3)));
      s_.url.erase(scheme + 3, at - scheme - 2);
    }
    const auto question = s_.url.find('?');
    if (question != std::string::npos) s_.url = s_.url.substr(0, question + 1) + query(s_.url.substr(question + 1));
    else s_.url = variables(s_.url, "url");
  }

  std::string query(const std::string& text) {
    std::string out;
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::string_view pair = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
      const auto equals = pair.find('=');
      out += out.empty() ? "" : "&";
      if (equals == std::string_view::npos) out += pair;
      else
        out += std::string(pair.substr(0, equals + 1)) +
               named(pair.substr(0, equals), std::string(pair.substr(equals + 1)));
    }
    return out;
  }

  ImportedServer& s_;
  const config::Environment& environment_;
  std::vector<FoundSecret> found_;
};

std::string said(const std::string& what, const std::string& path) {
  return what + " " + path + ": " + std::strerror(errno);
}

Result<void> write_one(const std::string& path, const Secret& value, const struct stat& home,
                       std::vector<std::string>& written) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 && errno == EEXIST) {
    std::ifstream in(path, std::ios::binary);
    std::string there(std::istreambuf_iterator<char>(in), {});
    const bool same = there == value.reveal();
    wipe(there);
    if (same) return {};
    return fail(Code::already_exists,
                path + " exists and holds something else; remove it, or keep it and add the server by hand");
  }
  if (fd < 0) return fail(Code::io, said("create", path));
  written.push_back(path);
  std::string_view rest = value.reveal();
  bool good = ::geteuid() != 0 || ::fchown(fd, home.st_uid, home.st_gid) == 0;
  while (good && !rest.empty()) {
    const ssize_t n = ::write(fd, rest.data(), rest.size());
    good = n > 0;
    if (good) rest.remove_prefix(static_cast<std::size_t>(n));
  }
  good = good && ::fsync(fd) == 0;
  const std::string problem = good ? "" : said("write", path);
  ::close(fd);
  if (!good) return fail(Code::io, problem);
  return {};
}

}  // namespace

std::vector<FoundSecret> take_secrets(ImportedServer& server, const config::Environment& environment) {
  return Taker(server, environment).run();
}

Result<void> write_secrets(const std::string& home, const std::vector<FoundSecret>& secrets,
                           std::vector<std::string>& written) {
  struct stat of_home{};
  if (::stat(home.c_str(), &of_home) != 0) return fail(Code::io, said("open", home));
  const std::string folder = home + "/secrets";
  if (::mkdir(folder.c_str(), 0700) == 0) {
    if (::geteuid() == 0 && ::chown(folder.c_str(), of_home.st_uid, of_home.st_gid) != 0)
      return fail(Code::io, said("own", folder));
  } else if (errno != EEXIST) {
    return fail(Code::io, said("create", folder));
  }
  for (const FoundSecret& secret : secrets) {
    if (!secret.value.empty()) SP_CHECK(write_one(folder + "/" + secret.file, secret.value, of_home, written));
  }
  return {};
}

}  // namespace sallyport::cli
