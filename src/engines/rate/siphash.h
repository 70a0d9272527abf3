// SipHash-1-3 (Aumasson, Bernstein) of two strings, length-prefixed so that no two pairs give the same bytes. Keys of the
// limiter's table come from clients; under a secret key they cannot choose which ones share a set. Values only.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sallyport::rate {

class SipHash13 {
 public:
  SipHash13(std::uint64_t k0, std::uint64_t k1) noexcept
      : v0_(k0 ^ 0x736f6d6570736575U),
        v1_(k1 ^ 0x646f72616e646f6dU),
        v2_(k0 ^ 0x6c7967656e657261U),
        v3_(k1 ^ 0x7465646279746573U) {}

  void add(std::string_view text) noexcept {
    word(text.size());
    std::size_t i = 0;
    for (; i + 8 <= text.size(); i += 8) {
      std::uint64_t w;
      std::memcpy(&w, text.data() + i, 8);
      word(w);
    }
    if (i < text.size()) {
      std::uint64_t w = 0;
      std::memcpy(&w, text.data() + i, text.size() - i);
      word(w);
    }
  }

  std::uint64_t finish() noexcept {
    v2_ ^= 0xffU;
    round();
    round();
    round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  void word(std::uint64_t w) noexcept {
    v3_ ^= w;
    round();
    v0_ ^= w;
  }
  void round() noexcept {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }
  std::uint64_t v0_, v1_, v2_, v3_;
};

}  // namespace sallyport::rate
