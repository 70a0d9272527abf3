#include "request/pipeline/kept_arguments.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

const audit::Redactor kRedactor(Secret(std::string(32, 'k')));

TEST(KeptArguments, HaveNoSecrets) {
  EXPECT_EQ(kept_arguments(kRedactor, R"({"a":1,"b":[true,"x"]})", nullptr), R"({"a":1,"b":[true,"x"]})");
  const std::string kept =
      kept_arguments(kRedactor, R"({"to":"ann","apiKey":"hunter22","deep":[{"password":"x9"}]})", nullptr);
  EXPECT_EQ(kept.find("hunter22"), std::string::npos);
  EXPECT_EQ(kept.find("x9"), std::string::npos);
  EXPECT_TRUE(kept.starts_with(R"({"to":"ann","apiKey":"[redacted:)")) << kept;
}

TEST(KeptArguments, AreOtherwiseWholeHoweverLong) {
  const std::string longer = "{\"text\":\"" + std::string(300'000, 'x') + "\"}";
  EXPECT_EQ(kept_arguments(kRedactor, longer, nullptr), longer) << "cut, another question would be asked again";
}

TEST(KeptArguments, LackWhatTheCallIsBoundToHide) {
  const Obligations binds{.redact = {"iban"}};
  EXPECT_EQ(kept_arguments(kRedactor, R"({"iban":"DE1","to":{"IBAN":["DE2"]},"sum":3})", &binds),
            R"({"iban":"[redacted]","to":{"IBAN":"[redacted]"},"sum":3})");
}

}  // namespace
}  // namespace sallyport
