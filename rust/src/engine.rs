//! The engine proper: safe Rust over regorus.

use std::num::NonZeroU32;
use std::time::Duration;

use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, Value};

use crate::tree;

/// Work units between two looks at the clock.
const CHECK_INTERVAL: NonZeroU32 = match NonZeroU32::new(64) {
    Some(n) => n,
    None => NonZeroU32::MIN,
};
const INPUT_BYTES_MAX: usize = 16 << 20;

pub struct CompileError {
    pub file: String,
    pub message: String,
    pub line: u32,
    pub column: u32,
}

impl From<tree::Fault> for CompileError {
    fn from(fault: tree::Fault) -> CompileError {
        CompileError { file: fault.file, message: fault.message, line: fault.line, column: fault.column }
    }
}

pub struct Decision {
    pub allow: bool,
    pub deny: bool,
    pub reasons: String,
    /// JSON; empty where there are none.
    pub obligations: String,
}

/// How `deny` or `obligations` of a package is asked for.
#[derive(Clone)]
enum Place {
    Absent,
    Rule(String),
    /// Rules below it (`deny["x"] := true`, `package p.deny`): no rule of its own, but a document.
    Document(String),
}

/// Names of one package's rules, found out once.
#[derive(Clone)]
struct Rules {
    package: String,
    allow: Option<String>,
    deny: Place,
    obligations: Place,
}

#[derive(Clone)]
pub struct PolicyEngine {
    pub(crate) engine: Engine,
    names: Vec<String>,
    rules: Vec<Rules>,
    budget: Option<Duration>,
    pub poisoned: bool,
}

impl PolicyEngine {
    pub fn new(modules: &[(&str, &str)]) -> Result<PolicyEngine, CompileError> {
        crate::shape::check(modules)
            .map_err(|f| CompileError { file: f.file, message: f.message, line: f.line, column: 1 })?;
        let mut engine = Engine::new();
        if let Err(e) = crate::bounded::install(&mut engine) {
            return Err(located("", &e.to_string()));
        }
        for (name, source) in modules {
            add(&mut engine, name, source)?;
        }
        crate::chain::check(engine.get_modules())?;
        // Compiles the whole, so that errors between modules (recursion, conflicts, unsafe variables) show now.
        engine.set_input(Value::new_object());
        set_budget(&mut engine, Duration::from_secs(1));
        if let Err(e) = engine.eval_query("1".to_string(), false) {
            return Err(located("", &e.to_string()));
        }
        crate::calls::check(engine.get_modules())?;
        engine.set_strict_builtin_errors(true);
        let names = modules.iter().map(|(name, _)| name.to_string()).collect();
        let mut made = PolicyEngine { engine, names, rules: Vec::new(), budget: None, poisoned: false };
        made.find_rules();
        Ok(made)
    }

    /// Finds out now what each package is asked for, so that a clone need not. One without `allow` says so when asked.
    fn find_rules(&mut self) {
        let packages = self.engine.get_packages().unwrap_or_default();
        for package in packages.iter().filter_map(|path| path.strip_prefix("data.")) {
            let _ = self.rules_of(package);
        }
    }

    pub fn add_data(&mut self, json: &str) -> Result<(), String> {
        self.engine.add_data_json(json).map_err(|e| e.to_string())
    }

    pub fn set_strict(&mut self, strict: bool) {
        self.engine.set_strict_builtin_errors(strict);
    }

    pub fn decide(
        &mut self,
        package: &str,
        input: &str,
        arguments: Option<&str>,
        with_obligations: bool,
        budget: Duration,
    ) -> Result<Decision, String> {
        self.usable(budget)?;
        let (allow_rule, rules) = self.rules_of(package)?;
        self.engine.set_input(whole_input(input, arguments)?);
        let allow = match self.patiently(budget, |engine| engine.eval_rule(allow_rule.clone())) {
            Ok(value) => matches!(value, Value::Bool(true)),
            Err(e) => return Err(format!("data.{package}.allow: {e}")),
        };
        let mut decision = Decision { allow, deny: false, reasons: String::new(), obligations: String::new() };
        let denials = self.value_at(&rules.deny, budget).map_err(|e| format!("data.{package}.deny: {e}"))?;
        read_deny(&denials, &mut decision);
        if with_obligations && decision.allow && !decision.deny {
            let wrong = |e| format!("data.{package}.obligations: {e}");
            let value = self.value_at(&rules.obligations, budget).map_err(wrong)?;
            if value != Value::Undefined {
                decision.obligations = value.to_json_str().map_err(wrong)?;
            }
        }
        Ok(decision)
    }

