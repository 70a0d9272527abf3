#include "crypto/hsm.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "crypto/aead.h"
#include "crypto/quiet_errors.h"

namespace sallyport::crypto {
namespace {

constexpr CK_ULONG kSlotsMax = 256;
constexpr CK_ULONG kTagBits = kAeadTagBytes * 8;

// PKCS#11 has no const; inputs are only read.
CK_BYTE_PTR bytes(std::string_view text) noexcept {
  return reinterpret_cast<CK_BYTE_PTR>(const_cast<char*>(text.data()));
}
CK_BYTE_PTR bytes(std::string& text) noexcept { return reinterpret_cast<CK_BYTE_PTR>(text.data()); }

std::unexpected<Error> refused(const std::string& what, CK_RV code) {
  if (code == CKR_PIN_INCORRECT) {
    return fail(Code::config,
                "the token refuses the PIN; fix: correct encryption.hsm_pin (a token locks itself after a "
                "few wrong ones)");
  }
  if (code == CKR_PIN_LOCKED) {
    return fail(Code::config, "the token has locked the PIN; fix: let its security officer set a new one");
  }
  std::array<char, 24> hex{};
  std::snprintf(hex.data(), hex.size(), "0x%lx", code);
  return fail(Code::config, "PKCS#11: " + what + " failed with " + hex.data() +
                                "; fix: see what encryption.hsm_module needs, such as a configuration of its own");
}

// Loaded for the time of one call. The library stays mapped: some hold handlers that run when the process ends.
class Module {
 public:
  static Result<Module> load(const std::string& path) {
    void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr) {
      return fail(Code::config,
                  "the PKCS#11 module '" + path + "' cannot be loaded; fix: correct encryption.hsm_module");
    }
    const auto list = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
    CK_FUNCTION_LIST_PTR functions = nullptr;
    if (list == nullptr || list(&functions) != CKR_OK || functions == nullptr) {
      return fail(Code::config, "'" + path + "' is no PKCS#11 module; fix: correct encryption.hsm_module");
    }
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    const CK_RV code = functions->C_Initialize(&arguments);
    if (code != CKR_OK) return refused("C_Initialize", code);
    return Module(functions);
  }
  Module(Module&& other) noexcept : functions_(std::exchange(other.functions_, nullptr)) {}
  Module& operator=(Module&&) = delete;
  ~Module() {
    if (functions_ != nullptr) functions_->C_Finalize(nullptr);
  }
  CK_FUNCTION_LIST& operator*() const noexcept { return *functions_; }
  CK_FUNCTION_LIST* operator->() const noexcept { return functions_; }

 private:
  explicit Module(CK_FUNCTION_LIST_PTR functions) noexcept : functions_(functions) {}
  CK_FUNCTION_LIST_PTR functions_;
};

// Labels are padded with spaces to 32 bytes.
bool is_labelled(const CK_TOKEN_INFO& info, std::string_view label) {
  std::string_view found(reinterpret_cast<const char*>(info.label), sizeof info.label);
  while (found.ends_with(' ')) found.remove_suffix(1);
  return found == label;
}

Result<CK_SLOT_ID> slot_of(const Module& module, const std::string& token) {
  std::vector<CK_SLOT_ID> slots(kSlotsMax);
  CK_ULONG count = kSlotsMax;
  const CK_RV code = module->C_GetSlotList(1, slots.data(), &count);
  if (code != CKR_OK) return refused("C_GetSlotList", code);
  slots.resize(count);
  for (const CK_SLOT_ID slot : slots) {
    CK_TOKEN_INFO info{};
    if (module->C_GetTokenInfo(slot, &info) == CKR_OK && is_labelled(info, token)) return slot;
  }
  return fail(Code::config,
              "there is no token '" + token + "'; fix: correct encryption.hsm_token, or put the token in");
}

class Session {
 public:
  static Result<Session> open(const Module& module, const HsmKey& names, const Secret& pin) {
    SP_TRY(const CK_SLOT_ID slot, slot_of(module, names.token));
    CK_SESSION_HANDLE handle = 0;
    CK_RV code = module->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &handle);
    if (code != CKR_OK) return refused("C_OpenSession", code);
    Session session(module, handle);
    code = module->C_Login(handle, CKU_USER, bytes(pin.reveal()), pin.size());
    if (code != CKR_OK && code != CKR_USER_ALREADY_LOGGED_IN) return refused("C_Login", code);
    SP_TRY(session.key_, session.find(names.key));
    return session;
  }
  Session(Session&& other) noexcept
      : module_(other.module_), handle_(std::exchange(other.handle_, 0)), key_(other.key_) {}
  Session& operator=(Session&&) = delete;
  ~Session() {
    if (handle_ != 0) (*module_)->C_CloseSession(handle_);  // the last one of a token logs out
  }

  Result<std::string> seal(std::string_view nonce, std::string_view plain, std::string_view additional) const {
    CK_GCM_PARAMS parameters = parameters_of(nonce, additional);
    CK_MECHANISM mechanism{CKM_AES_GCM, &parameters, sizeof parameters};
    std::string out(plain.size() + kAeadTagBytes, '\0');
    CK_ULONG size = out.size();
    CK_RV code = (*module_)->C_EncryptInit(handle_, &mechanism, key_);
    if (code == CKR_OK) code = (*module_)->C_Encrypt(handle_, bytes(plain), plain.size(), bytes(out), &size);
    if (code != CKR_OK) return refused("sealing with CKM_AES_GCM", code);
    if (size != out.size()) return fail(Code::crypto, "PKCS#11: the token sealed to another length");
    return out;
  }

