#include "api/qr_image.h"

#include <png.h>
#include <qrencode.h>

#include <memory>
#include <vector>

namespace sallyport::api {
namespace {

constexpr std::size_t kTextBytesMax = 512;
constexpr int kQuiet = 4;  // ISO/IEC 18004, 9.1: light modules around it
constexpr int kPixels = 6;  // a module, in the PNG

class Modules {
 public:
  explicit Modules(QRcode* code) : code_(code, &QRcode_free) {}
  [[nodiscard]] bool made() const { return code_ != nullptr; }
  [[nodiscard]] int side() const { return code_->width + 2 * kQuiet; }
  // With the quiet zone; beyond it everything is light.
  [[nodiscard]] bool dark(int x, int y) const {
    x -= kQuiet;
    y -= kQuiet;
    const int width = code_->width;
    return x >= 0 && y >= 0 && x < width && y < width && (code_->data[y * width + x] & 1U) != 0;
  }

 private:
  std::unique_ptr<QRcode, decltype(&QRcode_free)> code_;
};

// Two rows a line. Light modules are drawn: a terminal is dark.
std::string as_text(const Modules& modules) {
  constexpr const char* kBlocks[]{" ", "▄", "▀", "█"};
  std::string out;
  for (int y = 0; y < modules.side(); y += 2) {
    for (int x = 0; x < modules.side(); ++x) {
      const bool lower = y + 1 < modules.side() && !modules.dark(x, y + 1);
      out += kBlocks[(modules.dark(x, y) ? 0 : 2) + (lower ? 1 : 0)];
    }
    out += '\n';
  }
  return out;
}

std::string as_svg(const Modules& modules) {
  const std::string side = std::to_string(modules.side());
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + side + " " + side +
                    "\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h" + side + "v" + side +
                    "H0z\"/><path d=\"";
  for (int y = 0; y < modules.side(); ++y) {
    for (int x = 0; x < modules.side(); ++x) {
      if (modules.dark(x, y)) out += "M" + std::to_string(x) + " " + std::to_string(y) + "h1v1h-1z";
    }
  }
  return out + "\"/></svg>";
}

Result<std::string> as_png(const Modules& modules) {
  const int side = modules.side() * kPixels;
  std::vector<png_byte> pixels;
  pixels.reserve(static_cast<std::size_t>(side) * static_cast<std::size_t>(side));
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) pixels.push_back(modules.dark(x / kPixels, y / kPixels) ? 0 : 255);
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = image.height = static_cast<png_uint_32>(side);
  image.format = PNG_FORMAT_GRAY;
  png_alloc_size_t size = 0;
  std::string out;
  if (png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr) != 0) {
    out.resize(size);
    if (png_image_write_to_memory(&image, out.data(), &size, 0, pixels.data(), 0, nullptr) != 0) {
      out.resize(size);
      return out;
    }
  }
  return fail(Code::limit, std::string("libpng: ") + image.message);
}

}  // namespace

Result<QrImages> draw_qr(const Secret& text) {
  if (text.empty() || text.size() > kTextBytesMax) return fail(Code::limit, "a QR code holds 1 to 512 bytes here");
  const Modules modules(QRcode_encodeData(
      static_cast<int>(text.size()), reinterpret_cast<const unsigned char*>(text.reveal().data()), 0, QR_ECLEVEL_M));
  if (!modules.made()) return fail(Code::limit, "libqrencode could not encode the text");
  SP_TRY(std::string png, as_png(modules));
  return QrImages{as_text(modules), as_svg(modules), std::move(png)};
}

}  // namespace sallyport::api