    /// Undefined where no rule says anything.
    fn value_at(&mut self, place: &Place, budget: Duration) -> anyhow::Result<Value> {
        match place {
            Place::Absent => Ok(Value::Undefined),
            Place::Rule(rule) => self.patiently(budget, |engine| engine.eval_rule(rule.clone())),
            Place::Document(path) => self.patiently(budget, |engine| {
                let results = engine.eval_query(path.clone(), false)?;
                let first = results.result.first().and_then(|r| r.expressions.first());
                Ok(first.map_or(Value::Undefined, |expression| expression.value.clone()))
            }),
        }
    }

    pub fn query(&mut self, query: &str, input: &str, budget: Duration) -> Result<String, String> {
        self.usable(budget)?;
        self.engine.set_input(any_input(input)?);
        let results = self.engine.eval_query(query.to_string(), false).map_err(|e| e.to_string())?;
        serde_json::to_string(&results.result).map_err(|e| e.to_string())
    }

    fn usable(&mut self, budget: Duration) -> Result<(), String> {
        if self.poisoned {
            return Err("the engine broke in an earlier evaluation".to_string());
        }
        if self.budget != Some(budget) {
            set_budget(&mut self.engine, budget);
            self.budget = Some(budget);
        }
        Ok(())
    }

    /// The budget is wall-clock time, and on a busy machine the thread may lose the processor within it: what exceeds it is
    /// asked once more with four times as much.
    fn patiently(
        &mut self,
        budget: Duration,
        evaluate: impl Fn(&mut Engine) -> anyhow::Result<Value>,
    ) -> anyhow::Result<Value> {
        let first = evaluate(&mut self.engine);
        match &first {
            Err(e) if e.to_string().contains("time limit") => {}
            _ => return first,
        }
        set_budget(&mut self.engine, budget.saturating_mul(4));
        let second = evaluate(&mut self.engine);
        set_budget(&mut self.engine, budget);
        second
    }

    fn rules_of(&mut self, package: &str) -> Result<(String, Rules), String> {
        let found = match self.rules.iter().find(|r| r.package == package) {
            Some(rules) => rules.clone(),
            None => {
                let rules = Rules {
                    package: package.to_string(),
                    allow: self.declared(package, "allow"),
                    deny: self.place_of(package, "deny"),
                    obligations: self.place_of(package, "obligations"),
                };
                self.rules.push(rules.clone());
                rules
            }
        };
        match found.allow.clone() {
            Some(allow) => Ok((allow, found)),
            None => Err(format!("no rule data.{package}.allow")),
        }
    }

    /// Absent only where no module declares anything at or below it; in doubt it is asked for as a document.
    fn place_of(&self, package: &str, name: &str) -> Place {
        if let Some(rule) = self.declared(package, name) {
            return Place::Rule(rule);
        }
        let path = format!("data.{package}.{name}");
        let absent = self.names.iter().all(|name| {
            matches!(self.engine.has_declared_rule_rooted_at(name, &path), Ok(false))
        });
        if absent {
            Place::Absent
        } else {
            Place::Document(path)
        }
    }

    /// Compiling with an entry point fails where there is no such rule, and evaluates nothing.
    fn declared(&self, package: &str, rule: &str) -> Option<String> {
        let path = format!("data.{package}.{rule}");
        let mut probe = self.engine.clone();
        probe.compile_with_entrypoint(&path.as_str().into()).ok().map(|_| path)
    }
}

