// The access review: every page of it, as a table, as JSON, or as CSV for auditors.
#include <array>
#include <ostream>

#include "cli/context.h"
#include "json/canonical.h"

namespace sallyport::cli {
namespace {

constexpr std::array<Column, 8> kColumns{{{"principal", "PRINCIPAL", 40},
                                          {"name", "NAME", 32},
                                          {"status", "STATUS"},
                                          {"server", "SERVER", 32},
                                          {"tool", "TOOL", 40},
                                          {"doors", "DOORS"},
                                          {"why", "WHY", 90},
                                          {"last_used_at", "LAST USED"}}};
constexpr std::array<std::string_view, 11> kFields{"principal",    "name",  "kind", "status",       "server",   "tool",
                                                   "exposed_name", "doors", "why",  "last_used_at", "use_count"};

// RFC 4180, every field quoted. What a spreadsheet would read as a formula gets an apostrophe: names are other people's.
std::string csv_field(std::string_view text) {
  std::string out = "\"";
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) out += '\'';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out + '"';
}

std::string csv_row(json::Value row) {
  std::string out;
  for (const std::string_view field : kFields) {
    const json::Value value = row.find(field).value_or(json::Value());
    std::string text;
    for (json::Value item : value.elements())
      text.append(text.empty() ? "" : "; ").append(item.as_string().value_or(""));
    if (!value.is_array()) text = value.is_string() ? *value.as_string() : value.is_null() ? "" : value.raw();
    out.append(out.empty() ? "" : ",").append(csv_field(text));
  }
  return out + "\r\n";
}

struct Pages {
  std::string rows;  // raw objects, a comma between them
  std::string since;
  std::uint64_t undecided = 0;
  std::string next;
};

// Adds one page. Errors: those of reading it.
Result<void> take_page(Pages& pages, std::string_view body) {
  SP_TRY(const json::Document page, json::read_upstream_document(body, {.bytes_max = 64U << 20}));
  const json::Value root = page.root();
  for (json::Value row : root.find("data").value_or(json::Value()).elements()) {
    pages.rows.append(pages.rows.empty() ? "" : ",").append(row.raw());
  }
  pages.since = root.string_at("recorded_since").value_or("");
  pages.undecided += root.find("undecided").value_or(json::Value()).as_uint64().value_or(0);
  pages.next = root.string_at("next").value_or("");
  return {};
}

int print(const Context& c, const Pages& pages) {
  const auto all = json::read_upstream_document("[" + pages.rows + "]", {.bytes_max = 256U << 20});
  if (!all) return c.fail_with(kFailure, "too much to show", "name a --principal, a --server or a --tool");
  if (c.options.csv) {
    std::string line;
    for (const std::string_view field : kFields) line.append(line.empty() ? "" : ",").append(csv_field(field));
    c.io.out << line << "\r\n";
    for (json::Value row : all->root().elements()) c.io.out << csv_row(row);
  } else if (c.options.json) {
    json::Writer w;
    w.object().member_raw("data", all->text()).member("undecided", pages.undecided);
    w.member("recorded_since", pages.since).end_object();
    c.io.out << json::pretty(w.text()) << "\n";
  } else if (all->root().size() == 0) {
    c.io.out << "Nobody\n";
  } else {
    c.io.out << render_table(all->root(), {kColumns.begin(), kColumns.end()}, c.io.colour);
    c.io.out << all->root().size() << " rights; uses are written down since " << printable(pages.since) << "\n";
  }
  if (pages.undecided == 0) return kOk;
  return c.fail_with(
      kFailure,
      "the policy could not be asked in " + std::to_string(pages.undecided) + " cases, which are missing here",
      "see sallyport policy check");
}

}  // namespace

int run_access(const Context& c) {
  const Options& o = c.options;
  if (o.csv && o.json) return c.fail_with(kUsage, "either --csv or --json");
  Pages pages;
  do {
    const auto answer =
        c.api("GET", "/api/v1/access/review" + query({{"principal", o.principal},
                                                      {"tool", o.tool},
                                                      {"server", o.server},
                                                      {"unused", o.unused ? std::to_string(*o.unused) : ""},
                                                      {"limit", "1000"},
                                                      {"after", pages.next}}));
    if (!answer || answer->status != 200) return finish(c, answer, details(c));
    if (const auto taken = take_page(pages, answer->body); !taken) {
      return c.fail_with(kFailure, "the gateway answered with what is no JSON");
    }
  } while (!pages.next.empty());
  return print(c, pages);
}

}  // namespace sallyport::cli
