// The one binary: every command of `sallyport`.
#include "app/hooks.h"
#include "cli/cli.h"

int main(int argc, char** argv) {
  auto io = sallyport::cli::process_io();
  return sallyport::cli::run(argc, argv, sallyport::app::make_hooks(argc > 0 ? argv[0] : "sallyport"), io);
}