fn add(engine: &mut Engine, name: &str, source: &str) -> Result<(), CompileError> {
    engine.set_rego_v0(false);
    let Err(first) = engine.add_policy(name.to_string(), source.to_string()) else {
        return Ok(());
    };
    engine.set_rego_v0(true);
    let second = engine.add_policy(name.to_string(), source.to_string());
    engine.set_rego_v0(false);
    if second.is_err() || !is_of_v0(engine) {
        return Err(located(name, &first.to_string()));
    }
    Ok(())
}

/// In v0 without `import future.keywords.if` that word is a name: `allow if {...}` is read as the rule `allow`, true always, and
/// a rule `if {...}` behind it. So what has a rule of that name was meant as v1, and is wrong as such.
fn is_of_v0(engine: &mut Engine) -> bool {
    let rules = engine.get_modules().last().map_or(&[] as &[_], |module| module.policy.as_slice());
    rules.iter().all(|rule| !tree::parts(tree::declared(rule)).is_some_and(|(name, _)| name.first().is_some_and(|n| n == "if")))
}

pub(crate) fn set_budget(engine: &mut Engine, budget: Duration) {
    engine.set_execution_timer_config(ExecutionTimerConfig { limit: budget, check_interval: CHECK_INTERVAL });
}

/// serde_json refuses documents more than 128 deep.
pub(crate) fn whole_input(input: &str, arguments: Option<&str>) -> Result<Value, String> {
    let bytes = input.len().saturating_add(arguments.map_or(0, str::len));
    if bytes > INPUT_BYTES_MAX {
        return Err("the input is too large for a policy".to_string());
    }
    let mut whole = Value::from_json_str(input).map_err(|e| format!("input: {e}"))?;
    let object = whole.as_object_mut().map_err(|e| format!("input: {e}"))?;
    if let Some(text) = arguments {
        let value = Value::from_json_str(text).map_err(|e| format!("arguments: {e}"))?;
        object.insert(Value::from("arguments"), value);
    }
    Ok(whole)
}

/// For queries: any JSON, or nothing at all.
fn any_input(input: &str) -> Result<Value, String> {
    if input.is_empty() {
        return Ok(Value::Undefined);
    }
    if input.len() > INPUT_BYTES_MAX {
        return Err("the input is too large for a policy".to_string());
    }
    Value::from_json_str(input).map_err(|e| format!("input: {e}"))
}

/// A reason for each string; whatever is not plainly "no denial" denies.
fn read_deny(value: &Value, out: &mut Decision) {
    match value {
        Value::Undefined | Value::Bool(false) => {}
        Value::Set(items) => {
            out.deny = !items.is_empty();
            items.iter().for_each(|item| push_reason(item, &mut out.reasons));
        }
        Value::Array(items) => {
            out.deny = !items.is_empty();
            items.iter().for_each(|item| push_reason(item, &mut out.reasons));
        }
        Value::Object(items) => {
            out.deny = !items.is_empty();
            items.iter().for_each(|(key, _)| push_reason(key, &mut out.reasons));
        }
        other => {
            out.deny = true;
            push_reason(other, &mut out.reasons);
        }
    }
}

fn push_reason(value: &Value, reasons: &mut String) {
    if let Value::String(text) = value {
        reasons.push_str(&text.replace('\0', " "));
        reasons.push('\0');
    }
}

/// Errors of regorus say `--> file:line:column`.
fn located(file: &str, text: &str) -> CompileError {
    let mut error = CompileError { file: file.to_string(), message: text.trim().to_string(), line: 0, column: 0 };
    if let Some(message) = text.rfind("error: ").and_then(|at| text.get(at + 7..)) {
        error.message = message.trim().to_string();
    }
    let Some(place) = text.find("--> ").and_then(|at| text.get(at + 4..)).and_then(|rest| rest.lines().next()) else {
        return error;
    };
    let mut parts = place.trim().rsplitn(3, ':');
    if let (Some(column), Some(line), Some(name)) = (parts.next(), parts.next(), parts.next()) {
        error.column = column.parse().unwrap_or(0);
        error.line = line.parse().unwrap_or(0);
        error.file = name.to_string();
    }
    error
}
