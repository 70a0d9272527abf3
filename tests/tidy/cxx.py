"""What the tidy test knows of C++: text without comments and literals, and where functions begin and end.

No parser: it follows braces, and takes a brace for a function's when a parameter list stands before it. Good for code
that clang-format has laid out, as all of ours is.
"""
import re

_TOKEN = re.compile(r"""
    //[^\n]* | /\*.*?\*/                                       # comments
  | (?:u8|[uUL])?R"(?P<mark>[^()\s\\"]{0,16})\(.*?\)(?P=mark)"  # raw strings
  | (?:u8|[uUL])?"(?:\\.|[^"\\\n])*"                            # strings
  | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'                         # characters, but not 1'000
""", re.X | re.S)


def _blank(text, keep_quotes):
    body = re.sub(r"[^\n]", " ", text)
    return '""' + body[2:] if keep_quotes and len(text) >= 2 else body


def without_comments_and_literals(source):
    """The same text, same length and lines; comments are blanks, strings are empty."""
    return _TOKEN.sub(lambda m: _blank(m.group(0), not m.group(0).startswith("/")), source)


def comments(source):
    """(line, text) of each comment."""
    for match in _TOKEN.finditer(source):
        if match.group(0).startswith("/"):
            yield source.count("\n", 0, match.start()) + 1, match.group(0)


_NOT_FUNCTION = re.compile(r"^\s*(?:inline\s+)?(?:namespace|extern\s*\"\")\b|\b(?:class|struct|union|enum)\b[^()]*$")
_NAME = re.compile(r"((?:[\w~]+\s*(?:<[^<>]*>)?\s*::\s*)*(?:operator\s*[^\s(]+|operator\s*\(\s*\)|[\w~]+))\s*\(")


def _opens_function(head):
    """The name, when the text before a `{` is the head of a function; else None."""
    head = re.sub(r"^\s*#.*$", "", head, flags=re.M).strip()
    if "(" not in head or _NOT_FUNCTION.search(head) or re.search(r"=\s*$|\breturn\b", head):
        return None
    if re.search(r"=[^=()]*(?:\{|$)", head.split("(")[0]):
        return None
    names = [m.group(1) for m in _NAME.finditer(head) if m.group(1) not in ("alignas", "decltype", "noexcept", "requires", "__attribute__")]
    if not names:
        return None
    if names[0] in ("TEST", "TEST_F", "TEST_P", "BENCHMARK_DEFINE_F"):
        arguments = head[head.index("(") + 1:head.rindex(")")]
        return names[0] + "(" + " ".join(arguments.split()) + ")"
    return re.sub(r"\s+", "", names[0])


def functions(source):
    """(name, first line, number of lines) of each function that has a body. A lambda belongs to the function it stands in."""
    text = without_comments_and_literals(source)
    depth_in_function = 0
    begun = None
    head_at = 0
    stack = []
    for match in re.finditer(r"[{};]", text):
        mark, at = match.group(0), match.start()
        if depth_in_function:
            depth_in_function += {"{": 1, "}": -1}.get(mark, 0)
            if depth_in_function == 0:
                name, start = begun
                line = text.count("\n", 0, start) + 1
                yield name, line, text.count("\n", 0, at) + 2 - line
                head_at = at + 1
            continue
        if mark == "{":
            head = text[head_at:at]
            name = _opens_function(head)
            if name:
                begun = (name, head_at + len(head) - len(head.lstrip()))
                depth_in_function = 1
            else:
                stack.append(mark)
                # `int a{1}, b` and initialisers go on; a namespace or a class begins anew
                head_at = at + 1
        else:
            if mark == "}" and stack:
                stack.pop()
            head_at = at + 1
