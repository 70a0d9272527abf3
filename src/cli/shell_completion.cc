#include "cli/shell_completion.h"

namespace sallyport::cli {
namespace {

std::string joined(const CompletionNode& node, bool options) {
  std::string out;
  for (const auto& [word, about] : node.words) out += (out.empty() ? "" : " ") + word;
  if (!options) return out;
  for (const std::string& option : node.options) out += (out.empty() ? "" : " ") + option;
  return out;
}

// The path typed so far: words that are sub-commands, options left out.
std::string bash(const std::vector<CompletionNode>& nodes) {
  std::string out = "# bash completion of sallyport\n"
                    "_sallyport() {\n"
                    "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" path=\"\" word words i\n"
                    "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
                    "    word=\"${COMP_WORDS[i]}\"\n"
                    "    case \"${path:+$path }$word\" in\n";
  std::string known;
  for (const CompletionNode& node : nodes) {
    if (!node.path.empty()) known += (known.empty() ? "" : "|") + ("'" + node.path + "'");
  }
  out += "      " + known + ") path=\"${path:+$path }$word\" ;;\n    esac\n  done\n  case \"$path\" in\n";
  for (const CompletionNode& node : nodes) out += "    '" + node.path + "') words='" + joined(node, true) + "' ;;\n";
  return out + "  esac\n"
               "  if [[ \"${COMP_WORDS[COMP_CWORD-1]}\" == --config || \"$path\" == import ]]; then\n"
               "    COMPREPLY=($(compgen -f -- \"$cur\") $(compgen -W \"$words\" -- \"$cur\"))\n"
               "  else\n"
               "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
               "  fi\n"
               "}\n"
               "complete -F _sallyport sallyport\n";
}

std::string zsh(const std::vector<CompletionNode>& nodes) {
  std::string out = "#compdef sallyport\n"
                    "_sallyport() {\n"
                    "  local path='' word\n"
                    "  for word in ${words[2,CURRENT-1]}; do\n"
                    "    case \"${path:+$path }$word\" in\n";
  std::string known;
  for (const CompletionNode& node : nodes) {
    if (!node.path.empty()) known += (known.empty() ? "" : "|") + ("'" + node.path + "'");
  }
  out += "      " + known + ") path=\"${path:+$path }$word\" ;;\n    esac\n  done\n  case \"$path\" in\n";
  for (const CompletionNode& node : nodes) {
    out += "    '" + node.path + "') compadd -- " + joined(node, true) + (node.path == "import" ? "; _files" : "") +
           " ;;\n";
  }
  return out + "  esac\n}\ncompdef _sallyport sallyport\n";
}

std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish(const std::vector<CompletionNode>& nodes) {
  std::string out = "# fish completion of sallyport\ncomplete -c sallyport -f\n";
  for (const CompletionNode& node : nodes) {
    std::string when = "__fish_use_subcommand";
    if (!node.path.empty()) {
      when = "__fish_seen_subcommand_from " + node.path.substr(0, node.path.find(' '));
      const auto space = node.path.find(' ');
      if (space != std::string::npos) when += "; and __fish_seen_subcommand_from " + node.path.substr(space + 1);
      if (!node.words.empty()) when += "; and not __fish_seen_subcommand_from " + joined(node, false);
    }
    for (const auto& [word, about] : node.words) {
      out += "complete -c sallyport -n " + fish_quoted(when) + " -a " + fish_quoted(word) + " -d " +
             fish_quoted(about) + "\n";
    }
    for (const std::string& option : node.options) {
      out += "complete -c sallyport -n " + fish_quoted(when) + " -l " + fish_quoted(option.substr(2)) + "\n";
    }
    if (node.path == "import") out += "complete -c sallyport -n " + fish_quoted(when) + " -F\n";
  }
  return out;
}

}  // namespace

std::string completion_text(const std::string& shell, const std::vector<CompletionNode>& nodes) {
  if (shell == "bash") return bash(nodes);
  return shell == "zsh" ? zsh(nodes) : fish(nodes);
}

}  // namespace sallyport::cli
