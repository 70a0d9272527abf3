#include "crypto/x509_impl.h"

#include <openssl/pem.h>

#include <algorithm>
#include <ctime>

#include "core/encoding.h"

namespace sallyport::crypto {
namespace {

constexpr std::size_t kSerialBytesMax = 20;  // RFC 5280 4.1.2.2

bool is_blank(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Only blocks of that one name and blanks stand in the text: no headers, no words between, which others may read otherwise.
// PEM's own reader passes over both.
bool is_only_blocks(std::string_view pem, std::string_view name, std::size_t most) {
  const std::string begin = "-----BEGIN " + std::string(name) + "-----",
                    end = "-----END " + std::string(name) + "-----";
  std::size_t count = 0;
  for (;; ++count) {
    while (!pem.empty() && is_blank(pem.front())) pem.remove_prefix(1);
    if (pem.empty()) return count > 0;
    const std::size_t stop = pem.find(end);
    if (count == most || !pem.starts_with(begin) || stop == std::string_view::npos) return false;
    const auto fits = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
             c == '=' || is_blank(c);
    };
    if (!std::ranges::all_of(pem.substr(begin.size(), stop - begin.size()), fits)) return false;
    pem.remove_prefix(stop + end.size());
  }
}

}  // namespace

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string serial_text(const ASN1_INTEGER* serial) {
  const BignumPtr number(ASN1_INTEGER_to_BN(serial, nullptr));
  if (!number || BN_is_negative(number.get()) != 0 || BN_is_zero(number.get())) return {};
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
  if (bytes.size() > kSerialBytesMax) return {};
  BN_bn2bin(number.get(), reinterpret_cast<unsigned char*>(bytes.data()));
  return hex_encode(as_bytes(bytes));
}

IntegerPtr serial_number(std::string_view hex) {
  const auto bytes = hex_decode(hex);
  if (!bytes || bytes->empty() || bytes->size() > kSerialBytesMax) return {};
  const BignumPtr number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes->data()), static_cast<int>(bytes->size()), nullptr));
  return IntegerPtr(number ? BN_to_ASN1_INTEGER(number.get(), nullptr) : nullptr);
}

TimePtr asn1_time(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  return TimePtr(ASN1_TIME_adj(nullptr, static_cast<std::time_t>(seconds), 0, 0));
}

std::vector<std::string> pem_blocks(std::string_view pem, const char* name, std::size_t most) {
  if (!is_only_blocks(pem, name, most)) return {};
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<std::string> out;
  for (std::size_t i = 0; bio && i < most; ++i) {
    char *found = nullptr, *header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &found, &header, &data, &size) != 1) break;
    out.emplace_back(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));
    OPENSSL_free(found);
    OPENSSL_free(header);
  }
  // As many as the text has: one that cannot be read is not passed over.
  std::size_t blocks = 0;
  for (std::size_t at = pem.find("-----BEGIN "); at != std::string_view::npos; at = pem.find("-----BEGIN ", at + 1)) {
    ++blocks;
  }
  return blocks == out.size() ? out : std::vector<std::string>();
}

}  // namespace sallyport::crypto
