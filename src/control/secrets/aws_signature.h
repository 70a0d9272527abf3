// AWS Signature Version 4 (AWS General Reference, "Signature Version 4 signing process"), the header form, for the one
// service that we ask. Pure; any thread. The secret key leaves through the signature alone.
#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/secret.h"
#include "net/http_message.h"

namespace sallyport::control {

struct AwsCredentials {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;  // empty: long-lived credentials

  [[nodiscard]] AwsCredentials clone() const {
    return {access_key_id, secret_access_key.clone(), session_token.clone()};
  }
};

struct AwsRequest {
  std::string_view method;
  std::string_view path = "/";  // already percent-encoded
  std::string_view query;       // canonical: encoded, sorted by name
  std::string_view body;
  net::Headers headers;         // all that is signed but X-Amz-Date: Host and whatever else is sent
};

struct AwsScope {
  std::string_view region;   // "eu-central-1"
  std::string_view service;  // "secretsmanager"
};

// X-Amz-Date, X-Amz-Security-Token where there is one, and Authorization: to be sent with the request's own headers.
[[nodiscard]] net::Headers sign_aws(const AwsCredentials& credentials, const AwsScope& scope, AwsRequest request,
                                    WallTime now);

}  // namespace sallyport::control
