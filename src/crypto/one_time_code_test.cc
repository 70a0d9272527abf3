#include "crypto/one_time_code.h"

#include <gtest/gtest.h>

namespace sallyport::crypto {
namespace {

using std::chrono::seconds;

constexpr std::string_view kRfcSecret = "12345678901234567890";
const WallTime kNow{seconds{1'790'000'000}};

// RFC 4226, appendix D.
TEST(OneTimeCode, HotpVectorsOfRfc4226) {
  constexpr const char* kCodes[]{"755224", "287082", "359152", "969429", "338314",
                                 "254676", "287922", "162583", "399871", "520489"};
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(one_time_code(kRfcSecret, i), kCodes[i]) << i;
}

// RFC 6238, appendix B, the rows of SHA-1.
TEST(OneTimeCode, TotpVectorsOfRfc6238) {
  constexpr std::pair<std::int64_t, const char*> kVectors[]{{59, "94287082"},
                                                            {1'111'111'109, "07081804"},
                                                            {1'111'111'111, "14050471"},
                                                            {1'234'567'890, "89005924"},
                                                            {2'000'000'000, "69279037"},
                                                            {20'000'000'000, "65353130"}};
  for (const auto& [time, code] : kVectors) {
    EXPECT_EQ(one_time_code(kRfcSecret, one_time_step(WallTime(seconds(time))), 8), code) << time;
  }
}

TEST(OneTimeCode, OneStepOfDriftIsAllowedEitherWay) {
  const auto step = one_time_step(kNow);
  for (const int drift : {-1, 0, 1}) {
    const auto wanted = step + static_cast<std::uint64_t>(drift);
    EXPECT_EQ(matching_step(kRfcSecret, one_time_code(kRfcSecret, wanted), kNow, 0), wanted);
  }
  EXPECT_EQ(matching_step(kRfcSecret, one_time_code(kRfcSecret, step - 2), kNow, 0), std::nullopt);
  EXPECT_EQ(matching_step(kRfcSecret, one_time_code(kRfcSecret, step + 2), kNow, 0), std::nullopt);
}

TEST(OneTimeCode, EachIsGoodOnce) {
  const auto step = one_time_step(kNow);
  EXPECT_EQ(matching_step(kRfcSecret, one_time_code(kRfcSecret, step), kNow, step), std::nullopt);
  EXPECT_EQ(matching_step(kRfcSecret, one_time_code(kRfcSecret, step - 1), kNow, step), std::nullopt)
      << "an earlier one too";
  EXPECT_EQ(matching_step(kRfcSecret, one_time_code(kRfcSecret, step + 1), kNow, step), step + 1);
}

TEST(OneTimeCode, OnlySixDigitsAreLookedAt) {
  const std::string code = one_time_code(kRfcSecret, one_time_step(kNow));
  for (const std::string& bad : {std::string(), code.substr(1), code + "0", " " + code.substr(1), "+" + code.substr(1),
                                 std::string("abcdef"), std::string("\0\0\0\0\0\0", 6)}) {
    EXPECT_EQ(matching_step(kRfcSecret, bad, kNow, 0), std::nullopt) << bad;
  }
}

// RFC 4648, 10.
TEST(OneTimeCode, Base32VectorsOfRfc4648) {
  constexpr std::pair<const char*, const char*> kVectors[]{{"", ""},
                                                           {"f", "MY"},
                                                           {"fo", "MZXQ"},
                                                           {"foo", "MZXW6"},
                                                           {"foob", "MZXW6YQ"},
                                                           {"fooba", "MZXW6YTB"},
                                                           {"foobar", "MZXW6YTBOI"}};
  for (const auto& [plain, encoded] : kVectors) EXPECT_EQ(base32_encode(plain), encoded);
}

}  // namespace
}  // namespace sallyport::crypto
