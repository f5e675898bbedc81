//! The value of an HCL expression, as far as the values that it names settle it.

use std::cell::Cell;
use std::sync::Arc;

use hcl_edit::expr::{BinaryOperator, Expression, FuncCall, ObjectKey, Traversal, TraversalOperator, UnaryOperator};
use hcl_edit::{parser, template};

use super::TEMPLATE;
use crate::parse::document::{Entry, Node, Value};
use crate::scan::source::Span;

/// How many steps one expression may take, and how long a text may get: names may stand for names many times over.
const STEPS: usize = 20_000;
const LENGTH: usize = 10_000;

/// What names stand for: `["var", "port"]`, `["local", "name"]`, `["module", "db", "url"]`.
pub type Lookup<'l> = &'l dyn Fn(&[&str]) -> Option<Value>;

/// The value of an unresolved node, where what `lookup` knows settles it; `null` is a value.
pub fn settle(node: &Node, lookup: Lookup<'_>) -> Option<Value> {
    let Value::Unresolved(source) = &node.value else { return None };
    let settling = Settling { span: node.span, lookup, steps: Cell::new(0) };
    if node.tag.as_deref() == Some(TEMPLATE) {
        return settling.template(&parser::parse_template(source).ok()?);
    }
    settling.value(&parser::parse_expr(source.trim()).ok()?)
}

/// What an expression that only names a value names: `var.url` gives `["var", "url"]`.
pub fn named(node: &Node) -> Option<Vec<String>> {
    let Value::Unresolved(source) = &node.value else { return None };
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    let source = source.trim();
    let source = source.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or(source);
    let parts: Vec<String> = source.trim().split('.').map(str::to_string).collect();
    (parts.len() > 1 && parts.iter().all(|part| plain(part))).then_some(parts)
}

struct Settling<'l> {
    /// Where the whole expression stands: what is computed from it stands there.
    span: Span,
    lookup: Lookup<'l>,
    steps: Cell<usize>,
}

