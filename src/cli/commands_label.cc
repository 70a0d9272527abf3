// Labels: what is said of tools and servers, and what calls have left with their callers.
#include "cli/context.h"

namespace sallyport::cli {

int run_label_of(const Context& c, std::string_view path) {
  const Options& o = c.options;
  if (o.labels.empty() && !o.no_labels) {
    return c.fail_with(kUsage, "no label was named", "see sallyport " + o.command + " --help; --none takes all away");
  }
  json::Writer w;
  w.object();
  write_list(w, "labels", o.labels, o.no_labels);
  w.end_object();
  return finish(c, c.api("PUT", std::string(path) + "/labels", w.text()), [&](json::Value root) {
    const std::string now = cell_text(root, "labels");
    return printable(o.name) + ": " + (now.empty() || now == "[]" ? "no labels" : printable(now, 1000)) + "\n";
  });
}

int run_label(const Context& c) {
  const Options& o = c.options;
  if (o.command == "label clear") {
    json::Writer w;
    w.object().member("principal", o.name).member("reason", o.reason);
    if (!o.label.empty()) w.member("label", o.label);
    w.end_object();
    return finish(c, c.api("POST", "/api/v1/labels/clear", w.text()), details(c));
  }
  const std::string path =
      "/api/v1/labels" +
      query({{"principal", o.principal}, {"limit", std::to_string(o.limit)}, {"offset", std::to_string(o.offset)}});
  return finish(c, c.api("GET", path),
                list_of(c,
                        {{"principal", "PRINCIPAL", 50},
                         {"name", "NAME", 30},
                         {"label", "LABEL"},
                         {"set_by", "SET BY", 50},
                         {"until", "UNTIL"}},
                        "Nobody carries a label"));
}

}  // namespace sallyport::cli
