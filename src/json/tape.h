// Internal to json: what a Document holds. One Node of 16 bytes for each value and each key, in document order; a
// container's node is followed by its subtree.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"

namespace sallyport::json::detail {

inline constexpr std::uint32_t kPlain = 0xFFFFFFFFU;      // a string without escapes: decoded as it stands
inline constexpr std::size_t kBytesCap = (1U << 28) - 1;  // so that lengths and counts fit 28 bits

struct Node {
  std::uint32_t begin;  // of the raw text, in Data::text
  std::uint32_t end;
  std::uint32_t next;  // containers: index after the subtree; strings: kPlain or offset in Data::decoded
  std::uint32_t meta;  // kind in 4 bits; above: number of members, decoded length, or truth

  [[nodiscard]] Kind kind() const noexcept { return static_cast<Kind>(meta & 15U); }
  [[nodiscard]] std::uint32_t payload() const noexcept { return meta >> 4U; }
  void set(Kind kind, std::size_t payload) noexcept {
    meta = static_cast<std::uint32_t>(kind) | (static_cast<std::uint32_t>(payload) << 4U);
  }
};

struct Data {
  std::string text;
  std::vector<Node> nodes;
  std::string decoded;  // the strings that had escapes, one after another

  [[nodiscard]] std::string_view raw(const Node& node) const noexcept {
    return {text.data() + node.begin, node.end - node.begin};
  }
  [[nodiscard]] std::string_view string(const Node& node) const noexcept {
    if (node.next == kPlain) return {text.data() + node.begin + 1, node.end - node.begin - 2};
    return {decoded.data() + node.next, node.payload()};
  }
  // The index after the value at `index`.
  [[nodiscard]] std::uint32_t after(std::uint32_t index) const noexcept {
    const Node& node = nodes[index];
    return node.kind() >= Kind::array ? node.next : index + 1;
  }
};

}  // namespace sallyport::json::detail
