//! Calls of functions and builtins that are not there. The interpreter notices one when it comes to it, which may be long
//! after the policy came into force, and then it is an error, and a denial: so it is looked for in the parse tree before.

use std::collections::{HashMap, HashSet};

use regorus::unstable::{Expr, Literal, Module, Query, Ref, Rule, RuleAssign, RuleHead, Span, BUILTINS};

pub struct Missing {
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub message: String,
}

/// The modules are all that there are: what none of them declares comes from nowhere else.
pub fn check(modules: &[Ref<Module>]) -> Result<(), Missing> {
    let mut functions = HashSet::new();
    for module in modules {
        let package = path(&module.package.refr).unwrap_or_default();
        for rule in &module.policy {
            let declared = match rule.as_ref() {
                Rule::Spec { head: RuleHead::Func { refr, .. }, .. } => path(refr),
                Rule::Default { refr, args, .. } if !args.is_empty() => path(refr),
                _ => None,
            };
            functions.extend(declared.map(|name| format!("data.{package}.{name}")));
        }
    }
    for module in modules {
        let package = path(&module.package.refr).unwrap_or_default();
        let mut search = Search { functions: &functions, imports: imports(module), package, rule: String::new() };
        for rule in &module.policy {
            search.rule(rule)?;
        }
    }
    Ok(())
}

/// The name that an import has in its module, and the path.
fn imports(module: &Module) -> HashMap<String, String> {
    let mut out = HashMap::new();
    for import in &module.imports {
        let Some(target) = path(&import.refr) else { continue };
        let alias = match &import.r#as {
            Some(span) => span.text().to_string(),
            None => target.rsplit('.').next().unwrap_or(&target).to_string(),
        };
        out.insert(alias, target);
    }
    out
}

/// "a.b.c"; none of what is worked out only when it is evaluated.
fn path(expr: &Ref<Expr>) -> Option<String> {
    match expr.as_ref() {
        Expr::Var { span, .. } => Some(span.text().to_string()),
        Expr::RefDot { refr, field, .. } => Some(format!("{}.{}", path(refr)?, field.0.text())),
        Expr::RefBrack { refr, index, .. } => match index.as_ref() {
            Expr::String { span, .. } => Some(format!("{}.{}", path(refr)?, span.text())),
            _ => None,
        },
        _ => None,
    }
}

struct Search<'a> {
    functions: &'a HashSet<String>,
    imports: HashMap<String, String>,
    package: String,
    rule: String,
}

impl Search<'_> {
    fn is_there(&self, name: &str) -> bool {
        let (head, rest) = name.split_at(name.find('.').unwrap_or(name.len()));
        let imported = self.imports.get(head).map(|target| format!("{target}{rest}"));
        imported.is_some_and(|target| self.functions.contains(&target))
            || self.functions.contains(name)
            || self.functions.contains(&format!("data.{}.{name}", self.package))
            || name == "print"
            || BUILTINS.contains_key(name)
    }

    fn call(&self, span: &Span, function: &Ref<Expr>) -> Result<(), Missing> {
        let Some(name) = path(function).filter(|name| !self.is_there(name)) else {
            return Ok(());
        };
        Err(Missing {
            file: span.source.file().clone(),
            line: span.line,
            column: span.col,
            message: format!("could not find function {name}: it is no builtin here, and no module has it; {} calls it", self.rule),
        })
    }

    fn rule(&mut self, rule: &Ref<Rule>) -> Result<(), Missing> {
        let (head, bodies) = match rule.as_ref() {
            Rule::Default { refr, value, .. } => {
                self.begin(refr);
                return self.expr(value);
            }
            Rule::Spec { head, bodies, .. } => (head, bodies),
        };
        match head {
            RuleHead::Compr { refr, assign, .. } => {
                self.begin(refr);
                self.expr(refr)?;
                self.assigned(assign)?;
            }
            RuleHead::Set { refr, key, .. } => {
                self.begin(refr);
                self.expr(refr)?;
                self.each(key)?;
            }
            RuleHead::Func { refr, args, assign, .. } => {
                self.begin(refr);
                self.each(args)?;
                self.assigned(assign)?;
            }
        }
        for body in bodies {
            self.assigned(&body.assign)?;
            self.query(&body.query)?;
        }
        Ok(())
    }

    fn begin(&mut self, refr: &Ref<Expr>) {
        let text = refr.span().text();
        self.rule = format!("data.{}.{}", self.package, text.split(['[', '(', '\n']).next().unwrap_or(text));
    }

    fn assigned(&self, assign: &Option<RuleAssign>) -> Result<(), Missing> {
        assign.as_ref().map_or(Ok(()), |assign| self.expr(&assign.value))
    }

    fn query(&self, query: &Query) -> Result<(), Missing> {
        for statement in &query.stmts {
            match &statement.literal {
                Literal::SomeVars { .. } => {}
                Literal::SomeIn { key, value, collection, .. } => {
                    self.each(key)?;
                    self.expr(value)?;
                    self.expr(collection)?;
                }
                Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expr(expr)?,
                Literal::Every { domain, query, .. } => {
                    self.expr(domain)?;
                    self.query(query)?;
                }
            }
            for with in &statement.with_mods {
                self.expr(&with.r#as)?;
            }
        }
        Ok(())
    }

    fn each<'b>(&self, items: impl IntoIterator<Item = &'b Ref<Expr>>) -> Result<(), Missing> {
        items.into_iter().try_for_each(|item| self.expr(item))
    }

    /// The parser bounds how deep they lie in each other.
    fn expr(&self, expr: &Ref<Expr>) -> Result<(), Missing> {
        match expr.as_ref() {
            Expr::Call { span, fcn, params, .. } => {
                self.call(span, fcn)?;
                self.each(params)
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => self.each(items),
            Expr::Object { fields, .. } => self.each(fields.iter().flat_map(|(_, key, value)| [key, value])),
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.expr(term)?;
                self.query(query)
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                self.each([key, value])?;
                self.query(query)
            }
            Expr::UnaryExpr { expr, .. } => self.expr(expr),
            Expr::RefDot { refr, .. } => self.expr(refr),
            Expr::RefBrack { refr, index, .. } => self.each([refr, index]),
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => self.each([lhs, rhs]),
            Expr::Membership { key, value, collection, .. } => {
                self.each(key)?;
                self.each([value, collection])
            }
            _ => Ok(()),
        }
    }
}
