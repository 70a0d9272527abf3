// Who may call: users, keys, and the principal that a verified credential becomes. Plain values; the Snapshot owns the
// records, a request owns its Principal by shared_ptr.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/ip_address.h"
#include "model/group.h"
#include "model/permission.h"
#include "model/usage.h"

namespace sallyport {

// The door a request came through: role `agent` executes over MCP only (ruling C6).
enum class Channel : std::uint8_t { mcp, rest, local };

enum class PrincipalKind : std::uint8_t { user, key, local };
struct KeyRecord;
struct CertificateChain;

struct Principal {
  std::string id;    // "user:<id>", "key:<id>", "local:<uid>": what audit, limits and session binding use
  PrincipalKind kind = PrincipalKind::user;
  std::string name;  // user name or key name; for people
  std::vector<std::string> roles;
  PermissionSet permissions;        // its own, beside those of its roles (the can_* flags of a key)
  std::vector<Grant> grants;        // scoped ones
  std::vector<std::string> dotted;  // such as "gmail.send"
  std::vector<std::string> groups;  // names; what they give stands in the four above
  std::string auth_type;            // "api_key", "jwt", "client_certificate", "local": for the audit (S1-27)
  std::string credential_id;        // key id, or token id (jti): what a revocation names
  std::string session_id;           // of a token: the LoginSession that it belongs to
  std::string token_key_id;         // of the key that signed the token (kid)
  std::string certificate_id;       // of the CertificateMapping behind it; empty: no certificate had to be shown
  std::shared_ptr<const CertificateChain> certificate;  // which one its connection showed; null: none
  std::shared_ptr<const KeyRecord> key;  // behind a key, and behind a token that it bought; null for others
  std::uint32_t key_secret = 0;          // of it: which of its secrets was shown (KeyRecord::secret_number)
  bool must_change_password = false;
  bool must_enroll = false;                  // its role asks for a second factor and it has none
  WallTime issued_at{};                      // of a token; of what a certificate opens: when the request came
  WallTime expires_at = WallTime::max();     // of the credential
};

using PrincipalPtr = std::shared_ptr<const Principal>;

// One-time codes by time (RFC 6238). The secret is sealed by the KeyStore; recovery codes are kept as keyed hashes.
struct SecondFactor {
  std::string sealed_secret;  // base64url; empty: none
  bool confirmed = false;     // a code was shown for it: it is in force
  bool due = false;           // a login found that a role asks for one and there is none
  std::uint64_t last_step = 0;        // codes of this time step and of earlier ones are used up
  std::vector<std::string> recovery;  // hashes of those not used yet
  std::vector<std::uint64_t> used_later;  // time steps after last_step whose codes are used up too, ascending
  friend bool operator==(const SecondFactor&, const SecondFactor&) = default;
};

struct UserRecord {
  std::string id;  // 16 hex digits
  std::string name, email;
  std::string password_hash;  // Argon2id, PHC string format
  std::vector<std::string> roles;
  bool enabled = true;
  bool must_change_password = false;
  WallTime created_at{};
  WallTime tokens_valid_from{};  // tokens issued before are dead (new password, disabling, reset of the second factor)
  std::vector<std::string> password_history;  // hashes of those before it, newest first (S2-37)
  WallTime password_set_at{};                 // what its age counts from (S2-36)
  SecondFactor second_factor;
  std::vector<std::string> groups;  // names of those that it belongs to
  PermissionSet permissions;        // its own, beside those of its roles and groups
  std::vector<Grant> grants;
  std::vector<std::string> dotted;
};

struct KeyRecord {
  std::string id;    // the public part of the key: 12 characters, looked up in O(1)
  std::string hash;  // HMAC-SHA-256 under KeyStore purpose `key_hashing`, hex (ruling C9)
  std::uint32_t secret_number = 1;  // of that secret: rises with each rotation
  std::string previous_hash;  // of the secret before it, which is good until `previous_until`
  WallTime previous_until{};
  std::optional<WallTime> rotated_at;
  std::string name, description;
  std::string owner_user_id;  // empty: the system's
  std::vector<std::string> roles;
  PermissionSet permissions;
  std::vector<Grant> grants;
  std::vector<std::string> dotted;
  std::vector<Cidr> addresses;  // it is good from these alone; none: from anywhere
  bool enabled = true;
  WallTime created_at{};
  std::optional<WallTime> expires_at;
  std::shared_ptr<Usage> usage = std::make_shared<Usage>();

  // When the secret of that number is good no more; WallTime::min() for one that was forgotten.
  [[nodiscard]] WallTime good_until(std::uint32_t secret) const noexcept;
  // `address` as text, an IPv4-mapped one counting as IPv4; what is no address is outside.
  [[nodiscard]] bool allows_address(std::string_view address) const;
  // The same rights for the same time: what was begun under the one may go on under the other.
  [[nodiscard]] bool same_rights(const KeyRecord& other) const;
};

// Whose calls a principal's are: its user, its key's owner ("user:<id>"), or itself.
std::string person_of(const Principal& principal);

// Transparent maps: looked up by string_view on the hot path.
struct Principals {
  std::map<std::string, std::shared_ptr<const UserRecord>, std::less<>> users;          // by id
  std::map<std::string, std::string, std::less<>> user_ids;                             // name -> id
  std::map<std::string, std::shared_ptr<const KeyRecord>, std::less<>> keys;            // by key id
  std::map<std::string, std::shared_ptr<const Group>, std::less<>> groups;              // by name
  std::map<std::string, WallTime, std::less<>> revoked_tokens;                          // jti -> when its token expires
};

}  // namespace sallyport
