#include "net/proxy_protocol.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace sallyport::net {
namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view kLine = "PROXY ";
constexpr std::size_t kFixed = 16;  // of version 2: signature, version and command, family, length

constexpr unsigned kTypeCrc32c = 0x03, kTypeSsl = 0x20, kClientSsl = 0x01;

// "0" or digits without a leading zero, up to 65535.
std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool plain = !text.empty() && (text.size() == 1 || text.front() != '0');
  if (!plain || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

// Up to the next blank; the text goes on behind it.
std::string_view word(std::string_view& text) {
  const auto blank = std::min(text.find(' '), text.size());
  const auto out = text.substr(0, blank);
  text.remove_prefix(std::min(blank + 1, text.size()));
  return out;
}

// RFC 4960, appendix B: the Castagnoli polynomial, reflected.
std::uint32_t crc32c_step(std::uint32_t crc, unsigned char byte) {
  crc ^= byte;
  for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
  return crc;
}

}  // namespace

std::size_t ProxyHeaderReader::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (state_ == State::reading && used < bytes.size()) {
    if (!take(bytes[used++])) break;
  }
  return used;
}

bool ProxyHeaderReader::refuse(std::string_view why) {
  state_ = State::failed;
  why_ = why;
  return false;
}

bool ProxyHeaderReader::finish() {
  state_ = State::complete;
  return false;
}

bool ProxyHeaderReader::take(char c) {
  buffer_[size_++] = c;
  const std::string_view so_far(buffer_.data(), size_);
  if (so_far.front() == kLine.front()) {
    if (size_ <= kLine.size()) return kLine.starts_with(so_far) || refuse("no PROXY header");
    if (c == '\n') return so_far.ends_with("\r\n") ? parse_line(so_far.substr(0, size_ - 2)) : refuse("a bare LF");
    if (buffer_[size_ - 2] == '\r') return refuse("a bare CR");
    return size_ < kProxyLineMax || refuse("a line longer than 107 bytes");
  }
  if (size_ <= kSignature.size()) return kSignature.starts_with(so_far) || refuse("no PROXY header");
  if (size_ == 13 && byte(12) != 0x20 && byte(12) != 0x21) return refuse("an unknown version or command");
  if (size_ < kFixed) return true;
  if (size_ == kFixed) {
    wanted_ = kFixed + (byte(14) << 8U) + byte(15);
    if (wanted_ > kProxyHeaderMax) return refuse("a header longer than 4,096 bytes");
  }
  return size_ < wanted_ || parse_binary();
}

// "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443": one blank between two words.
bool ProxyHeaderReader::parse_line(std::string_view line) {
  line.remove_prefix(kLine.size());
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) {  // what follows is to be ignored (2.1)
    source_.own = true;
    return finish();
  }
  const auto family = word(line);
  if (family != "TCP4" && family != "TCP6") return refuse("an unknown family");
  const auto from = IpAddress::parse(word(line)), to = IpAddress::parse(word(line));
  const auto from_port = read_port(word(line));
  const auto to_port = read_port(line);  // to the end: nothing may follow
  const bool v6 = family == "TCP6";
  if (!from || !to || from->v6 != v6 || to->v6 != v6) return refuse("an address that is none");
  if (!from_port || !to_port) return refuse("a port that is none");
  source_.address = *from;
  source_.port = *from_port;
  return finish();
}

bool ProxyHeaderReader::parse_binary() {
  if (byte(12) == 0x20) {  // LOCAL: everything else is to be skipped, the family too (2.2)
    source_.own = true;
    return finish();
  }
  const unsigned family = byte(13);
  if (family != 0x11 && family != 0x21) return refuse("a connection that is not TCP over IP");
  source_.address.v6 = family == 0x21;
  const std::size_t address = source_.address.v6 ? 16 : 4, block = address * 2 + 4;
  if (wanted_ < kFixed + block) return refuse("a header too short for its addresses");
  const auto* const data = buffer_.data() + kFixed;
  std::copy_n(data, address, source_.address.bytes.begin());
  const std::size_t port = kFixed + address * 2;
  source_.port = static_cast<std::uint16_t>((byte(port) << 8U) | byte(port + 1));
  return parse_extensions(std::string_view(data, wanted_ - kFixed).substr(block));
}

// Type, length in two bytes, value: they must fill the header exactly.
bool ProxyHeaderReader::parse_extensions(std::string_view rest) {
  while (!rest.empty()) {
    if (rest.size() < 3) return refuse("a broken extension");
    const auto at = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(rest[i])); };
    const unsigned type = at(0);
    const std::size_t length = (at(1) << 8U) + at(2);
    if (rest.size() - 3 < length) return refuse("a broken extension");
    if (!take_extension(type, rest.substr(3, length))) return false;
    rest.remove_prefix(3 + length);
  }
  return finish();
}

bool ProxyHeaderReader::take_extension(unsigned type, std::string_view value) {
  if (type == kTypeCrc32c) {
    if (value.size() != 4) return refuse("a broken checksum");
    const auto at = static_cast<std::size_t>(value.data() - buffer_.data());
    return checksum_holds(at) || refuse("a wrong checksum");
  }
  if (type == kTypeSsl) {
    if (value.size() < 5) return refuse("a broken extension");
    source_.tls = (static_cast<unsigned char>(value.front()) & kClientSsl) != 0;
  }
  return true;
}

bool ProxyHeaderReader::checksum_holds(std::size_t at) const {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (std::size_t i = 0; i < wanted_; ++i) {
    crc = crc32c_step(crc, i >= at && i < at + 4 ? 0 : static_cast<unsigned char>(byte(i)));
  }
  const std::uint32_t said = byte(at) << 24U | byte(at + 1) << 16U | byte(at + 2) << 8U | byte(at + 3);
  return ~crc == said;
}

}  // namespace sallyport::net
