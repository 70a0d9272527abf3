//! The parse tree, walked: names as paths, and each expression of a rule.

use std::collections::HashMap;

use regorus::unstable::{AssignOp, Expr, Literal, Module, Query, Ref, Rule, RuleHead, Span, WithModifier};

/// What is wrong with a policy, and where.
pub struct Fault {
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub message: String,
}

impl Fault {
    pub fn at(span: &Span, message: String) -> Fault {
        Fault { file: span.source.file().clone(), line: span.line, column: span.col, message }
    }
}

/// The parts of a reference up to the first that is known only when it is evaluated, and whether these are all: `data.p["f"]`
/// is as good as `data.p.f`. None where it begins with something else than a name.
pub fn parts(expr: &Ref<Expr>) -> Option<(Vec<String>, bool)> {
    let (mut parts, mut whole, mut at) = (Vec::new(), true, expr);
    loop {
        match at.as_ref() {
            Expr::Var { span, .. } => {
                parts.push(span.text().to_string());
                break;
            }
            Expr::RefDot { refr, field, .. } => {
                parts.push(field.0.text().to_string());
                at = refr;
            }
            Expr::RefBrack { refr, index, .. } => {
                if let Some(text) = constant(index) {
                    parts.push(text);
                } else {
                    parts.clear();
                    whole = false;
                }
                at = refr;
            }
            _ => return None,
        }
    }
    parts.reverse();
    Some((parts, whole))
}

fn constant(index: &Ref<Expr>) -> Option<String> {
    match index.as_ref() {
        Expr::String { value, .. } | Expr::RawString { value, .. } => Some(value.as_string().ok()?.to_string()),
        _ => None,
    }
}

/// One text for one path, whichever way it was written: `data.p.f`, `data.p["no name"]`.
pub fn joined<S: AsRef<str>>(parts: &[S]) -> String {
    let mut out = String::new();
    for part in parts {
        let part = part.as_ref();
        let plain = part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
        if !plain || part.is_empty() || part.starts_with(|c: char| c.is_ascii_digit()) {
            out.push_str(&format!("[{part:?}]"));
        } else {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(part);
        }
    }
    out
}

/// `data` and the parts of the module's package.
pub fn package(module: &Module) -> Vec<String> {
    let own = parts(&module.package.refr).map_or(Vec::new(), |(parts, _)| parts);
    std::iter::once("data".to_string()).chain(own).collect()
}

/// The name that an import has in its module, and the path.
pub fn imports(module: &Module) -> HashMap<String, Vec<String>> {
    let mut out = HashMap::new();
    for import in &module.imports {
        let Some((target, _)) = parts(&import.refr) else { continue };
        let alias = match &import.r#as {
            Some(span) => span.text().to_string(),
            None => target.last().cloned().unwrap_or_default(),
        };
        out.insert(alias, target);
    }
    out
}

/// The reference that a rule declares.
pub fn declared(rule: &Rule) -> &Ref<Expr> {
    match rule {
        Rule::Default { refr, .. } => refr,
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } | RuleHead::Func { refr, .. } => refr,
        },
    }
}

pub fn is_function(rule: &Rule) -> bool {
    match rule {
        Rule::Default { args, .. } => !args.is_empty(),
        Rule::Spec { head, .. } => matches!(head, RuleHead::Func { .. }),
    }
}

/// Can be read without being called: a function of no arguments is both.
pub fn is_document(rule: &Rule) -> bool {
    match rule {
        Rule::Spec { head: RuleHead::Func { args, .. }, .. } => args.is_empty(),
        _ => !is_function(rule),
    }
}

pub trait Visitor {
    /// True: go on to what the expression consists of.
    fn expr(&mut self, expr: &Ref<Expr>) -> bool;
    fn with(&mut self, _modifier: &WithModifier) {}
    /// Until `leave` these names are those of variables, whatever else has them.
    fn enter(&mut self, _variables: Vec<String>) {}
    fn leave(&mut self) {}
}

