#include "request/response_guard/redact.h"

#include <algorithm>
#include <array>
#include <optional>

#include "json/document.h"
#include "json/slice.h"
#include "json/writer.h"

namespace sallyport {
namespace {

constexpr int kLayersMax = 4;  // JSON in a string in JSON in a string ...
constexpr std::string_view kHidden = R"("[redacted]")";
// Members of MCP's own, whose names are not a policy's to hide.
constexpr std::array<std::string_view, 9> kFrame{"content", "structuredContent", "contents", "messages",  "isError",
                                                 "_meta",   "resultType",        "ttlMs",    "cacheScope"};

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// `raw`: a key between its quotes.
std::string decoded(std::string_view raw) {
  if (!raw.contains('\\')) return std::string(raw);
  return json::decode_string({raw.data() - 1, raw.size() + 2}).value_or("");
}

class Hider {
 public:
  explicit Hider(std::span<const std::string> names) : names_(names) {}

  std::string result(std::string_view raw) {
    return object(raw, [&](const std::string& key, std::string_view value) {
      if (key == "content") return array(value, [&](std::string_view block) { return this->block(block); });
      if (key == "contents") return array(value, [&](std::string_view part) { return contents(part); });
      if (key == "messages") return array(value, [&](std::string_view message) { return this->message(message); });
      if (key == "completion") return completion(value);
      if (key == "description") return text(value);  // of a prompt: made for this call, as its messages are
      return std::ranges::find(kFrame, key) != kFrame.end() ? any(value) : member(key, value);
    });
  }

 private:
  [[nodiscard]] bool is_hidden(std::string_view key) const {
    return std::ranges::any_of(
        names_, [&](const std::string& name) { return std::ranges::equal(name, key, {}, lower, lower); });
  }

  template <class Each>
  static std::string object(std::string_view raw, Each&& each) {
    if (!json::is_object(raw)) return std::string(kHidden);
    std::string out = "{";
    json::for_each_member(raw, [&](std::string_view key, std::string_view value) {
      if (out.size() > 1) out += ',';
      out.append("\"").append(key).append("\":");
      out += each(decoded(key), value);
    });
    return out + "}";
  }

  template <class Each>
  static std::string array(std::string_view raw, Each&& each) {
    if (!json::is_array(raw)) return std::string(kHidden);
    std::string out = "[";
    json::for_each_element(raw, [&](std::string_view item) {
      if (out.size() > 1) out += ',';
      out += each(item);
    });
    return out + "]";
  }

  std::string member(const std::string& key, std::string_view value) {
    return is_hidden(key) ? std::string(kHidden) : any(value);
  }

  std::string any(std::string_view raw) {
    if (json::is_object(raw)) {
      return object(raw, [&](const std::string& key, std::string_view value) { return member(key, value); });
    }
    if (json::is_array(raw)) return array(raw, [&](std::string_view item) { return any(item); });
    if (!json::is_string(raw)) return std::string(raw);
    return inside(raw).value_or(std::string(raw));
  }

  // The JSON document that a string holds, without what is hidden, as a string again. Nothing: it holds none.
  std::optional<std::string> inside(std::string_view raw) {
    const auto text = json::decode_string(raw);
    if (!text) return std::string(kHidden);
    const auto first = text->find_first_not_of(" \t\r\n");
    if (first == std::string::npos || ((*text)[first] != '{' && (*text)[first] != '[')) return std::nullopt;
    if (layers_ >= kLayersMax) return std::string(kHidden);
    const auto document = json::read_upstream_document(*text, {.bytes_max = text->size() + 1});
    if (!document) return std::string(kHidden);  // it looks like JSON and cannot be read: lines of it, say
    ++layers_;
    const std::string shown = any(document->text());
    --layers_;
    std::string out;
    json::append_string(out, shown);
    return out;
  }

  std::string text(std::string_view raw) {
    if (!json::is_string(raw)) return std::string(kHidden);
    return inside(raw).value_or(std::string(kHidden));
  }

  std::string block(std::string_view raw) {
    const auto type = json::member(raw, "type").value_or("");
    if (type != R"("text")" && type != R"("resource")") return R"({"type":"text","text":"[redacted]"})";
    return object(raw, [&](const std::string& key, std::string_view value) {
      if (key == "type") return std::string(value);
      if (key == "text") return text(value);
      if (key == "resource") return contents(value);
      return member(key, value);
    });
  }

  std::string contents(std::string_view raw) {
    return object(raw, [&](const std::string& key, std::string_view value) {
      if (key == "uri" || key == "mimeType") return std::string(value);
      if (key == "text") return text(value);
      if (key == "blob") return std::string(R"("")");  // base64: an empty one is still a blob
      return member(key, value);
    });
  }

  std::string message(std::string_view raw) {
    return object(raw, [&](const std::string& key, std::string_view value) {
      if (key == "role") return std::string(value);
      return key == "content" ? block(value) : member(key, value);
    });
  }

  std::string completion(std::string_view raw) {
    return object(raw, [&](const std::string& key, std::string_view value) {
      if (key != "values") return member(key, value);
      return array(value, [&](std::string_view one) { return text(one); });
    });
  }

  std::span<const std::string> names_;
  int layers_ = 0;
};

bool is_number(std::string_view raw) {
  return !raw.empty() && (raw.front() == '-' || (raw.front() >= '0' && raw.front() <= '9'));
}

}  // namespace

std::string redact_result(std::string_view result, std::span<const std::string> names) {
  return Hider(names).result(result);
}

std::string redact_error(std::string_view error) {
  const auto code = json::member(error, "code").value_or("-32603");
  return R"({"code":)" + std::string(is_number(code) ? code : "-32603") + R"(,"message":"[redacted]"})";
}

std::string redact_progress(std::string_view params) {
  std::string out = "{";
  for (const std::string_view name : {"progress", "total"}) {
    const auto value = json::member(params, name);
    if (!value || !is_number(*value)) continue;
    out.append(out.size() > 1 ? "," : "").append("\"").append(name).append("\":").append(*value);
  }
  return out + "}";
}

}  // namespace sallyport
