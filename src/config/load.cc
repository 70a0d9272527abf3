#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/sources.h"
#include "config/values.h"

namespace sallyport::config {
namespace {

namespace fs = std::filesystem;

std::string absolute(const std::string& path, const std::string& base) {
  fs::path p(path);
  if (p.is_relative()) p = fs::path(base) / p;
  std::string out = p.lexically_normal().string();
  while (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return out;
}

std::string absolute_home(const std::string& home) {
  std::error_code ec;
  const fs::path current = fs::current_path(ec);
  return absolute(home, ec ? "/" : current.string());
}

Result<std::string> read_whole(const std::string& path) {
  std::error_code ec;
  if (!fs::is_regular_file(path, ec))
    return fail(Code::config, path + ": is no readable file; fix: name an existing one");
  if (fs::file_size(path, ec) > (1U << 20) || ec) return fail(Code::config, path + ": is larger than 1 MiB");
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return fail(Code::config, path + ": cannot be read; fix: check its permissions");
  return text.str();
}

// Each row's value: the given one, else the default of the table.
void apply_rows(const GivenValues& given, Settings& settings, Mistakes& mistakes) {
  for (const Row& row : table()) {
    const auto found = given.find(row.path);
    if (found != given.end()) {
      row.apply(settings, found->second.value);
      settings.explained.push_back({row.path, show(found->second.value), found->second.source});
      continue;
    }
    ReadValue read = row.type == Type::secret ? ReadValue(Value(row.fallback)) : value_of_text(row, row.fallback);
    if (const Wrong* wrong = std::get_if<Wrong>(&read)) {
      mistakes.from("default", row.path, wrong->reason, wrong->fix);
      continue;
    }
    row.apply(settings, std::get<Value>(read));
    settings.explained.push_back({row.path, show(std::get<Value>(read)), "default"});
  }
}

std::string path_of_url(const std::string& url, const std::string& home) {
  return absolute(url.substr(std::string_view("sqlite:///").size()), home);
}

void finish_paths(Settings& s) {
  s.audit.path = absolute(s.audit.path, s.home);
  s.policies = absolute(s.policies, s.home);
  s.backup.path = absolute(s.backup.path, s.home);
  for (std::string* const path : {&s.tls.certificate, &s.tls.key, &s.tls.client_ca, &s.tls.crl, &s.tls.ocsp, &s.acme.ca,
                                  &s.encryption.transit.ca, &s.secrets.kv.ca, &s.secrets.aws.ca, &s.secrets.folder}) {
    if (!path->empty()) *path = absolute(*path, s.home);
  }
  s.storage.sqlite_path = path_of_url(s.storage.url, s.home);
}

// A server says nothing of its times and sizes: those of `upstream` hold.
void take_servers(std::vector<FileServer>& from, Settings& s) {
  for (FileServer& server : from) {
    ServerSetting& one = server.setting;
    if (!server.given.contains("call_timeout_seconds")) one.call_timeout = s.upstream.call_timeout;
    if (!server.given.contains("start_timeout_seconds")) one.start_timeout = s.upstream.start_timeout;
    if (!server.given.contains("result_bytes")) one.result_bytes = s.upstream.result_bytes;
    for (const auto& [key, given] : server.given) {
      s.explained.push_back({"servers." + one.name + "." + key, show(given.value), given.source});
    }
    s.servers.push_back(std::move(one));
  }
}

struct FileText {
  std::string path;  // absolute; empty: there is no file
  std::string text;
};

Result<FileText> text_of(const std::string& root, std::optional<std::string> named, const Environment& environment) {
  const auto variable = environment.find("SALLYPORT_CONFIG");
  if (!named && variable != environment.end() && !variable->second.empty()) named = variable->second;
  FileText file{named ? absolute_home(*named) : root + "/sallyport.yaml", {}};
  std::error_code ec;
  if (!named && !fs::exists(file.path, ec)) return FileText{};
  SP_TRY(file.text, read_whole(file.path));
  return file;
}

}  // namespace

Result<Settings> load_text(std::string_view yaml, const std::string& file_name, const std::string& home,
                           const Environment& environment) {
  Mistakes mistakes(file_name);
  Settings settings;
  settings.home = absolute_home(home);
  const Node root = read_yaml(yaml, mistakes);
  if (!mistakes.empty()) return fail(Code::config, mistakes.text());
  GivenValues given;
  std::vector<FileServer> servers;
  read_file(root, given, servers, mistakes);
  read_environment(environment, given, settings.warnings, mistakes);
  apply_rows(given, settings, mistakes);
  check_together(settings, given, environment, mistakes);
  check_servers(servers, mistakes);
  if (!mistakes.empty()) return fail(Code::config, mistakes.text());
  finish_paths(settings);
  take_servers(servers, settings);
  return settings;
}

Result<Settings> load(const std::string& home, const std::optional<std::string>& config_path,
                      const Environment& environment) {
  const std::string root = absolute_home(home);
  SP_TRY(const FileText file, text_of(root, config_path, environment));
  auto settings = load_text(file.text, file.path.empty() ? "sallyport.yaml" : file.path, root, environment);
  if (settings) settings->config_file = file.path;
  return settings;
}

Result<std::string> database_place(const std::string& home, const Environment& environment) {
  const std::string root = absolute_home(home);
  SP_TRY(const FileText file, text_of(root, std::nullopt, environment));
  Mistakes mistakes(file.path);
  const Node node = read_yaml(file.text, mistakes);
  if (!mistakes.empty()) return fail(Code::config, mistakes.text());
  Settings settings;
  GivenValues given;
  std::vector<FileServer> servers;
  read_file(node, given, servers, mistakes);
  read_environment(environment, given, settings.warnings, mistakes);
  apply_rows(given, settings, mistakes);
  return path_of_url(settings.storage.url, root);
}

}  // namespace sallyport::config