  Result<Secret> open_sealed(std::string_view nonce, std::string_view sealed, std::string_view additional) const {
    CK_GCM_PARAMS parameters = parameters_of(nonce, additional);
    CK_MECHANISM mechanism{CKM_AES_GCM, &parameters, sizeof parameters};
    std::string out(sealed.size(), '\0');  // tokens ask for room before they know the length
    CK_ULONG size = out.size();
    CK_RV code = (*module_)->C_DecryptInit(handle_, &mechanism, key_);
    if (code == CKR_OK) code = (*module_)->C_Decrypt(handle_, bytes(sealed), sealed.size(), bytes(out), &size);
    if (code == CKR_OK && size == sealed.size() - kAeadTagBytes) {
      Secret plain(out.substr(0, size));
      wipe(out);
      return plain;
    }
    wipe(out);
    return fail(Code::config, "the token's key does not open keys/keyring; fix: bring the key back that sealed it, or "
                              "restore keys/keyring from a backup");
  }

 private:
  Session(const Module& module, CK_SESSION_HANDLE handle) noexcept : module_(&module), handle_(handle) {}

  static CK_GCM_PARAMS parameters_of(std::string_view nonce, std::string_view additional) noexcept {
    return {bytes(nonce), nonce.size(), nonce.size() * 8, bytes(additional), additional.size(), kTagBits};
  }

  // One AES key of 256 bits with that label, which cannot leave the token.
  Result<CK_OBJECT_HANDLE> find(const std::string& label) const {
    CK_OBJECT_CLASS kind = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    std::array<CK_ATTRIBUTE, 3> wanted{{{CKA_CLASS, &kind, sizeof kind},
                                        {CKA_KEY_TYPE, &type, sizeof type},
                                        {CKA_LABEL, bytes(std::string_view(label)), label.size()}}};
    std::array<CK_OBJECT_HANDLE, 2> found{};
    CK_ULONG count = 0;
    CK_RV code = (*module_)->C_FindObjectsInit(handle_, wanted.data(), wanted.size());
    if (code == CKR_OK) code = (*module_)->C_FindObjects(handle_, found.data(), found.size(), &count);
    if (code != CKR_OK) return refused("C_FindObjects", code);
    (*module_)->C_FindObjectsFinal(handle_);
    if (count == 1) return checked(found[0], label);
    return fail(Code::config, (count == 0 ? "the token has no AES key '" : "the token has several AES keys '") + label +
                                  "'; fix: make one with that label, or correct encryption.hsm_key");
  }

  Result<CK_OBJECT_HANDLE> checked(CK_OBJECT_HANDLE key, const std::string& label) const {
    CK_BBOOL extractable = 1;
    CK_BBOOL sensitive = 0;
    CK_ULONG size = 0;
    std::array<CK_ATTRIBUTE, 3> found{{{CKA_EXTRACTABLE, &extractable, sizeof extractable},
                                       {CKA_SENSITIVE, &sensitive, sizeof sensitive},
                                       {CKA_VALUE_LEN, &size, sizeof size}}};
    const CK_RV code = (*module_)->C_GetAttributeValue(handle_, key, found.data(), found.size());
    if (code != CKR_OK) return refused("C_GetAttributeValue", code);
    if (extractable == 0 && sensitive != 0 && size == kAeadKeyBytes) return key;
    return fail(Code::config, "the token's key '" + label +
                                  "' is not one of 256 bits that stays there; fix: make one that "
                                  "is sensitive and not extractable");
  }

  const Module* module_;
  CK_SESSION_HANDLE handle_;
  CK_OBJECT_HANDLE key_ = 0;
};

}  // namespace

Result<std::string> hsm_seal(const HsmKey& names, const Secret& pin, std::string_view plain,
                             std::string_view additional, Random& random) {
  if (plain.size() > kHsmPlainBytesMax) return fail(Code::limit, "a token seals at most 64 bytes for us");
  const QuietErrors quiet;
  SP_TRY(const Module module, Module::load(names.module));
  SP_TRY(const Session session, Session::open(module, names, pin));
  std::string nonce(kAeadNonceBytes, '\0');
  random.fill(std::as_writable_bytes(std::span(nonce)));
  SP_TRY(const std::string sealed, session.seal(nonce, plain, additional));
  return nonce + sealed;
}

Result<Secret> hsm_open(const HsmKey& names, const Secret& pin, std::string_view sealed, std::string_view additional) {
  if (sealed.size() <= kAeadNonceBytes + kAeadTagBytes ||
      sealed.size() > kAeadNonceBytes + kHsmPlainBytesMax + kAeadTagBytes) {
    return fail(Code::config, "what the token sealed has another length; fix: restore keys/keyring from a backup");
  }
  const QuietErrors quiet;
  SP_TRY(const Module module, Module::load(names.module));
  SP_TRY(const Session session, Session::open(module, names, pin));
  return session.open_sealed(sealed.substr(0, kAeadNonceBytes), sealed.substr(kAeadNonceBytes), additional);
}

}  // namespace sallyport::crypto
