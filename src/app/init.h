// The first set-up of a home (`sallyport init`). Main thread, on a started App that does not listen.
#pragma once

#include <string>

#include "app/app.h"
#include "json/canonical.h"
#include "json/writer.h"

namespace sallyport::app {

// What is to be shown once; empty when the home was set up before. `program`: the absolute path of this executable.
Result<std::string> first_setup(App& app, const std::string& program, bool json);

}  // namespace sallyport::app
