//! What a policy source must not look like. The parser takes time exponential in nested parentheses, and the interpreter
//! recurses on the stack of the thread for each call: both are refused here, before either sees the source.

use std::collections::HashMap;

/// Brackets of all kinds inside each other.
const NESTING_MAX: usize = 12;
/// Rules and functions that need each other in a chain.
const CHAIN_MAX: usize = 64;

pub struct Fault {
    pub file: String,
    pub line: u32,
    pub message: String,
}

struct Token<'a> {
    text: &'a str,
    line: u32,
    starts_line: bool,
    depth: usize,
}

#[derive(Default)]
struct Rule {
    file: String,
    line: u32,
    function: bool,
    uses: Vec<String>,
}

pub fn check(modules: &[(&str, &str)]) -> Result<(), Fault> {
    let mut rules: HashMap<String, Rule> = HashMap::new();
    for (name, source) in modules {
        let tokens = tokens(source).map_err(|(line, message)| Fault { file: name.to_string(), line, message })?;
        collect(name, &tokens, &mut rules);
    }
    let mut by_last: HashMap<&str, Vec<&str>> = HashMap::new();
    for path in rules.keys() {
        by_last.entry(last(path)).or_default().push(path);
    }
    let mut walk = Walk { rules: &rules, by_last: &by_last, state: HashMap::new() };
    let mut paths: Vec<&String> = rules.keys().collect();
    paths.sort();
    for path in paths {
        walk.chain(path, 1)?;
    }
    Ok(())
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn is_name(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_'
}

/// Names with their dots (`data.lib.f`), and marks; strings and comments left out.
fn tokens(source: &str) -> Result<Vec<Token<'_>>, (u32, String)> {
    let bytes = source.as_bytes();
    let mut out = Vec::new();
    let (mut at, mut line, mut depth, mut starts_line) = (0usize, 1u32, 0usize, true);
    while let Some(&c) = bytes.get(at) {
        let begin = at;
        at += 1;
        match c {
            b'\n' => {
                line += 1;
                starts_line = true;
                continue;
            }
            b' ' | b'\t' | b'\r' => continue,
            b'#' => {
                while bytes.get(at).is_some_and(|&b| b != b'\n') {
                    at += 1;
                }
                continue;
            }
            b'"' | b'`' => {
                while bytes.get(at).is_some_and(|&b| b != c) {
                    line += u32::from(bytes.get(at) == Some(&b'\n'));
                    at += if c == b'"' && bytes.get(at) == Some(&b'\\') { 2 } else { 1 };
                }
                at += 1;
                starts_line = false;
                continue;
            }
            b'(' | b'[' | b'{' => {
                if c == b'(' && !starts_line && out.last().is_some_and(|t: &Token<'_>| t.text == "]") {
                    return Err((line, "a function is called through brackets: write its name with dots".to_string()));
                }
                depth += 1;
                if depth > NESTING_MAX {
                    return Err((line, format!("brackets are nested more than {NESTING_MAX} deep")));
                }
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ if is_name(c) => {
                while bytes.get(at).is_some_and(|&b| is_name(b) || b == b'.') {
                    at += 1;
                }
            }
            _ => {}
        }
        if let Some(text) = source.get(begin..at) {
            out.push(Token { text, line, starts_line, depth });
        }
        starts_line = false;
    }
    Ok(out)
}

/// A rule begins with a name at the start of a line outside brackets. What is named until the next one, it uses.
fn collect(file: &str, tokens: &[Token<'_>], rules: &mut HashMap<String, Rule>) {
    let mut package = String::new();
    let mut current: Option<String> = None;
    let mut imports: HashMap<&str, &str> = HashMap::new(); // the name it has here, and the path
    for (i, token) in tokens.iter().enumerate() {
        let previous = i.checked_sub(1).and_then(|p| tokens.get(p)).map_or("", |t| t.text);
        let next = tokens.get(i + 1).map_or("", |t| t.text);
        if previous == "package" {
            package = token.text.to_string();
            continue;
        }
        if previous == "import" {
            let alias = if next == "as" { tokens.get(i + 2).map_or("", |t| t.text) } else { last(token.text) };
            imports.insert(alias, token.text);
            continue;
        }
        let named = token.text.as_bytes().first().is_some_and(|&c| is_name(c));
        let begins = token.starts_line && !matches!(token.text, "default" | "else" | "import" | "package");
        if named && token.depth == 0 && (begins || previous == "default") {
            let path = format!("data.{package}.{}", token.text);
            let rule = rules.entry(path.clone()).or_default();
            if rule.line == 0 {
                rule.line = token.line;
                rule.file = file.to_string();
            }
            rule.function |= next == "(";
            current = Some(path);
        } else if named {
            if let Some(rule) = current.as_ref().and_then(|path| rules.get_mut(path)) {
                let own = !token.text.contains('.');
                rule.uses.push(if own { format!("data.{package}.{}", token.text) } else { token.text.to_string() });
                let (head, rest) = token.text.split_at(token.text.find('.').unwrap_or(token.text.len()));
                if let Some(path) = imports.get(head) {
                    rule.uses.push(format!("{path}{rest}"));
                }
                if own && next == "(" {
                    rule.uses.push(token.text.to_string()); // of another package, behind a path in brackets
                }
            }
        }
    }
}

enum State {
    Open,
    Done(usize),
}

struct Walk<'a> {
    rules: &'a HashMap<String, Rule>,
    by_last: &'a HashMap<&'a str, Vec<&'a str>>,
    state: HashMap<&'a str, State>,
}

impl<'a> Walk<'a> {
    /// The longest chain from `path`. The interpreter finds recursion through rules itself; through functions it does not.
    fn chain(&mut self, path: &'a str, depth: usize) -> Result<usize, Fault> {
        let Some(rule) = self.rules.get(path) else {
            return Ok(0);
        };
        let fault = |message: String| Fault { file: rule.file.clone(), line: rule.line, message };
        match self.state.get(path) {
            Some(State::Done(length)) => return Ok(*length),
            Some(State::Open) if rule.function => return Err(fault(format!("function {path} calls itself"))),
            Some(State::Open) => return Ok(0),
            None => {}
        }
        if depth > CHAIN_MAX {
            return Err(fault(format!("more than {CHAIN_MAX} rules in a chain")));
        }
        self.state.insert(path, State::Open);
        let mut longest = 0;
        for target in &rule.uses {
            for found in self.targets(target) {
                longest = longest.max(self.chain(found, depth + 1)?);
            }
        }
        if longest + 1 > CHAIN_MAX {
            return Err(fault(format!("more than {CHAIN_MAX} rules in a chain")));
        }
        self.state.insert(path, State::Done(longest + 1));
        Ok(longest + 1)
    }

    /// The rules that a name may stand for: itself; through an import, any function of that last name.
    fn targets(&self, name: &'a str) -> Vec<&'a str> {
        if self.rules.contains_key(name) {
            return vec![name];
        }
        let mut found = Vec::new();
        for path in self.by_last.get(last(name)).into_iter().flatten() {
            if !name.starts_with("data.") && self.rules.get(*path).is_some_and(|rule| rule.function) {
                found.push(*path);
            }
        }
        found
    }
}
