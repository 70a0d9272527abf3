#include "crypto/master_key_file.h"

#include <string>
#include <utility>

#include "crypto/private_file.h"

namespace sallyport::crypto {

Result<Secret> read_master_key(const std::filesystem::path& path) {
  auto key = read_private(path, kMasterKeyBytes);
  if (!key && key.error().code == Code::not_found) {
    return fail(Code::not_found, "there is no master key at '" + path.string() + "'");
  }
  if (key && key->size() != kMasterKeyBytes) {
    return fail(Code::config, "'" + path.string() +
                                  "' must hold exactly 32 bytes; fix: restore it from a backup (without it, stored "
                                  "keys and credentials are lost)");
  }
  return key;
}

Result<void> write_master_key(const std::filesystem::path& path, const Secret& key, Random& random) {
  return create_private(path, key.reveal(), random);
}

}  // namespace sallyport::crypto
