//! Which lines of the rules an evaluation reached, and which bodies hold on an input. The lines are what the interpreter itself
//! noted while it decided (regorus' feature `coverage`); the rules they belong to come from the parser.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use regorus::unstable::{Expr, Import, Literal, Module, Parser, Query, Ref, Rule, RuleBody, RuleHead, Source, Span};
use regorus::{Engine, Value};
use serde_json::json;

use crate::engine::{set_budget, whole_input, PolicyEngine};

type Lines = BTreeSet<u32>;

/// One body of a rule, or a rule without one.
struct Body {
    rule: String,
    kind: &'static str,
    line: u32,
    last_line: u32,
    lines: Lines,
    /// What stands between the braces; none where it cannot be asked apart from its rule.
    query: Option<String>,
    holds: Option<bool>,
}

struct File {
    name: String,
    v1: bool,
    package: String,
    imports: String,
    lines: Lines,
    bodies: Vec<Body>,
}

impl PolicyEngine {
    /// Notes the lines from now on, or no more; what was noted before is forgotten.
    pub fn set_coverage(&mut self, on: bool) {
        self.engine.set_enable_coverage(on);
        self.engine.clear_coverage_data();
    }

    /// JSON: what was reached since. With a question, bodies that were reached are asked apart whether they hold on it.
    pub fn coverage(&mut self, question: Option<(&str, Option<&str>)>, budget: Duration) -> Result<String, String> {
        let report = self.engine.get_coverage_report().map_err(|e| e.to_string())?;
        let reached: BTreeMap<String, Lines> = report.files.into_iter().map(|f| (f.path, f.covered)).collect();
        let none = Lines::new();
        let mut files = Vec::new();
        for source in self.engine.get_policies().map_err(|e| e.to_string())? {
            files.push(read(&source)?);
        }
        if let Some((input, arguments)) = question {
            let input = whole_input(input, arguments)?;
            for file in &mut files {
                let lines = reached.get(&file.name).unwrap_or(&none).clone();
                ask_bodies(&self.engine, file, &lines, &input, budget);
            }
        }
        let shown: Vec<_> = files.iter().map(|file| shown(file, reached.get(&file.name).unwrap_or(&none))).collect();
        serde_json::to_string(&shown).map_err(|e| e.to_string())
    }
}

fn shown(file: &File, reached: &Lines) -> serde_json::Value {
    let hit = |lines: &Lines| lines.intersection(reached).copied().collect::<Vec<_>>();
    let missed = |lines: &Lines| lines.difference(reached).copied().collect::<Vec<_>>();
    let bodies: Vec<_> = file
        .bodies
        .iter()
        .map(|b| {
            json!({"rule": b.rule, "kind": b.kind, "line": b.line, "last_line": b.last_line, "holds": b.holds,
                   "reached": hit(&b.lines), "not_reached": missed(&b.lines)})
        })
        .collect();
    json!({"file": file.name, "reached": hit(&file.lines), "not_reached": missed(&file.lines), "bodies": bodies})
}

/// As Rego v1, or as v0 where that fails: as the engine reads it.
fn read(source: &Source) -> Result<File, String> {
    let parse = |v1: bool| -> anyhow::Result<Module> {
        let mut parser = Parser::new(source)?;
        if v1 {
            parser.enable_rego_v1()?;
        }
        parser.parse()
    };
    let (module, v1) = match parse(true) {
        Ok(module) => (module, true),
        Err(_) => (parse(false).map_err(|e| e.to_string())?, false),
    };
    let mut file = File {
        name: source.file().clone(),
        v1,
        package: module.package.refr.span().text().to_string(),
        imports: module.imports.iter().map(import_text).collect(),
        lines: Lines::new(),
        bodies: Vec::new(),
    };
    for rule in &module.policy {
        read_rule(rule, &mut file);
    }
    file.lines = file.bodies.iter().flat_map(|body| body.lines.iter().copied()).collect();
    Ok(file)
}

fn import_text(import: &Import) -> String {
    format!("{}\n", import.span.text())
}

fn read_rule(rule: &Ref<Rule>, file: &mut File) {
    let (head, bodies) = match rule.as_ref() {
        Rule::Default { span, refr, value, .. } => {
            file.bodies.push(body(name(refr, file), "default", span, lines_of(value), None));
            return;
        }
        Rule::Spec { head, bodies, .. } => (head, bodies),
    };
    let (refr, value, function) = match head {
        RuleHead::Compr { refr, assign, .. } => (refr, assign.as_ref().map(|a| &a.value), false),
        RuleHead::Set { refr, key, .. } => (refr, key.as_ref(), false),
        RuleHead::Func { refr, assign, .. } => (refr, assign.as_ref().map(|a| &a.value), true),
    };
    let kind = if function { "function" } else { "rule" };
    let of_head = value.map(lines_of).unwrap_or_default();
    if bodies.is_empty() {
        file.bodies.push(body(name(refr, file), kind, rule.span(), of_head, None));
        return;
    }
    for (i, one) in bodies.iter().enumerate() {
        let mut lines = Lines::new();
        add_query(&one.query, &mut lines);
        let query = if function { None } else { inner_text(&one.query) };
        let mut made = body(name(refr, file), if one.is_else { "else" } else { kind }, &one.span, lines, query);
        if i == 0 {
            made.line = rule.span().line;
            made.lines.extend(&of_head);
        }
        made.lines.extend(value_of(one));
        file.bodies.push(made);
    }
}