/// Recursion is bounded: the library refuses nesting beyond 64.
impl Settling<'_> {
    fn value(&self, expression: &Expression) -> Option<Value> {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS {
            return None;
        }
        match expression {
            Expression::Null(_) => Some(Value::Null),
            Expression::Bool(flag) => Some(Value::Flag(*flag.value())),
            Expression::Number(number) => number.value().as_f64().map(Value::Number),
            Expression::String(text) => Some(quoted(text.as_str())),
            Expression::Array(array) => Some(Value::List(array.iter().map(|item| self.inner(item)).collect())),
            Expression::Object(object) => {
                let entries = object.iter().map(|(key, value)| self.entry(key, value.expr()));
                Some(Value::Map(entries.collect::<Option<_>>()?))
            }
            Expression::Parenthesis(inner) => self.value(inner.inner()),
            Expression::StringTemplate(text) => self.parts(text.iter()),
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template),
            Expression::Conditional(choice) => self.choice(&choice.cond_expr, &choice.true_expr, &choice.false_expr),
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::FuncCall(call) => self.call(call),
            Expression::UnaryOp(operation) => match (operation.operator.value(), self.value(&operation.expr)?) {
                (UnaryOperator::Neg, value) => Some(Value::Number(-number(&value)?)),
                (UnaryOperator::Not, value) => Some(Value::Flag(!flag(&value)?)),
            },
            Expression::BinaryOp(operation) => {
                let (left, right) = (self.value(&operation.lhs_expr), self.value(&operation.rhs_expr));
                binary(*operation.operator.value(), left.as_ref(), right.as_ref())
            }
            Expression::Variable(_) | Expression::ForExpr(_) => None,
        }
    }

    /// An element of a list or map: one that is not settled is told from one that is not there.
    fn inner(&self, expression: &Expression) -> Arc<Node> {
        let value = self.value(expression);
        Arc::new(self.node(value.unwrap_or_else(|| Value::Unresolved(expression.to_string().trim().into()))))
    }

    fn node(&self, value: Value) -> Node {
        Node { span: self.span, value, tag: None }
    }

    fn entry(&self, key: &ObjectKey, value: &Expression) -> Option<Entry> {
        let key = match key {
            ObjectKey::Ident(ident) => ident.as_str().to_string(),
            ObjectKey::Expression(expression) => text(&self.value(expression)?)?,
        };
        Some(Entry { key: key.into(), key_span: self.span, value: self.inner(value) })
    }

    fn template(&self, template: &template::Template) -> Option<Value> {
        self.parts(template.iter())
    }

    fn parts<'e>(&self, parts: impl Iterator<Item = &'e template::Element>) -> Option<Value> {
        let parts: Vec<&template::Element> = parts.collect();
        // A template of nothing but one expression has that expression's value.
        if let [template::Element::Interpolation(only)] = parts.as_slice() {
            return self.value(&only.expr);
        }
        let mut whole = String::new();
        for part in parts {
            match part {
                template::Element::Literal(literal) => whole.push_str(literal.value()),
                template::Element::Interpolation(inner) => whole.push_str(&text(&self.value(&inner.expr)?)?),
                template::Element::Directive(_) => return None,
            }
            if whole.len() > LENGTH {
                return None;
            }
        }
        Some(quoted(&whole))
    }

    /// One of two values: by the condition, or whatever it is where both are the same.
    fn choice(&self, condition: &Expression, yes: &Expression, no: &Expression) -> Option<Value> {
        match self.value(condition) {
            Some(condition) => self.value(if flag(&condition)? { yes } else { no }),
            None => {
                let (yes, no) = (self.value(yes)?, self.value(no)?);
                equal(&yes, &no)?.then_some(yes)
            }
        }
    }

    fn traversal(&self, traversal: &Traversal) -> Option<Value> {
        let mut operators = traversal.operators.iter().map(|operator| operator.value());
        let Expression::Variable(root) = &traversal.expr else {
            let value = self.value(&traversal.expr)?;
            return operators.try_fold(value, |value, operator| self.step(&value, operator));
        };
        let length = match root.as_str() {
            "var" | "local" => 1,
            "module" => 2,
            _ => return None,
        };
        let mut path = vec![root.as_str()];
        for operator in operators.by_ref().take(length) {
            let TraversalOperator::GetAttr(name) = operator else { return None };
            path.push(name.as_str());
        }
        let value = (self.lookup)(&path).filter(|value| !matches!(value, Value::Unresolved(_)))?;
        operators.try_fold(value, |value, operator| self.step(&value, operator))
    }

    fn step(&self, value: &Value, operator: &TraversalOperator) -> Option<Value> {
        match operator {
            TraversalOperator::GetAttr(name) => member(value, name.as_str()),
            TraversalOperator::LegacyIndex(index) => element(value, f64::from(u32::try_from(*index.value()).ok()?)),
            TraversalOperator::Index(index) => match self.value(index)? {
                Value::Number(index) => element(value, index),
                key => member(value, &text(&key)?),
            },
            TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => None,
        }
    }

    fn call(&self, call: &FuncCall) -> Option<Value> {
        if call.name.is_namespaced() || call.args.expand_final() {
            return None;
        }
        let name = call.name.name.as_str();
        let mut given = call.args.iter().map(|argument| self.value(argument));
        if name == "try" {
            // What cannot be settled may be settled by a run: only a first value is sure.
            return given.next()?;
        }
        let values: Vec<Value> = given.collect::<Option<_>>()?;
        match (name, values.as_slice()) {
            ("coalesce", values) => {
                let some = |value: &&Value| !matches!(value, Value::Null) && text(value).as_deref() != Some("");
                values.iter().find(some).cloned()
            }
            ("concat", lists) => {
                let lists = lists.iter().map(|list| if let Value::List(items) = list { Some(items) } else { None });
                Some(Value::List(lists.collect::<Option<Vec<_>>>()?.into_iter().flatten().cloned().collect()))
            }
            ("merge", maps) => merge(maps),
            ("lookup", [map, key, default]) => {
                member(map, &text(key)?).or_else(|| matches!(map, Value::Map(_)).then(|| default.clone()))
            }
            ("lookup", [map, key]) => member(map, &text(key)?),
            ("element", [list, index]) => element(list, number(index)?),
            ("length", [Value::List(items)]) => count(items.len()),
            ("length", [Value::Map(entries)]) => count(entries.len()),
            ("length", [Value::Text { text, .. }]) => count(text.chars().count()),
            ("min", values) => values.iter().map(number).reduce(|a, b| Some(a?.min(b?)))?.map(Value::Number),
            ("max", values) => values.iter().map(number).reduce(|a, b| Some(a?.max(b?)))?.map(Value::Number),
            ("floor", [value]) => Some(Value::Number(number(value)?.floor())),
            ("ceil", [value]) => Some(Value::Number(number(value)?.ceil())),
            ("tonumber", [value]) => Some(Value::Number(number(value)?)),
            ("tobool", [value]) => Some(Value::Flag(flag(value)?)),
            ("tostring", [value]) => Some(quoted(&text(value)?)),
            ("lower", [value]) => Some(quoted(&text(value)?.to_lowercase())),
            ("upper", [value]) => Some(quoted(&text(value)?.to_uppercase())),
            ("trimspace", [value]) => Some(quoted(text(value)?.trim())),
            ("replace", [value, from, to]) => {
                // Between slashes stands a regular expression.
                let (value, from, to) = (text(value)?, text(from)?, text(to)?);
                let short = !from.is_empty() && !from.starts_with('/') && value.len() * to.len().max(1) <= LENGTH;
                short.then(|| quoted(&value.replace(&from, &to)))
            }
            ("join", [separator, Value::List(items)]) => {
                let items: Vec<String> = items.iter().map(|item| text(&item.value)).collect::<Option<_>>()?;
                Some(quoted(&items.join(&text(separator)?)))
            }
            ("format", [pattern, values @ ..]) => Some(quoted(&format(&text(pattern)?, values)?)),
            ("sensitive" | "nonsensitive" | "tolist" | "toset" | "tomap" | "jsonencode", [value]) => {
                Some(value.clone())
            }
            _ => None,
        }
    }
}

