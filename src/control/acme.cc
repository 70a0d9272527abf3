#include "control/acme.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "crypto/x509_key.h"

namespace sallyport::control {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileBytesMax = 256U << 10;
constexpr std::chrono::seconds kLimit{300};
constexpr std::chrono::hours kLifeMin{1};  // it would be ordered again at once, and always

Result<void> make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail(Code::io, "make " + folder.string() + ": " + std::generic_category().message(errno));
}

// lego writes <webroot>/.well-known/acme-challenge/TOKEN, the listener reads <certs>/acme/TOKEN: one folder by two names.
Result<void> make_webroot(const fs::path& webroot) {
  SP_CHECK(make_folder(webroot));
  SP_CHECK(make_folder(webroot / ".well-known"));
  const fs::path link = webroot / ".well-known" / "acme-challenge";
  if (::symlink("..", link.c_str()) == 0 || errno == EEXIST) return {};
  return fail(Code::io, "make " + link.string() + ": " + std::generic_category().message(errno));
}

Result<std::string> read_file(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fail(Code::not_found, "the ACME client left no " + path.filename().string());
  std::string text(kFileBytesMax + 1, '\0');
  std::size_t size = 0;
  for (ssize_t got = 1; got > 0 && size < text.size(); size += static_cast<std::size_t>(got)) {
    got = ::read(fd, text.data() + size, text.size() - size);
    if (got < 0) break;
  }
  ::close(fd);
  if (size > kFileBytesMax) return fail(Code::limit, path.string() + " is too long");
  text.resize(size);
  return text;
}

bool names(const crypto::CertificateFacts& facts, const std::string& host) {
  return std::ranges::any_of(facts.alt_names, [&](const crypto::AltName& name) {
    return name.kind == crypto::AltNameKind::dns && name.value == host;
  });
}

Result<void> check(const crypto::Certificate& leaf, const crypto::CertificateKey& key, const AcmeRules& rules,
                   WallTime now) {
  const auto& facts = leaf.facts();
  if (!leaf.belongs_to(key)) return fail(Code::crypto, "the certificate belongs to another key");
  if (facts.is_ca || !facts.for_server) return fail(Code::validation, "the certificate is not for serving");
  if (facts.not_after <= now) return fail(Code::validation, "the certificate has ended already");
  if (facts.not_after < now + kLifeMin) return fail(Code::validation, "the certificate ends in less than an hour");
  for (const std::string& host : rules.hosts) {
    if (!names(facts, host)) return fail(Code::validation, "the certificate does not name " + host);
  }
  return {};
}

// As lego names the folder of a directory's accounts: its host, with _ for the colon before a port.
std::string accounts_of(const std::string& directory) {
  const auto scheme = directory.find("://");
  const auto start = scheme == std::string::npos ? 0 : scheme + 3;
  std::string host = directory.substr(start, directory.find('/', start) - start);
  std::ranges::replace(host, ':', '_');
  return host;
}

void add_challenge(std::vector<std::string>& argv, const AcmeRules& rules, const fs::path& certs, const AcmeRun& run) {
  if (!rules.tls_alpn) {
    argv.insert(argv.end(), {"--http", "--http.webroot", (certs / "acme").string()});
  } else if (rules.port != 0) {
    argv.insert(argv.end(), {"--tls", "--tls.port", ":" + std::to_string(rules.port)});
  } else {
    argv.insert(argv.end(), {"--tls", "--tls.port", "127.0.0.1:" + std::to_string(run.inner_port)});
  }
}

}  // namespace

bool needs_binding(const AcmeRules& rules, const fs::path& certs) {
  std::error_code error;
  const fs::path account = certs / "lego" / "accounts" / accounts_of(rules.directory) / rules.email / "account.json";
  return !rules.eab_kid.empty() && !fs::exists(account, error);
}

Result<std::uint16_t> free_loopback_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in there{};
  there.sin_family = AF_INET;
  there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof there;
  auto* const address = reinterpret_cast<sockaddr*>(&there);
  const bool good = fd >= 0 && ::bind(fd, address, size) == 0 && ::getsockname(fd, address, &size) == 0;
  const int why = errno;
  if (fd >= 0) ::close(fd);
  if (!good) return fail(Code::io, "a port of 127.0.0.1: " + std::generic_category().message(why));
  return ntohs(there.sin_port);
}

