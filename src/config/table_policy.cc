// The part of the table for policies: where they are evaluated.
#include "config/add_row.h"

namespace sallyport::config {

void add_policy(Add<Settings> add) {
  add.choice(
      "policy.backend", "embedded", {"embedded", "opa"},
      "embedded: the Rego of this gateway, evaluated in the process; opa: the packages tool_access and admin_access "
      "of the OPA server at opa.url (docs/policy.md).",
      SP_INTO(policy.backend));
  add.text(
      "policy.bundle", "", {0, 2048, nullptr},
      "An OPA bundle in place of the folder `policies`: a folder, a tar.gz (by absolute path), or a URL, whose last "
      "good bundle is kept in the home.",
      SP_INTO(policy.bundle));
  add.secret(
      "policy.bundle_key",
      "Key that the bundle must be signed with: a public key in PEM, or the secret of HS256; empty: it need not be "
      "signed.",
      SP_INTO(policy.bundle_key));
  add.choice("policy.bundle_algorithm", "RS256", {"RS256", "ES256", "HS256"}, "Algorithm of policy.bundle_key.",
             SP_INTO(policy.bundle_algorithm));
  add.secret("policy.bundle_token", "Token that the bundle is fetched with (Authorization: Bearer); empty: none.",
             SP_INTO(policy.bundle_token));
  add.integer("policy.bundle_poll_seconds", 60, {1, 86'400, "seconds"},
              "How often a bundle at a URL is asked for anew (If-None-Match).", SP_INTO(policy.bundle_poll));
  add.flag("policy.bundle_allow_private", false, "The bundle's URL may lead to a loopback or private address.",
           SP_INTO(policy.bundle_allow_private));
  add.flag("policy.bundle_allow_older", false,
           "A signed bundle may come into force though its signature (iat) is older than that of one that was.",
           SP_INTO(policy.bundle_allow_older));
  add.flag(
      "policy.record", true,
      "Keep the last decisions about calls in memory (1 MiB a worker) for policy replay, with their arguments but for "
      "secrets and what the call's own redact hides.",
      SP_INTO(policy_record));
  add.text("opa.url", "", {0, 2048, check_http_url}, "Where the OPA server is; its data API lies below it at /v1/data.",
           SP_INTO(opa.url));
  add.secret("opa.token", "Token that the OPA server is shown (Authorization: Bearer); empty: none.",
             SP_INTO(opa.token));
  add.integer("opa.timeout_milliseconds", 500, {50, 30'000, "ms"},
              "So long one question to OPA may take (cut within 250 ms after it); then it is denied.",
              SP_INTO(opa.timeout));
  add.integer("opa.cache_seconds", 0, {0, 3600, "seconds"},
              "So long an answer of OPA is given again to the same question, its time left out; 0: never to another "
              "request. A change of the policy is felt so much later.",
              SP_INTO(opa.cache));
  add.flag("opa.allow_private", false, "The OPA server may live at a loopback or private address.",
           SP_INTO(opa.allow_private));
}

}  // namespace sallyport::config