/// Each expression of the rule but the name that it declares.
pub fn rule(rule: &Rule, visitor: &mut dyn Visitor) {
    let (head, bodies) = match rule {
        Rule::Default { refr, value, .. } => {
            brackets(refr, visitor);
            return expr(value, visitor);
        }
        Rule::Spec { head, bodies, .. } => (head, bodies),
    };
    let (args, value) = match head {
        RuleHead::Compr { assign, .. } => (&[] as &[_], assign.as_ref().map(|assign| &assign.value)),
        RuleHead::Set { key, .. } => (&[] as &[_], key.as_ref()),
        RuleHead::Func { args, assign, .. } => (args.as_slice(), assign.as_ref().map(|assign| &assign.value)),
    };
    visitor.enter(args.iter().flat_map(bound).collect());
    each(args, visitor);
    // The head sees the variables of its body. An `else` has a value of its own, but behind a name with brackets it has the head's.
    let plain = bodies.iter().skip(1).all(|body| body.is_else) && !declared(rule).span().text().contains('[');
    let body = bodies.first().filter(|_| plain || bodies.len() == 1);
    visitor.enter(body.map_or(Vec::new(), |body| declares(&body.query)));
    brackets(declared(rule), visitor);
    each(value, visitor);
    visitor.leave();
    for body in bodies {
        query(&body.query, body.assign.iter().map(|assign| &assign.value), visitor);
    }
    visitor.leave();
}

/// The variables that a query declares for the whole of itself.
fn declares(query: &Query) -> Vec<String> {
    let mut names = Vec::new();
    for statement in &query.stmts {
        match &statement.literal {
            Literal::SomeVars { vars, .. } => names.extend(vars.iter().map(|span| span.text().to_string())),
            Literal::SomeIn { key, value, .. } => names.extend(key.iter().chain([value]).flat_map(bound)),
            Literal::Expr { expr, .. } => {
                if let Expr::AssignExpr { op: AssignOp::ColEq, lhs, .. } = expr.as_ref() {
                    names.extend(bound(lhs));
                }
            }
            _ => {}
        }
    }
    names
}

/// The variables of a pattern.
fn bound(pattern: &Ref<Expr>) -> Vec<String> {
    match pattern.as_ref() {
        Expr::Var { span, .. } => vec![span.text().to_string()],
        Expr::Array { items, .. } => items.iter().flat_map(bound).collect(),
        Expr::Object { fields, .. } => fields.iter().flat_map(|(_, _, value)| bound(value)).collect(),
        _ => Vec::new(),
    }
}

/// What stands in the brackets of a reference, and what it begins with where that is no name.
fn brackets(reference: &Ref<Expr>, visitor: &mut dyn Visitor) {
    let mut at = reference;
    loop {
        at = match at.as_ref() {
            Expr::Var { .. } => return,
            Expr::RefDot { refr, .. } => refr,
            Expr::RefBrack { refr, index, .. } => {
                expr(index, visitor);
                refr
            }
            _ => return expr(at, visitor),
        }
    }
}

fn each<'a>(items: impl IntoIterator<Item = &'a Ref<Expr>>, visitor: &mut dyn Visitor) {
    items.into_iter().for_each(|item| expr(item, visitor));
}

/// `heads`: what is worked out with the variables of the query.
fn query<'a>(one: &'a Query, heads: impl IntoIterator<Item = &'a Ref<Expr>>, visitor: &mut dyn Visitor) {
    visitor.enter(declares(one));
    each(heads, visitor);
    for statement in &one.stmts {
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { key, value, collection, .. } => {
                each(key, visitor);
                each([value, collection], visitor);
            }
            Literal::Expr { expr: one, .. } | Literal::NotExpr { expr: one, .. } => expr(one, visitor),
            Literal::Every { key, value, domain, query: inner, .. } => {
                expr(domain, visitor);
                visitor.enter(key.iter().chain([value]).map(|span| span.text().to_string()).collect());
                query(inner, [], visitor);
                visitor.leave();
            }
        }
        for with in &statement.with_mods {
            visitor.with(with);
            expr(&with.r#as, visitor);
        }
    }
    visitor.leave();
}

/// The parser bounds how deep they lie in each other.
fn expr(one: &Ref<Expr>, visitor: &mut dyn Visitor) {
    if !visitor.expr(one) {
        return;
    }
    match one.as_ref() {
        Expr::Call { fcn, params, .. } => {
            brackets(fcn, visitor);
            each(params, visitor);
        }
        Expr::Array { items, .. } | Expr::Set { items, .. } => each(items, visitor),
        Expr::Object { fields, .. } => each(fields.iter().flat_map(|(_, key, value)| [key, value]), visitor),
        Expr::ArrayCompr { term, query: inner, .. } | Expr::SetCompr { term, query: inner, .. } => {
            query(inner, [term], visitor);
        }
        Expr::ObjectCompr { key, value, query: inner, .. } => {
            query(inner, [key, value], visitor);
        }
        Expr::UnaryExpr { expr: inner, .. } => expr(inner, visitor),
        Expr::RefDot { .. } | Expr::RefBrack { .. } => brackets(one, visitor),
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => each([lhs, rhs], visitor),
        Expr::Membership { key, value, collection, .. } => {
            each(key, visitor);
            each([value, collection], visitor);
        }
        _ => {}
    }
}