namespace {

// 0, or errno. An address that is still of a connection that ended is no hindrance to lego (SO_REUSEADDR), nor is it here.
int try_listening(int family, std::uint16_t port) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int yes = 1, no = 0;
  (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (family == AF_INET6) (void)::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  const auto* const there =
      family == AF_INET6 ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
  const bool good = ::bind(fd, there, family == AF_INET6 ? sizeof six : sizeof four) == 0 && ::listen(fd, 1) == 0;
  const int why = good ? 0 : errno;
  ::close(fd);
  return why;
}

}  // namespace

Result<void> try_acme_port(const AcmeRules& rules) {
  if (!rules.enabled || !rules.tls_alpn || rules.port == 0) return {};
  int why = try_listening(AF_INET6, rules.port);
  if (why == EAFNOSUPPORT || why == EADDRNOTAVAIL) why = try_listening(AF_INET, rules.port);
  if (why == 0) return {};
  const std::string port = "acme.port: port " + std::to_string(rules.port);
  constexpr std::string_view kOrZero = ", or leave acme.port at 0 where the gateway serves TLS on port 443 itself";
  if (why == EADDRINUSE) {
    return fail(Code::io, port +
                              " is in use, so the ACME client could not listen there; fix: stop the other server, "
                              "or name a free one" +
                              std::string(kOrZero));
  }
  if (why == EACCES) {
    return fail(Code::io,
                port +
                    " needs root or CAP_NET_BIND_SERVICE, which the ACME client has not; fix: name one above 1023 "
                    "that port 443 is forwarded to" +
                    std::string(kOrZero));
  }
  return fail(Code::io, port + " cannot be listened at: " + std::generic_category().message(why) +
                            "; fix: name another" + std::string(kOrZero));
}

Result<ChildOrder> acme_order(const AcmeRules& rules, const fs::path& certs, const AcmeRun& run) {
  SP_CHECK(make_folder(certs / "lego"));
  SP_CHECK(make_webroot(certs / "acme"));
  ChildOrder order;
  order.argv = {rules.program, "--accept-tos", "--server", rules.directory,
                "--email",     rules.email,    "--path",   (certs / "lego").string(),
                "--key-type",  "ec256"};
  for (const std::string& host : rules.hosts) order.argv.insert(order.argv.end(), {"--domains", host});
  add_challenge(order.argv, rules, certs, run);
  if (!run.eab_hmac.empty()) {
    order.argv.insert(order.argv.end(),
                      {"--eab", "--kid", rules.eab_kid, "--hmac", std::string(run.eab_hmac.reveal())});
  }
  order.argv.emplace_back("run");
  order.environment = {"PATH=/usr/bin:/bin", "HOME=" + (certs / "lego").string()};
  if (!rules.ca.empty()) order.environment.push_back("LEGO_CA_CERTIFICATES=" + rules.ca);
  order.folder = (certs / "lego").string();
  order.limit = kLimit;
  return order;
}

Result<AcmeCertificate> take_acme_certificate(const AcmeRules& rules, const fs::path& certs, WallTime now) {
  const fs::path folder = certs / "lego" / "certificates";
  const std::string name = rules.hosts.front();
  SP_TRY(std::string chain_pem, read_file(folder / (name + ".crt")));
  SP_TRY(std::string key_text, read_file(folder / (name + ".key")));
  const Secret key_pem(std::move(key_text));
  SP_TRY(const auto chain, crypto::Certificate::chain_from_pem(chain_pem));
  SP_TRY(const auto key, crypto::CertificateKey::from_pem(key_pem.reveal()));
  SP_CHECK(check(chain.front(), key, rules, now));
  SP_TRY(Secret pkcs8, key.private_pem());
  std::error_code error;
  fs::remove_all(folder, error);  // the key is in one place
  return AcmeCertificate{std::move(chain_pem), std::move(pkcs8)};
}

}  // namespace sallyport::control
