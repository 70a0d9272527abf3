#include "cli/context.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <ostream>

#include "cli/client.h"
#include "json/canonical.h"

namespace sallyport::cli {
namespace {

// An error of the gateway, or a failure on the way to it.
int exit_of_error(const Error& error) {
  switch (error.code) {
    case Code::upstream_unavailable:
    case Code::upstream_timeout: return kUnreachable;
    case Code::access_denied:
    case Code::unauthenticated: return kDenied;
    case Code::not_found: return kNotFound;
    default: return kFailure;
  }
}

// Where an order may have been carried out, its own list says so, or the audit.
std::string fix_of(const Context& context, Code code) {
  if (code == Code::upstream_unavailable)
    return "start the gateway: sallyport --home " + context.options.home + " serve";
  if (code != Code::upstream_timeout) return "";
  constexpr std::array<std::string_view, 10> kListed{"server",  "user",    "key",   "group", "role",
                                                     "toolset", "session", "certs", "vault", "backup"};
  const std::string noun = context.options.command.substr(0, context.options.command.find(' '));
  const bool listed = std::ranges::find(kListed, noun) != kListed.end();
  return "look before it is ordered again: sallyport --home " + context.options.home + " " +
         (listed ? noun + " list" : "audit tail");
}

int print_refusal(const Context& context, const ApiAnswer& answer, json::Value root) {
  const json::Value error = root.find("error").value_or(json::Value());
  std::string text = printable(error.string_at("message").value_or("the gateway refused"), 1000);
  const std::string details = cell_text(root, "error.details");
  if (!details.empty() && details != "{}") text += " (" + printable(details, 1000) + ")";
  std::string fix;
  if (answer.status == 429) fix = "wait and try again";
  if (answer.status == 401 || answer.status == 403)
    fix = "run it as the owner of the home, or as one who is allowed to";
  return context.fail_with(exit_of_status(answer.status), text + " [" + std::to_string(answer.status) + "]", fix);
}

}  // namespace

Result<ApiAnswer> Context::api(std::string_view method, const std::string& path, std::string_view body) const {
  // An order that a gateway may have taken is never given twice.
  auto answer = request_over_socket(options.home, method, path, body);
  if (answer || answer.error().code != Code::upstream_unavailable || !hooks.local_request) return answer;
  return hooks.local_request(options.home, method, path, body);
}

Result<ApiAnswer> Context::server_api(std::string_view method, const std::string& path, std::string_view body) const {
  return request_over_socket(options.home, method, path, body);
}

int Context::fail_with(int code, std::string_view what, std::string_view fix) const {
  io.err << "sallyport: " << what << "\n";
  if (!fix.empty()) io.err << "  fix: " << fix << "\n";
  return code;
}

int finish(const Context& context, const Result<ApiAnswer>& answer, const Render& render) {
  if (!answer) {
    const int code = exit_of_error(answer.error());
    const std::string what =
        answer.error().detail.empty() ? std::string(info(answer.error().code).public_text) : answer.error().detail;
    return context.fail_with(code, printable(what, 2000), fix_of(context, answer.error().code));
  }
  const auto document =
      answer->body.empty() ? json::read("{}") : json::read_upstream_document(answer->body, {.bytes_max = 64U << 20});
  if (!document)
    return context.fail_with(kFailure,
                             "the gateway answered with what is no JSON [" + std::to_string(answer->status) + "]");
  const int code = exit_of_status(answer->status);
  if (context.options.json) {
    if (!answer->body.empty()) context.io.out << json::pretty(document->text()) << "\n";
    return code;
  }
  if (code != kOk) return print_refusal(context, *answer, document->root());
  context.io.out << render(document->root());
  return kOk;
}

Render list_of(const Context& context, std::vector<Column> columns, std::string_view nothing) {
  return [&context, columns = std::move(columns), nothing](json::Value root) {
    const json::Value data = root.is_array() ? root : root.find("data").value_or(json::Value());
    if (data.size() == 0) return std::string(nothing) + "\n";
    std::string out = render_table(data, columns, context.io.colour);
    const json::Value page = root.find("pagination").value_or(json::Value());
    if (page.find("has_next").value_or(json::Value()).as_bool() == true) {
      const std::int64_t next =
          page.find("offset").value_or(json::Value()).as_int64().value_or(0) + static_cast<std::int64_t>(data.size());
      out += std::to_string(data.size()) + " of " + cell_text(page, "total") + "; more with --offset " +
             std::to_string(next) + "\n";
    }
    return out;
  };
}

Render list_of_tools(const Context& context, std::string_view nothing) {
  return list_of(context,
                 {{"exposed_name", "NAME", 48},
                  {"server", "SERVER", 32},
                  {"status", "STATUS"},
                  {"security_level", "LEVEL"},
                  {"description", "DESCRIPTION", 70}},
                 nothing);
}

Render details(const Context& context) {
  return [&context](json::Value root) {
    const auto data = root.find("data");
    return render_value(data && root.size() == 1 ? *data : root, context.io.colour);
  };
}

std::string url_encode(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) out += c;
    else out.append({'%', kHex[byte >> 4U], kHex[byte & 15U]});
  }
  return out;
}

std::string query(std::initializer_list<std::pair<std::string_view, std::string>> parameters) {
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (!value.empty()) out += (out.empty() ? "?" : "&") + std::string(name) + "=" + url_encode(value);
  }
  return out;
}

void write_names(json::Writer& w, std::string_view key, const std::vector<std::string>& names) {
  if (names.empty()) return;
  w.key(key).array();
  for (const std::string& name : names) w.value(name);
  w.end_array();
}

void write_list(json::Writer& w, std::string_view key, const std::vector<std::string>& names, bool none) {
  if (none) w.key(key).array().end_array();
  else write_names(w, key, names);
}

std::string page(const Options& o) {
  return query({{"limit", std::to_string(o.limit)}, {"offset", std::to_string(o.offset)}});
}

std::string find_program(const std::string& name, const config::Environment& environment) {
  const auto usable = [](const std::string& path) {
    std::error_code ec;
    return std::filesystem::is_regular_file(path, ec) && ::access(path.c_str(), X_OK) == 0;
  };
  if (name.find('/') != std::string::npos) {
    std::error_code ec;
    const std::string path = std::filesystem::absolute(name, ec).lexically_normal().string();
    return usable(path) ? path : "";
  }
  const auto found = environment.find("PATH");
  std::string_view rest =
      found == environment.end() ? std::string_view("/usr/local/bin:/usr/bin:/bin") : std::string_view(found->second);
  while (!rest.empty() && !name.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
    if (folder.starts_with('/') && usable(std::string(folder) + "/" + name)) return std::string(folder) + "/" + name;
  }
  return "";
}

}  // namespace sallyport::cli
