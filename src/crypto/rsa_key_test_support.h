// A key pair and an envelope that WebCrypto made (Node 20; the steps of envelope.h and nothing of ours). Tests only.
#pragma once

#include <string_view>

namespace sallyport::crypto::testing {

inline constexpr std::string_view kRsaPrivatePem =
    R"(-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCPMQGjXSiNOntw
Q3gbZdMQIbT/2O8qlcYJMJL9EhwHoWz6BjhhlsPbx64aQVbvv1Ox++gK7GzqHA81
MvtdQGYFuSVs6BQxYPJYDrONjlaD7TpbiqWdqg59nr7Jy3x+fgbziVAO7fqiQNNw
xHScsrwiuHAoWHvAYjQM/+RunsCnPAMOQW1wvCbwXf/NTEBHrZ/AUrOprfIPFJ8m
V1kKH6s3nkkI/a5b/yOhDiYbJrleQGEiAgaEovkO15a6DYCg1EYPwdb+ovhDz6b7
IvZ2kUP6NoREuRAT7fpD4WNyQIIACerNogsTa9apovFBYUJwM2w2S1bLJsR8xRzK
NZQ8KOy1AgMBAAECggEAAhYVRlAO38R3gjvLtMOgvwv+rWcKB1DPU4+FneAHYs43
3oppzZkNUFcEcvDoxRIJtGxyBZ/dXTvX/ypua7TT7EcjcZkNv/ptn8dkxS4UA3k0
OQk4GsyKWqbE4f84/SEaFWW2xFM0dVnf31nh+1sPTz2fjduAv8scNeRG2XgKF67M
Sc96IXb+qyeiB1K5qw+k92wA56UeorV8rPqHEfvwFzVul7vdfcpZLL5+AOBkOgCT
OXWQdV/Ozw6mokYneC/u8ZdZ/4oTSx3FMqf76miqrpt69IgRfbWDaE7vYsa2DyIh
r7KfT7WwemClKFpOuwodQp2Bn74lSNq/JVuF10j9MQKBgQDGCq7NS1GO57k9XWZ6
jF/pkbYV1Gh87kc32Vr2+YuzQ7qvb5l9xr7YRWAsEcw7aDdpII74Vt7IqK2kfvHm
aYz3KoXHWoJmO01tE9UPqCFCI3QbfQh1KVNHs+DksFCZb66bupkYP0xn9f+qi5DJ
s6snlhf7/Y880fJ31WO+S9MZowKBgQC5GO5BhXp9uDVe+5GNVYg6L5PL40hep0fS
zNEDjim0AbqEwfGSpdcEDmbrptDGPkjU1jA0dRZBjje9loLaPUKjg31IKdpB5Usk
foD+hh+XGUgx7kCINXr96LDCUf9PojrqskguGvCn0/f32adaWQf1OZRroHWM1noX
+5xuFM31xwKBgBMDa4ziMk5aCPrPQMt7NqoiBy1JW07DQasm/wi/JJ5tXjsBp+bf
cespnfYdL1J0yv0Y1yEYlgMFzsYAOhE5CQOh3X4qPmK6RtC2GrqKFcdXyAnrkyhM
c2Zq6qiKFPLmOglRfOlLCnbgs08YXyo+SaxfSKY0zc+1CGZg4laeyQGpAoGBAIPb
5ccZboRnGOY8MplLqEtDH3esxx5e7sSWEgQFX2ITpSrz+sLsj3sdQ2Z2pN3E+x9c
ImUMUDmNNdpCgZ806ucPQc2JuykcTmaGFCC9rX13jj27q48dAiwlet5DiazSNkSB
kvf9SxlT4J9ZF2Y+bHPefAQcAAG/vKSfIvYsrfh7AoGAVcDq31Cr1yPieBOJPRZD
rvKKqpBdC62CJ1/NhfnZ21BG8jrIsqvfaQqLn/WLDKKvh0xg26KXQIpksnkc9gEf
ZFRQC7rt4rvUX0TeyDG4fjdwIQVPsyW3fxXDMtenHML9p+QAKa4fntNYBtUrs1L7
wtsBWHL9KcUkVI9HcLELgIU=
-----END PRIVATE KEY-----
)";
inline constexpr std::string_view kRsaPublicPem =
    R"(-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAjzEBo10ojTp7cEN4G2XT
ECG0/9jvKpXGCTCS/RIcB6Fs+gY4YZbD28euGkFW779TsfvoCuxs6hwPNTL7XUBm
BbklbOgUMWDyWA6zjY5Wg+06W4qlnaoOfZ6+yct8fn4G84lQDu36okDTcMR0nLK8
IrhwKFh7wGI0DP/kbp7ApzwDDkFtcLwm8F3/zUxAR62fwFKzqa3yDxSfJldZCh+r
N55JCP2uW/8joQ4mGya5XkBhIgIGhKL5DteWug2AoNRGD8HW/qL4Q8+m+yL2dpFD
+jaERLkQE+36Q+FjckCCAAnqzaILE2vWqaLxQWFCcDNsNktWyybEfMUcyjWUPCjs
tQIDAQAB
-----END PUBLIC KEY-----
)";
inline constexpr std::string_view kRsaKeyId = "bB94oimOdAkWkcZ4WxIAnUH1qOMqBKsl00F6uruIbXA";

// Of "a secret made in a browser" for the subject "vault:github-token".
inline constexpr std::string_view kEnvelopeOfWebCrypto =
    "eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiYkI5NG9pbU9kQWtXa2NaNFd4SUFuVUgxcU9NcUJLc2wwMEY2dX"
    "J1SWJYQSIsInN1YiI6InZhdWx0OmdpdGh1Yi10b2tlbiJ9.h9KPO5-omeU3eTWU4XuCyUSjLEGb9LrtMMAbSxir5923_h4-iVcL3Ct-JmehQQg"
    "TmscUHD1AjKfeL_ZXjpJ7NmBXKpB6ExCB6Re3ZOVgk0_gSM5E6LNYdZNfmvNMXs19_8fFbstfBNJS6pgc06GH1FOZa6IqcA4QR3HQ1V0R0i555"
    "8Ke6LPiIuU29or31k1FpMJJrPfTb46upG5tN9m9fg7UIOPCMenko8LC0J1o0QTyyYxt-OnZYirIOYfVOrxpWHYwc-D8zrWxPNW5wnYoPuPhNd_"
    "nAjXDcLsbhTdRtAlp7a8-fLxYSo1GHIWZpFH5T5UtSA5-L7E6PccRW-es5g.g6swVYpjfCnP7eua.afcWJAkK984zrZrgGi2sAP6Zvjw1E9aA1"
    "uw.0FksENWwOFPCnVti7t9fnQ";

}  // namespace sallyport::crypto::testing
