//! Functions that call themselves, and chains of rules that are too long. The interpreter recurses on the stack of the thread:
//! it notices a rule that needs itself, but not a function, and no length. So both are looked for in the parse tree before.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use regorus::unstable::{Expr, Module, Ref, Span, WithModifier};

use crate::tree::{self, Fault};

/// Rules and functions that need each other in a chain.
const CHAIN_MAX: usize = 64;

pub fn check(modules: &[Ref<Module>]) -> Result<(), Fault> {
    let mut rules: BTreeMap<String, Node> = BTreeMap::new();
    for module in modules {
        let (package, imports) = (tree::package(module), tree::imports(module));
        for rule in &module.policy {
            let own = tree::parts(tree::declared(rule)).map_or(Vec::new(), |(own, _)| own);
            let path = tree::joined(&[package.as_slice(), &own].concat());
            let node = rules.entry(path).or_insert_with(|| Node::new(rule.span()));
            node.function |= tree::is_function(rule);
            node.document |= tree::is_document(rule);
            tree::rule(rule, &mut Uses { node, package: &package, imports: &imports, variables: Vec::new() });
        }
    }
    let mut walk = Walk { rules: &rules, state: HashMap::new() };
    rules.keys().try_for_each(|path| walk.chain(path, 1).map(|_| ()))
}

/// All rules of one path.
struct Node {
    span: Span,
    function: bool,
    document: bool,
    calls: Vec<String>,
    reads: Vec<Vec<String>>,
    /// What `with` puts in the place of functions.
    stands_in: Vec<String>,
}

impl Node {
    fn new(span: &Span) -> Node {
        Node {
            span: span.clone(),
            function: false,
            document: false,
            calls: Vec::new(),
            reads: Vec::new(),
            stands_in: Vec::new(),
        }
    }
}

/// Collects what a rule uses. A name that may be that of a variable or of a rule is taken for the rule's.
struct Uses<'a> {
    node: &'a mut Node,
    package: &'a [String],
    imports: &'a HashMap<String, Vec<String>>,
    variables: Vec<Vec<String>>,
}

impl Uses<'_> {
    fn paths(&self, name: &[String]) -> Vec<Vec<String>> {
        let Some((head, rest)) = name.split_first() else { return Vec::new() };
        if head == "data" {
            return vec![name.to_vec()];
        }
        let own = [self.package, name].concat();
        let imported = self.imports.get(head).map(|target| [target.as_slice(), rest].concat());
        std::iter::once(own).chain(imported).collect()
    }
}

impl tree::Visitor for Uses<'_> {
    fn expr(&mut self, expr: &Ref<Expr>) -> bool {
        match expr.as_ref() {
            Expr::Call { fcn, .. } => {
                let (name, _) = tree::parts(fcn).unwrap_or_default();
                let paths = self.paths(&name);
                self.node.calls.extend(paths.iter().map(|path| tree::joined(path)));
            }
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                let (name, _) = tree::parts(expr).unwrap_or_default();
                if !name.first().is_some_and(|head| self.variables.iter().flatten().any(|variable| variable == head)) {
                    let paths = self.paths(&name);
                    self.node.reads.extend(paths);
                }
            }
            _ => {}
        }
        true
    }

    fn with(&mut self, modifier: &WithModifier) {
        let (name, _) = tree::parts(&modifier.r#as).unwrap_or_default();
        let paths = self.paths(&name);
        self.node.stands_in.extend(paths.iter().map(|path| tree::joined(path)));
    }

    fn enter(&mut self, variables: Vec<String>) {
        self.variables.push(variables);
    }

    fn leave(&mut self) {
        self.variables.pop();
    }
}

enum State {
    Open,
    Done(usize),
}

struct Walk<'a> {
    rules: &'a BTreeMap<String, Node>,
    state: HashMap<&'a str, State>,
}

impl<'a> Walk<'a> {
    /// The longest chain from `path`.
    fn chain(&mut self, path: &'a str, depth: usize) -> Result<usize, Fault> {
        let Some(node) = self.rules.get(path) else {
            return Ok(0);
        };
        match self.state.get(path) {
            Some(State::Done(length)) => return Ok(*length),
            Some(State::Open) if node.function => {
                return Err(Fault::at(&node.span, format!("function {path} calls itself")));
            }
            Some(State::Open) => return Ok(0),
            None => {}
        }
        let too_long = || Fault::at(&node.span, format!("more than {CHAIN_MAX} rules in a chain"));
        if depth > CHAIN_MAX {
            return Err(too_long());
        }
        self.state.insert(path, State::Open);
        let reads: Vec<&str> = node.reads.iter().flat_map(|read| self.read(read)).collect();
        let used = self.longest(node.calls.iter().map(String::as_str).chain(reads), depth + 1)?;
        // A stand-in is called at the end of such a chain, and has one of its own.
        let functions = node.stands_in.iter().filter(|path| self.rules.get(*path).is_some_and(|node| node.function));
        let functions: Vec<&str> = functions.map(String::as_str).collect();
        let behind = self.longest(functions.into_iter(), depth + 1)?;
        let length = used + behind + 1;
        if length > CHAIN_MAX {
            return Err(too_long());
        }
        self.state.insert(path, State::Done(length));
        Ok(length)
    }

    fn longest(&mut self, paths: impl Iterator<Item = &'a str>, depth: usize) -> Result<usize, Fault> {
        let mut longest = 0;
        for path in paths {
            longest = longest.max(self.chain(path, depth)?);
        }
        Ok(longest)
    }

    /// The rules that a reference may need: those above it, itself and those below.
    fn read(&self, parts: &[String]) -> Vec<&'a str> {
        let whole = tree::joined(parts);
        let above = (1..parts.len()).map(|length| tree::joined(parts.get(..length).unwrap_or_default()));
        let mut found: Vec<_> = above.filter_map(|path| self.rules.get_key_value(&path)).collect();
        let below = self.rules.range::<String, _>((Bound::Included(&whole), Bound::Unbounded));
        found.extend(below.take_while(|(path, _)| path.starts_with(&whole)).filter(|(path, _)| {
            path.get(whole.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        }));
        found.into_iter().filter(|(_, node)| node.document).map(|(path, _)| path.as_str()).collect()
    }
}