fn value_of(body: &RuleBody) -> Lines {
    body.assign.as_ref().map(|assign| lines_of(&assign.value)).unwrap_or_default()
}

fn body(rule: String, kind: &'static str, span: &Span, lines: Lines, query: Option<String>) -> Body {
    let breaks = span.text().trim_end().matches('\n').count();
    let last_line = span.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
    Body { rule, kind, line: span.line, last_line, lines, query, holds: None }
}

fn name(refr: &Ref<Expr>, file: &File) -> String {
    let text = refr.span().text();
    format!("{}.{}", file.package, text.split(['[', '(', '\n']).next().unwrap_or(text))
}

/// What stands between the braces, or the one statement without them.
fn inner_text(query: &Ref<Query>) -> Option<String> {
    let first = query.stmts.first()?;
    let text = query.span.source.contents();
    let begin = usize::try_from(query.span.start).ok()?;
    let end = usize::try_from(query.span.end).ok()?;
    if first.span.start > query.span.start {
        return text.get(begin..end)?.strip_prefix('{')?.strip_suffix('}').map(str::to_string);
    }
    // Spans leave out the quotes of a string that stands at their beginning or end.
    let quote = |at: usize| matches!(text.as_bytes().get(at), Some(b'"' | b'`'));
    let begin = if begin > 0 && quote(begin - 1) { begin - 1 } else { begin };
    let end = if quote(end) { end + 1 } else { end };
    text.get(begin..end).map(str::to_string)
}

fn add_query(query: &Query, out: &mut Lines) {
    for statement in &query.stmts {
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { value, collection, .. } => {
                add(value, out);
                add(collection, out);
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => add(expr, out),
            Literal::Every { domain, query, .. } => {
                add(domain, out);
                add_query(query, out);
            }
        }
    }
}

fn lines_of(expr: &Ref<Expr>) -> Lines {
    let mut out = Lines::new();
    add(expr, &mut out);
    out
}

/// The lines that the interpreter's own report counts: of each expression; of a comprehension those of its body.
fn add(expr: &Ref<Expr>, out: &mut Lines) {
    let each = |items: &[Ref<Expr>], out: &mut Lines| items.iter().for_each(|item| add(item, out));
    match expr.as_ref() {
        Expr::ArrayCompr { query, .. } | Expr::SetCompr { query, .. } | Expr::ObjectCompr { query, .. } => {
            return add_query(query, out);
        }
        Expr::Array { items, .. } | Expr::Set { items, .. } => each(items, out),
        Expr::Call { params, .. } => each(params, out),
        Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
            add(key, out);
            add(value, out);
        }),
        Expr::UnaryExpr { expr, .. } => add(expr, out),
        Expr::RefDot { refr, .. } => add(refr, out),
        Expr::RefBrack { refr, index, .. } => {
            add(refr, out);
            add(index, out);
        }
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => {
            add(lhs, out);
            add(rhs, out);
        }
        Expr::Membership { key, value, collection, .. } => {
            key.iter().for_each(|key| add(key, out));
            add(value, out);
            add(collection, out);
        }
        _ => {}
    }
    out.insert(expr.span().line);
}

/// Asks each body that was reached as a rule of its own, in a copy of the engine: the same modules and data, and one more file with
/// the same package and imports. What cannot be asked so, or not in time, stays open; no decision hangs on it.
fn ask_bodies(engine: &Engine, file: &mut File, reached: &Lines, input: &Value, budget: Duration) {
    const NAME: &str = "sallyport_asks_apart_";
    let mut source = format!("package {}\n{}", file.package, file.imports);
    let begins = if file.v1 { "if {" } else { "{" };
    let mut asked = Vec::new();
    for (i, body) in file.bodies.iter().enumerate() {
        let Some(query) = body.query.as_ref().filter(|_| !body.lines.is_disjoint(reached)) else {
            continue;
        };
        source.push_str(&format!("\n{NAME}{i} {begins}\n{query}\n}}\n"));
        asked.push(i);
    }
    let mut copy = engine.clone();
    copy.set_enable_coverage(false);
    copy.set_rego_v0(!file.v1);
    if asked.is_empty() || copy.add_policy(format!("{NAME}.rego"), source).is_err() {
        return;
    }
    copy.set_input(input.clone());
    let end = Instant::now() + budget;
    for i in asked {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        set_budget(&mut copy, left);
        let value = copy.eval_rule(format!("data.{}.{NAME}{i}", file.package));
        if let (Some(body), Ok(value)) = (file.bodies.get_mut(i), value) {
            body.holds = Some(matches!(value, Value::Bool(true)));
        }
    }
}