fn quoted(text: &str) -> Value {
    Value::Text { text: text.into(), quoted: true }
}

#[allow(clippy::cast_precision_loss)]
fn count(items: usize) -> Option<Value> {
    Some(Value::Number(items as f64))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text { text, .. } => Some(text.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Flag(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Text { text, .. } => text.parse().ok(),
        _ => None,
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Flag(flag) => Some(*flag),
        Value::Text { text, .. } => text.parse().ok(),
        _ => None,
    }
}

/// A member that is there and settled.
fn member(value: &Value, key: &str) -> Option<Value> {
    let Value::Map(entries) = value else { return None };
    let found = entries.iter().find(|entry| &*entry.key == key)?;
    Some(found.value.value.clone()).filter(|value| !matches!(value, Value::Unresolved(_)))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn element(value: &Value, index: f64) -> Option<Value> {
    let Value::List(items) = value else { return None };
    let found = items.get(index as usize).filter(|_| index >= 0.0 && index.fract() == 0.0)?;
    Some(found.value.clone()).filter(|value| !matches!(value, Value::Unresolved(_)))
}

fn merge(maps: &[Value]) -> Option<Value> {
    let mut all: Vec<Entry> = Vec::new();
    for map in maps {
        let Value::Map(entries) = map else { return None };
        all.extend(entries.iter().cloned());
    }
    Some(Value::Map(super::last_of_each(all)))
}

/// Whether two values are the same; nothing is said of lists and maps with something in them.
fn equal(left: &Value, right: &Value) -> Option<bool> {
    let empty = |value: &Value| match value {
        Value::List(items) => Some(items.is_empty()),
        Value::Map(entries) => Some(entries.is_empty()),
        _ => None,
    };
    match (left, right) {
        (Value::Unresolved(_), _) | (_, Value::Unresolved(_)) => None,
        (Value::Text { text, .. }, Value::Text { text: other, .. }) => Some(text == other),
        (Value::Number(number), Value::Number(other)) => Some((number - other).abs() < f64::EPSILON),
        (Value::Flag(flag), Value::Flag(other)) => Some(flag == other),
        (Value::Null, Value::Null) => Some(true),
        _ => match (empty(left), empty(right)) {
            (Some(false), Some(false)) => None,
            (Some(left), Some(right)) => Some(left == right),
            _ => Some(false),
        },
    }
}

fn binary(operator: BinaryOperator, left: Option<&Value>, right: Option<&Value>) -> Option<Value> {
    let switch = |value: Option<&Value>| value.and_then(flag);
    match operator {
        BinaryOperator::And if switch(left) == Some(false) || switch(right) == Some(false) => {
            return Some(Value::Flag(false));
        }
        BinaryOperator::Or if switch(left) == Some(true) || switch(right) == Some(true) => {
            return Some(Value::Flag(true));
        }
        BinaryOperator::And | BinaryOperator::Or => {
            return Some(Value::Flag(switch(left)? && switch(right)?));
        }
        _ => {}
    }
    let (left, right) = (left?, right?);
    if matches!(operator, BinaryOperator::Eq | BinaryOperator::NotEq) {
        return equal(left, right).map(|same| Value::Flag(same == (operator == BinaryOperator::Eq)));
    }
    let (left, right) = (number(left)?, number(right)?);
    let value = match operator {
        BinaryOperator::Less => return Some(Value::Flag(left < right)),
        BinaryOperator::LessEq => return Some(Value::Flag(left <= right)),
        BinaryOperator::Greater => return Some(Value::Flag(left > right)),
        BinaryOperator::GreaterEq => return Some(Value::Flag(left >= right)),
        BinaryOperator::Plus => left + right,
        BinaryOperator::Minus => left - right,
        BinaryOperator::Mul => left * right,
        BinaryOperator::Div => left / right,
        BinaryOperator::Mod => left % right,
        _ => return None,
    };
    value.is_finite().then_some(Value::Number(value))
}

/// `format` with `%s`, `%d`, `%v` and `%%`; other verbs are not settled.
fn format(pattern: &str, values: &[Value]) -> Option<String> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        match letters.next()? {
            '%' => out.push('%'),
            's' | 'd' | 'v' => out.push_str(&text(values.next()?)?),
            _ => return None,
        }
        if out.len() > LENGTH {
            return None;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(path: &[&str]) -> Option<Value> {
        let map = |entries: &[(&str, Value)]| {
            let entry = |(key, value): &(&str, Value)| Entry {
                key: (*key).into(),
                key_span: Span::default(),
                value: Arc::new(Node { span: Span::default(), value: value.clone(), tag: None }),
            };
            Value::Map(entries.iter().map(entry).collect())
        };
        match path {
            ["var", "env"] => Some(quoted("prod")),
            ["var", "port"] => Some(Value::Number(8080.0)),
            ["var", "none"] => Some(Value::Null),
            ["local", "sizes"] => Some(map(&[("prod", Value::Number(3.0)), ("dev", Value::Number(1.0))])),
            ["module", "db", "host"] => Some(quoted("db.internal")),
            ["local", "long"] => Some(quoted(&"x".repeat(LENGTH))),
            _ => None,
        }
    }

    fn value(source: &str) -> Option<String> {
        let template = source.starts_with('"').then(|| TEMPLATE.into());
        let source = source.trim_matches('"').replace('\'', "\"");
        let node = Node { span: Span::default(), value: Value::Unresolved(source.into()), tag: template };
        settle(&node, &known).map(|value| text(&value).unwrap_or_else(|| format!("{value:?}")))
    }

    #[test]
    fn what_is_known_settles_expressions() {
        let table = [
            ("var.env == 'prod' ? 3 : 1", Some("3")),
            ("var.env != 'prod' ? 3 : 1", Some("1")),
            ("var.unknown ? 3 : 1", None),
            ("var.unknown ? 2 : (1 + 1)", Some("2")),
            ("var.unknown && var.env == 'dev' ? 'a' : 'b'", Some("b")),
            ("var.none == null ? 'unset' : 'set'", Some("unset")),
            ("var.env == null ? 'unset' : 'set'", Some("set")),
            ("\"${var.env}-api:${var.port}\"", Some("prod-api:8080")),
            ("\"${var.port}\"", Some("8080")),
            ("\"${var.unknown}-api\"", None),
            ("\"%{ if true }a%{ endif }\"", None),
            ("local.sizes[var.env]", Some("3")),
            ("local.sizes.dev", Some("1")),
            ("local.sizes['none']", None),
            ("lookup(local.sizes, 'none', 2)", Some("2")),
            ("merge(local.sizes, { prod = 5 }).prod", Some("5")),
            ("length(concat([1, 2], [3]))", Some("3")),
            ("concat([1], var.unknown)", None),
            ("max(2, var.port) - 80", Some("8000")),
            ("coalesce(var.none, '', 'x')", Some("x")),
            ("format('%s-%d', var.env, 2)", Some("prod-2")),
            ("format('%05.2f', 2)", None),
            ("join('/', ['', 'health', var.env])", Some("/health/prod")),
            ("replace(var.env, 'o', '0')", Some("pr0d")),
            ("replace(var.env, '/o/', '0')", None),
            ("module.db.host", Some("db.internal")),
            ("module.db.other", None),
            ("aws_db_instance.main.address", None),
            ("data.aws_region.current.name", None),
            ("try(var.unknown, 5)", None),
            ("[for x in [1] : x]", None),
            ("1 / 0", None),
            ("\"${local.long}x\"", None),
        ];
        for (source, expected) in table {
            assert_eq!(value(source).as_deref(), expected, "{source}");
        }
    }

    #[test]
    fn an_expression_that_is_a_name_is_followed() {
        let names = |source: &str| {
            named(&Node { span: Span::default(), value: Value::Unresolved(source.into()), tag: None })
                .map(|parts| parts.join(" "))
        };
        assert_eq!(names("var.url").as_deref(), Some("var url"));
        assert_eq!(names("${ module.db.url }").as_deref(), Some("module db url"));
        assert_eq!(names("var.url == null"), None);
        assert_eq!(names("x${var.a}"), None);
    }
}
