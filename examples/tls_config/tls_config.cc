// Certificates for a server of one's own, by the gateway's code:
//   sallyport-tls-config FOLDER HOST [CLIENT]
// makes an authority and a certificate for HOST in FOLDER, or leaves them as they are while they are good, and says which
// files to load. With CLIENT it issues a certificate for that client as well, and prints it with its key.
#include <iostream>

#include "sdk/tls_config.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: " << argv[0] << " FOLDER HOST [CLIENT]\n";
    return 2;
  }
  sallyport::sdk::TLSConfig tls(argv[1]);
  const auto files = tls.setup_certificates(argv[2]);
  if (!files) {
    std::cerr << files.error().detail << "\n";
    return 1;
  }
  std::cout << "certificate " << files->certificate.string() << "\nkey " << files->key.string() << "\nauthority "
            << files->authority.string() << "\nrevocations " << files->revocations.string() << "\n";
  if (argc == 3) return 0;
  const auto client = tls.issue_client(argv[3]);
  if (!client) {
    std::cerr << client.error().detail << "\n";
    return 1;
  }
  std::cout << client->certificate_pem << client->key_pem.reveal();
  return 0;
}
