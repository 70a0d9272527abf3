//! Calls of functions and builtins that are not there. The interpreter notices one when it comes to it, which may be long
//! after the policy came into force, and then it is an error, and a denial: so it is looked for in the parse tree before.

use std::collections::{HashMap, HashSet};

use regorus::unstable::{Expr, Module, Ref, BUILTINS};

use crate::tree::{self, Fault};

/// The modules are all that there are: what none of them declares comes from nowhere else.
pub fn check(modules: &[Ref<Module>]) -> Result<(), Fault> {
    let mut functions = HashSet::new();
    for module in modules {
        for rule in module.policy.iter().filter(|rule| tree::is_function(rule)) {
            if let Some((own, true)) = tree::parts(tree::declared(rule)) {
                functions.insert(tree::joined(&[tree::package(module), own].concat()));
            }
        }
    }
    for module in modules {
        let package = tree::package(module);
        let mut search =
            Search { functions: &functions, imports: tree::imports(module), package, rule: String::new(), found: None };
        for rule in &module.policy {
            search.begin(tree::declared(rule));
            tree::rule(rule, &mut search);
            if let Some(missing) = search.found.take() {
                return Err(missing);
            }
        }
    }
    Ok(())
}

struct Search<'a> {
    functions: &'a HashSet<String>,
    imports: HashMap<String, Vec<String>>,
    package: Vec<String>,
    rule: String,
    found: Option<Fault>,
}

impl Search<'_> {
    fn begin(&mut self, refr: &Ref<Expr>) {
        let text = refr.span().text();
        let own = text.split(['[', '(', '\n']).next().unwrap_or(text);
        self.rule = format!("{}.{own}", tree::joined(&self.package));
    }

    fn is_there(&self, name: &[String]) -> bool {
        let plain = tree::joined(name);
        let imported = name.split_first().and_then(|(head, rest)| Some((self.imports.get(head)?, rest)));
        imported.is_some_and(|(target, rest)| self.functions.contains(&tree::joined(&[target.as_slice(), rest].concat())))
            || self.functions.contains(&plain)
            || self.functions.contains(&tree::joined(&[self.package.as_slice(), name].concat()))
            || plain == "print"
            || BUILTINS.contains_key(plain.as_str())
    }
}

impl tree::Visitor for Search<'_> {
    fn expr(&mut self, expr: &Ref<Expr>) -> bool {
        if let (Expr::Call { span, fcn, .. }, None) = (expr.as_ref(), &self.found) {
            let name = tree::parts(fcn).filter(|(_, whole)| *whole).map(|(name, _)| name);
            if !name.as_ref().is_some_and(|name| self.is_there(name)) {
                let name = name.map_or("", |_| fcn.span().text());
                let message =
                    format!("could not find function {name}: it is no builtin here, and no module has it; {} calls it", self.rule);
                self.found = Some(Fault::at(span, message));
            }
        }
        true
    }
}
