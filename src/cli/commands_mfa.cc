// `sallyport mfa`: the second factor of a person, set up by the operator at the machine. A code comes by stdin, never on the
// command line, which others see in the list of processes.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <istream>
#include <ostream>

#include "cli/context.h"
#include "core/encoding.h"

namespace sallyport::cli {
namespace {

std::string path_of(const Context& c, std::string_view more = {}) {
  return "/api/v1/users/" + url_encode(c.options.name) + "/mfa" + std::string(more);
}

// A new file for its owner alone: it holds the secret.
bool write_file(const std::string& path, std::string_view bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  bool good = true;
  while (good && !bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    good = put > 0;
    if (good) bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return ::close(fd) == 0 && good;
}

std::string png_of(std::string_view data_uri) {
  std::string text(data_uri.substr(data_uri.find(',') + 1));
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  std::erase(text, '=');
  const auto bytes = base64url_decode(text);
  return bytes ? std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()) : std::string();
}

std::string text_of(json::Value root, std::string_view name) {
  return std::string(root.find(name).value_or(json::Value()).as_string().value_or(""));
}

int enroll(const Context& c) {
  bool written = true;
  const int code = finish(c, c.api("POST", path_of(c, "/enroll"), "{}"), [&](json::Value root) {
    if (!c.options.svg.empty()) written = write_file(c.options.svg, text_of(root, "qr_svg"));
    if (!c.options.png.empty()) written = written && write_file(c.options.png, png_of(text_of(root, "qr_png")));
    return text_of(root, "qr_text") + "\nsecret  " + text_of(root, "secret") + "\n" +
           "Scan the code or type the secret into the app, then: sallyport mfa confirm " + printable(c.options.name) +
           "\n";
  });
  if (!written)
    return c.fail_with(kFailure, "the file of the QR code could not be written", "name one that does not exist yet");
  return code;
}

std::string recovery_text(json::Value root) {
  std::string out = "Recovery codes, one use each, shown once:\n";
  for (const json::Value code : root.find("recovery_codes").value_or(json::Value()).elements()) {
    out += "  " + std::string(code.as_string().value_or("")) + "\n";
  }
  return out;
}

int confirm(const Context& c) {
  if (c.io.interactive) c.io.err << "Code of the app: " << std::flush;
  std::string code;
  std::getline(c.io.in, code);
  if (code.ends_with('\r')) code.pop_back();
  if (code.empty()) return c.fail_with(kUsage, "no code on stdin", "printf %s CODE | sallyport mfa confirm NAME");
  json::Writer w;
  w.object().member("code", code).end_object();
  return finish(c, c.api("POST", path_of(c, "/confirm"), w.text()), recovery_text);
}

}  // namespace

int run_mfa(const Context& c) {
  const std::string what = c.options.command.substr(4);
  if (what == "enroll") return enroll(c);
  if (what == "confirm") return confirm(c);
  if (what == "recovery") return finish(c, c.api("POST", path_of(c, "/recovery"), "{}"), recovery_text);
  if (what == "disable") {
    return finish(c, c.api("DELETE", path_of(c)),
                  [&](json::Value) { return "the second factor of " + printable(c.options.name) + " is gone\n"; });
  }
  return finish(c, c.api("GET", path_of(c)), details(c));
}

}  // namespace sallyport::cli
