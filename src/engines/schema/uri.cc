#include "engines/schema/uri.h"

#include <charconv>

namespace sallyport::schema {
namespace {

// The length of "scheme:", or 0.
std::size_t scheme_length(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  if (colon == std::string_view::npos || colon == 0) return 0;
  return uri.find_first_of("/?#") < colon ? 0 : colon + 1;
}

// Where the path begins: after "scheme:" and "//authority".
std::size_t path_start(std::string_view uri) {
  const std::size_t scheme = scheme_length(uri);
  if (!uri.substr(scheme).starts_with("//")) return scheme;
  const std::size_t end = uri.find_first_of("/?#", scheme + 2);
  return end == std::string_view::npos ? uri.size() : end;
}

// RFC 3986 5.2.4.
std::string remove_dots(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t slash = path.find('/', path.front() == '/' ? 1 : 0);
    const std::string_view segment = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
    if (segment == "/." || segment == "/..") {
      if (segment == "/..") out.erase(out.rfind('/') == std::string::npos ? 0 : out.rfind('/'));
      if (path.empty()) out += '/';
    } else {
      out += segment;
    }
  }
  return out;
}

}  // namespace

std::pair<std::string_view, std::string_view> split_fragment(std::string_view uri) {
  const std::size_t hash = uri.find('#');
  if (hash == std::string_view::npos) return {uri, {}};
  return {uri.substr(0, hash), uri.substr(hash + 1)};
}

std::string resolve_uri(std::string_view base, std::string_view reference) {
  if (scheme_length(reference) > 0) return std::string(reference);
  const std::string_view whole = split_fragment(base).first;
  if (reference.empty() || reference.front() == '#') return std::string(whole).append(reference);
  if (reference.starts_with("//")) return std::string(whole.substr(0, scheme_length(whole))).append(reference);
  const std::size_t start = path_start(whole);
  const std::size_t reference_end = std::min(reference.find_first_of("?#"), reference.size());
  std::string path(reference.substr(0, reference_end));
  if (path.empty() || path.front() != '/') {
    const std::string_view base_path = whole.substr(start, whole.find('?', start) - start);
    const std::size_t slash = base_path.rfind('/');
    path.insert(0, slash == std::string_view::npos ? "/" : base_path.substr(0, slash + 1));
  }
  return std::string(whole.substr(0, start)).append(remove_dots(path)).append(reference.substr(reference_end));
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
      if (error == std::errc() && end == text.data() + i + 3) {
        out += static_cast<char>(static_cast<unsigned char>(byte));
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

}  // namespace sallyport::schema
