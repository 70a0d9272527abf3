// Tools found by words: as a list of those that have all of them (S1), and by how alike they are (S0).
#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>
#include <tuple>

#include "api/registry.h"
#include "api/standing.h"

namespace sallyport::api {
namespace {

constexpr std::size_t kQueryMax = 256;
constexpr std::size_t kWordsMax = 16;
constexpr std::size_t kScoredWordsMax = 6;  // each is a query of its own, on the one thread of the control plane
constexpr std::uint32_t kHitsMax = 5'000;
constexpr std::uint32_t kScoredHitsMax = 500;  // of each word
constexpr std::int64_t kResults = 10;

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool begins_with(std::string_view word, std::string_view beginning) {
  return std::ranges::equal(word.substr(0, beginning.size()), beginning, {}, lower, lower);
}

// A word finds what begins with it: one that another begins with adds nothing but work.
std::vector<std::string> folded(std::vector<std::string> words) {
  std::ranges::sort(words,
                    [](const auto& a, const auto& b) { return a.size() != b.size() ? a.size() > b.size() : a < b; });
  std::vector<std::string> out;
  for (std::string& word : words) {
    if (std::ranges::none_of(out, [&](const auto& longer) { return begins_with(longer, word); }))
      out.push_back(std::move(word));
  }
  return out;
}

// The different words of `text`, at most kWordsMax. Errors: validation.
Result<std::vector<std::string>> split(const std::string& text) {
  std::vector<std::string> words;
  if (text.size() > kQueryMax) return fail(Code::validation, "query: at most 256 bytes and 16 words");
  std::istringstream in(text);
  for (std::string word; in >> word;) words.push_back(std::move(word));
  if (words.empty()) return fail(Code::validation, "query: the words to search for are missing");
  if (words.size() > kWordsMax) return fail(Code::validation, "query: at most 256 bytes and 16 words");
  if (std::ranges::any_of(words, [](const auto& word) { return std::ranges::any_of(word, is_control); })) {
    return fail(Code::validation, "query: no control characters");
  }
  return folded(std::move(words));
}

// Null where the caller may not read it: left out before anything is counted.
ToolPtr readable(const Call& call, const control::ToolHit& hit) {
  ToolPtr tool = tool_by_id(call, hit.server + "/" + hit.name);
  return tool && may_read(call, *tool) ? tool : nullptr;
}

Task<void> prepare_hits(Call& call, const std::vector<control::ToolHit>& hits) {
  co_await prepare(call, [&] {
    for (const control::ToolHit& hit : hits) (void)readable(call, hit);
    (void)sees_places(call);
  });
}

Task<Result<std::vector<control::ToolHit>>> search(Call& call, std::string words, std::uint32_t most) {
  co_return co_await run_for_caller<std::vector<control::ToolHit>>(
      call, call.api.deps().control.search_tools(std::move(words), most));
}

struct Wanted {
  std::vector<std::string> words;
  std::vector<std::string> categories;
  std::size_t most = kResults;
  double threshold = 0;
};

Result<Wanted> read_wanted(const Call& call) {
  Wanted wanted;
  SP_TRY(const std::string query, text_field(call.root(), "query"));
  SP_TRY(wanted.words, split(query));
  if (wanted.words.size() > kScoredWordsMax)
    return fail(Code::validation, "query: at most 6 different words are compared");
  SP_TRY(wanted.categories, texts_field(call.root(), "categories"));
  SP_TRY(const auto most, number_field(call.root(), "max_results", kResults));
  wanted.most = static_cast<std::size_t>(most);
  const auto threshold = call.root().find("similarity_threshold");
  wanted.threshold = threshold ? threshold->as_double().value_or(0) : 0;
  return wanted;
}

bool is_wanted(const Wanted& wanted, const ToolRecord& tool) {
  return wanted.categories.empty() ||
         std::ranges::any_of(wanted.categories, [&](const auto& category) { return is_in(tool, category); });
}

struct Found {
  ToolPtr tool;  // null: not for this caller
  double score = 0;
};
using FoundById = std::map<std::pair<std::string, std::string>, Found>;

// One word's share: 1 for the best of those that the caller may read, bm25 in proportion to it for the others. Within one
// word the rarity of the word cancels out, so that a score does not tell whether tools which the caller may not read have it.
void add_word(const Call& call, const std::vector<control::ToolHit>& hits, double share, FoundById& found) {
  double best = 0;  // the hits come in order
  for (const control::ToolHit& hit : hits) {
    const auto [at, fresh] = found.try_emplace({hit.server, hit.name});
    if (fresh) at->second.tool = readable(call, hit);
    if (!at->second.tool) continue;
    best = std::max(best, hit.score);
    if (best > 0) at->second.score += share * hit.score / best;
  }
}

std::vector<Found> ranked(const Wanted& wanted, FoundById found) {
  std::vector<Found> out;
  for (auto& [id, one] : found) {
    one.score = std::min(1.0, std::round(one.score * 100) / 100);
    if (one.tool && one.score >= wanted.threshold && is_wanted(wanted, *one.tool)) out.push_back(std::move(one));
  }
  std::ranges::sort(out, [](const Found& a, const Found& b) {
    return a.score != b.score ? a.score > b.score
                              : std::tie(a.tool->server, a.tool->name) < std::tie(b.tool->server, b.tool->name);
  });
  out.resize(std::min(out.size(), wanted.most));
  return out;
}

}  // namespace

Task<RestAnswer> search_tools(Call& call) {
  const std::string query = query_value(call.request.query, "query").value_or("");
  const auto words = split(query);
  if (!words) co_return refuse(call, words.error());
  std::string all;
  for (const std::string& word : *words) all.append(word).append(" ");
  const auto hits = co_await search(call, std::move(all), kHitsMax);
  if (!hits) co_return refuse(call, hits.error());
  co_await prepare_hits(call, *hits);
  std::vector<ToolPtr> found;
  for (const auto& hit : *hits) {
    if (ToolPtr tool = tool_by_id(call, hit.server + "/" + hit.name)) found.push_back(std::move(tool));
  }
  co_return co_await list_of_tools(call, co_await readable_of(call, std::move(found)));
}

Task<RestAnswer> find_tools(Call& call) {
  const auto wanted = read_wanted(call);
  if (!wanted) co_return refuse(call, wanted.error());
  FoundById found;
  for (const std::string& word : wanted->words) {
    const auto hits = co_await search(call, word, kScoredHitsMax);
    if (!hits) co_return refuse(call, hits.error());
    co_await prepare_hits(call, *hits);
    add_word(call, *hits, 1.0 / static_cast<double>(wanted->words.size()), found);
  }
  ToolView view{.endpoint = sees_places(call), .s1 = by_s1(call)};
  json::Writer w;
  w.object().key("results").array();
  for (const Found& one : ranked(*wanted, std::move(found))) {
    view.similarity = one.score;
    write_tool(w, call, *one.tool, view);
  }
  w.end_array().end_object();
  co_return ok(w);
}

}  // namespace sallyport::api
