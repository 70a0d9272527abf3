// From `sallyport.yaml` and the environment to one typed Settings, out of one table (style.md, rule 8). Everything
// unknown, doubled, out of range, unsafe or secret in the clear stops the start with the line, the reason and the fix.
// Stateless; any thread; reads the file and the environment given, nothing else. Limits: 1 MiB of text, depth 16.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/settings.h"
#include "core/result.h"
#include "core/secret.h"

namespace sallyport::config {

using Environment = std::map<std::string, std::string, std::less<>>;

// The process's environment as a map; call it before threads start.
Environment process_environment();

// `home`: the folder of the installation (relative: to the current one). `config_path`: an explicit file, which must
// then exist; else SALLYPORT_CONFIG, else `<home>/sallyport.yaml` where there is one. Error: Code::config, `detail`
// holds a line for each mistake: "FILE:LINE: PATH: REASON; fix: FIX".
Result<Settings> load(const std::string& home, const std::optional<std::string>& config_path,
                      const Environment& environment);

// The same from text already read; `file_name` is what mistakes and sources are shown with.
Result<Settings> load_text(std::string_view yaml, const std::string& file_name, const std::string& home,
                           const Environment& environment);

// Where the database lies by the settings that load() would read, though others of them be refused (a reference that does not
// lead anywhere yet); the default place where storage.url itself is. Error: the file cannot be read at all.
Result<std::string> database_place(const std::string& home, const Environment& environment);

// Each setting, its value, and where it came from; aligned text and a JSON array. Secrets appear as references.
std::string explain_text(const Settings& settings);
std::string explain_json(const Settings& settings);

// JSON Schema (2020-12) of the file, and docs/reference/config.md.
std::string json_schema();
std::string reference_markdown();

// True where `text` holds a ${...} reference.
bool has_reference(std::string_view text);

// `text` with its ${env:NAME}, ${file:path} (relative: to `home`; regular, not open to others, 64 KiB at most, one
// trailing newline dropped) replaced. Errors: Code::config with the reference's name, never a value. ${vault:name} and
// ${dir:NAME} are of servers alone (control/secret_resolver.h), and fail here.
Result<Secret> resolve_reference(std::string_view text, const std::string& home, const Environment& environment);

// The file `name` of a folder that nobody else can write to, as ${file:...} has it: ${dir:NAME}. Code::config.
Result<Secret> read_secret_in(const std::string& folder, std::string_view name);

// Does this look like a secret written in the clear? `name`: of the variable, header or option (may be empty). Used for
// what a file declares and for `import`.
bool looks_like_secret(std::string_view name, std::string_view value);
bool is_secret_name(std::string_view name);

// Why `secret` must not sign tokens: too short (RFC 7518 3.2: 32 bytes), or known from a guide or example. Empty: fine.
std::string weak_secret_reason(std::string_view secret);

}  // namespace sallyport::config
