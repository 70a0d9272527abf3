// What a ciphertext is bound to, as additional data of an AEAD: each field with its length before it, so that no two lists
// of fields make the same bytes ("ab","c" and "a","bc" differ). Internal to crypto. Any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace sallyport::crypto {

// Eight bytes, big-endian.
inline void append_number(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift & 0xff));
}

[[nodiscard]] inline std::string bound_fields(std::initializer_list<std::string_view> fields) {
  std::string out;
  for (const std::string_view field : fields) {
    append_number(out, field.size());
    out.append(field);
  }
  return out;
}

}  // namespace sallyport::crypto
