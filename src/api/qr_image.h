// A QR code (ISO/IEC 18004) as people can scan it: on a terminal, in a page, in a file. By libqrencode and libpng. Any thread.
#pragma once

#include <string>

#include "core/result.h"
#include "core/secret.h"

namespace sallyport::api {

struct QrImages {
  std::string text;  // UTF-8 half blocks, for a dark terminal
  std::string svg;
  std::string png;  // the file's bytes
};

// `text` 1..512 bytes, else Code::limit.
Result<QrImages> draw_qr(const Secret& text);

}  // namespace sallyport::api
