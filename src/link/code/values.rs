//! What an expression is worth, as far as reading can tell: literals, constants, durations, and what wraps them.

use crate::facts::{Attr, AttrType, Value};
use crate::link::Context;
use crate::link::names::ModuleId;
use crate::parse::rust::ast::{Expr, ExprKind, ItemKind, Literal, MacroCall, Path, Statement};

/// Constants that name constants are followed this far.
const DEPTH: usize = 12;

/// Finds the expression that a local name was bound to.
pub type Locals<'l, 'a> = &'l dyn Fn(&str) -> Option<&'a Expr>;

/// Evaluates expressions of one module.
pub struct Values<'c, 'a> {
    /// Where names are resolved.
    pub context: &'c Context<'a>,
    /// The module that the expressions stand in.
    pub module: ModuleId,
    /// Local names.
    pub locals: Locals<'c, 'a>,
}

/// Functions that make a duration of a number, and how many seconds a unit has.
const DURATIONS: &[(&str, f64)] = &[
    ("from_secs", 1.0),
    ("from_secs_f64", 1.0),
    ("from_secs_f32", 1.0),
    ("from_millis", 0.001),
    ("from_micros", 0.000_001),
    ("from_nanos", 0.000_000_001),
    ("from_mins", 60.0),
    ("from_hours", 3600.0),
    ("from_days", 86_400.0),
    ("from_weeks", 604_800.0),
    ("milliseconds", 0.001),
    ("millis", 0.001),
    ("seconds", 1.0),
    ("secs", 1.0),
    ("try_seconds", 1.0),
    ("minutes", 60.0),
    ("mins", 60.0),
    ("try_minutes", 60.0),
    ("hours", 3600.0),
    ("try_hours", 3600.0),
    ("days", 86_400.0),
    ("try_days", 86_400.0),
    ("weeks", 604_800.0),
    ("try_weeks", 604_800.0),
    ("kibibytes", 1024.0),
    ("kilobytes", 1000.0),
    ("mebibytes", 1_048_576.0),
    ("megabytes", 1_000_000.0),
];

/// Methods that give their receiver's value in another form.
const SAME: &[&str] = &[
    "into",
    "unwrap",
    "expect",
    "clone",
    "cloned",
    "copied",
    "to_owned",
    "to_string",
    "as_str",
    "as_ref",
    "try_into",
    "to_std",
    "get",
    "ok",
    "as_secs",
    "as_deref",
    "borrow",
    "into_inner",
    "to_lowercase",
    "trim",
    "as_bytes",
    "parse",
];

/// Functions of one argument that give it in another form.
const WRAPPERS: &[&str] =
    &["Some", "Ok", "Box", "Arc", "Cow", "String", "NonZeroU32", "NonZeroUsize", "NonZeroU64", "NonZero"];

impl<'a> Values<'_, 'a> {
    /// The value as an attribute of this type.
    pub fn attribute(&self, expr: &'a Expr, ty: AttrType) -> Attr<Value> {
        match ty {
            AttrType::Number => map(self.number(expr, DEPTH), Value::Number),
            AttrType::Text => map(self.text(expr, DEPTH), Value::Text),
            AttrType::Flag => map(self.flag(expr, DEPTH), Value::Flag),
            AttrType::List => map(self.text(expr, DEPTH), |text| Value::List(vec![text])),
            AttrType::Links(_) => Attr::Unknown,
        }
    }

    fn number(&self, expr: &'a Expr, depth: usize) -> Attr<f64> {
        let Some(depth) = depth.checked_sub(1) else { return Attr::Unknown };
        match &*expr.kind {
            ExprKind::Literal(Literal::Integer(Some(number))) => Attr::Known(*number as f64),
            ExprKind::Literal(Literal::Float(number)) => Attr::Known(*number),
            ExprKind::Call { function, arguments } => self.number_of_call(function, arguments, depth),
            ExprKind::MethodCall { receiver, method, .. } => self.number_of_method(receiver, method, depth),
            ExprKind::Binary { operator, left, right } => {
                arithmetic(operator, &self.number(left, depth), &self.number(right, depth))
            }
            ExprKind::Unary { operator: '-', operand } => match self.number(operand, depth) {
                Attr::Known(number) => Attr::Known(-number),
                other => other,
            },
            _ => self.through(expr, depth, Values::number),
        }
    }

    fn number_of_call(&self, function: &'a Expr, arguments: &'a [Expr], depth: usize) -> Attr<f64> {
        let ExprKind::Path(path) = &*function.kind else { return Attr::Unknown };
        match (unit(path.last()), arguments.first()) {
            (Some(unit), Some(argument)) => scaled(self.number(argument, depth), unit),
            (None, Some(first)) if path.last() == "new" && ends_with(path, "Duration") => self.number(first, depth),
            (None, Some(first)) if wraps(path) => self.number(first, depth),
            (None, None) => self.of_function(path, depth, Values::number),
            _ => Attr::Unknown,
        }
    }

    fn number_of_method(&self, receiver: &'a Expr, method: &str, depth: usize) -> Attr<f64> {
        match unit(method) {
            Some(unit) => scaled(self.number(receiver, depth), unit),
            None if SAME.contains(&method) => self.number(receiver, depth),
            None => Attr::Unknown,
        }
    }

    fn text(&self, expr: &'a Expr, depth: usize) -> Attr<String> {
        let Some(depth) = depth.checked_sub(1) else { return Attr::Unknown };
        match &*expr.kind {
            ExprKind::Literal(Literal::Text(text) | Literal::Bytes(text)) => Attr::Known(text.clone()),
            ExprKind::Literal(Literal::Integer(Some(number))) => Attr::Known(number.to_string()),
            ExprKind::Literal(Literal::Flag(flag)) => Attr::Known(flag.to_string()),
            ExprKind::Literal(Literal::Char(letter)) => Attr::Known(letter.to_string()),
            ExprKind::Call { function, arguments } => match (&*function.kind, arguments.first()) {
                (ExprKind::Path(path), Some(first)) if wraps(path) => self.text(first, depth),
                (ExprKind::Path(path), None) => self.of_function(path, depth, Values::text),
                _ => Attr::Unknown,
            },
            ExprKind::MethodCall { receiver, method, .. } if SAME.contains(&method.as_str()) => {
                self.text(receiver, depth)
            }
            ExprKind::Macro(call) => constant_format(call),
            // `("0.0.0.0", 8080)` and `([0, 0, 0, 0], 8080)` are addresses.
            ExprKind::Tuple(parts) => self.joined(parts, ":", depth),
            ExprKind::Array(parts) if parts.len() == 4 => self.joined(parts, ".", depth),
            ExprKind::Path(path) => match self.through(expr, depth, Values::text) {
                Attr::Unknown => variant(path),
                other => other,
            },
            _ => self.through(expr, depth, Values::text),
        }
    }

    fn joined(&self, parts: &'a [Expr], by: &str, depth: usize) -> Attr<String> {
        let texts: Option<Vec<String>> = parts
            .iter()
            .map(|part| match self.text(part, depth) {
                Attr::Known(text) => Some(text),
                _ => None,
            })
            .collect();
        texts.map_or(Attr::Unknown, |texts| Attr::Known(texts.join(by)))
    }

    fn flag(&self, expr: &'a Expr, depth: usize) -> Attr<bool> {
        let Some(depth) = depth.checked_sub(1) else { return Attr::Unknown };
        match &*expr.kind {
            ExprKind::Literal(Literal::Flag(flag)) => Attr::Known(*flag),
            ExprKind::Unary { operator: '!', operand } => match self.flag(operand, depth) {
                Attr::Known(flag) => Attr::Known(!flag),
                other => other,
            },
            // What production runs is compiled without either.
            ExprKind::Macro(call) if call.path.is("cfg") => match condition(call) {
                Some("debug_assertions" | "test") => Attr::Known(false),
                _ => Attr::Unknown,
            },
            ExprKind::Call { function, arguments } => match (&*function.kind, arguments.first()) {
                (ExprKind::Path(path), Some(first)) if wraps(path) => self.flag(first, depth),
                (ExprKind::Path(path), None) => self.of_function(path, depth, Values::flag),
                _ => Attr::Unknown,
            },
            ExprKind::MethodCall { receiver, method, .. } if SAME.contains(&method.as_str()) => {
                self.flag(receiver, depth)
            }
            _ => self.through(expr, depth, Values::flag),
        }
    }

    /// What only passes a value on: references, `?`, blocks, names of locals and constants.
    fn through<T>(&self, expr: &'a Expr, depth: usize, of: fn(&Self, &'a Expr, usize) -> Attr<T>) -> Attr<T> {
        match &*expr.kind {
            ExprKind::Reference(inner) | ExprKind::Try(inner) | ExprKind::Await(inner) => of(self, inner, depth),
            ExprKind::Unary { operator: '*', operand } => of(self, operand, depth),
            ExprKind::Cast { value, .. } => of(self, value, depth),
            ExprKind::Closure { body, .. } => of(self, body, depth),
            ExprKind::Block(block) => match block.statements.as_slice() {
                [Statement::Expr { value, ended: false, .. }] => of(self, value, depth),
                _ => Attr::Unknown,
            },
            ExprKind::Path(path) if path.is("None") => Attr::Unset,
            ExprKind::Path(path) => self.named(path, depth, of),
            _ => Attr::Unknown,
        }
    }

    fn named<T>(&self, path: &'a Path, depth: usize, of: fn(&Self, &'a Expr, usize) -> Attr<T>) -> Attr<T> {
        if let [name] = path.segments.as_slice()
            && let Some(bound) = (self.locals)(name)
        {
            return of(self, bound, depth);
        }
        let names = self.context.names;
        let Some(item) = names.item_at(&names.resolve(self.module, &path.segments)) else { return Attr::Unknown };
        let (module, value) = match &item.item.kind {
            ItemKind::Const(_, Some(value)) | ItemKind::Static(_, Some(value)) => (item.module, value),
            _ => return Attr::Unknown,
        };
        of(&Values { context: self.context, module, locals: &|_| None }, value, depth)
    }

    /// The value of a function of the tree without parameters whose body is one expression.
    fn of_function<T>(&self, path: &'a Path, depth: usize, of: fn(&Self, &'a Expr, usize) -> Attr<T>) -> Attr<T> {
        let names = self.context.names;
        let Some(id) = names.function_at(&names.resolve(self.module, &path.segments)) else { return Attr::Unknown };
        let Some(function) = names.functions().get(id.0 as usize) else { return Attr::Unknown };
        let statements = function.function.body.as_ref().map(|body| body.statements.as_slice());
        match statements {
            Some([Statement::Expr { value, ended: false, .. }]) => {
                of(&Values { context: self.context, module: function.module, locals: &|_| None }, value, depth)
            }
            _ => Attr::Unknown,
        }
    }
}

fn map<T>(attr: Attr<T>, to: fn(T) -> Value) -> Attr<Value> {
    match attr {
        Attr::Unset => Attr::Unset,
        Attr::Unknown => Attr::Unknown,
        Attr::Known(value) => Attr::Known(to(value)),
    }
}

fn unit(name: &str) -> Option<f64> {
    DURATIONS.iter().find(|(unit, _)| *unit == name).map(|(_, seconds)| *seconds)
}

fn scaled(number: Attr<f64>, by: f64) -> Attr<f64> {
    match number {
        Attr::Known(number) => Attr::Known(number * by),
        other => other,
    }
}

fn arithmetic(operator: &str, left: &Attr<f64>, right: &Attr<f64>) -> Attr<f64> {
    let (Attr::Known(left), Attr::Known(right)) = (left, right) else { return Attr::Unknown };
    match operator {
        "+" => Attr::Known(left + right),
        "-" => Attr::Known(left - right),
        "*" => Attr::Known(left * right),
        "/" if *right != 0.0 => Attr::Known(left / right),
        "<<" => Attr::Known(left * right.exp2()),
        _ => Attr::Unknown,
    }
}

/// `Some`, `Box::new`, `String::from`, `NonZeroU32::new`, `u64::from`, ...
fn wraps(path: &Path) -> bool {
    let typed = path.segments.iter().any(|segment| WRAPPERS.contains(&segment.as_str()));
    typed || matches!(path.last(), "from" | "try_from")
}

fn ends_with(path: &Path, ty: &str) -> bool {
    path.segments.iter().rev().nth(1).is_some_and(|segment| segment == ty)
}

/// `format!("x")` and the like without a placeholder.
fn constant_format(call: &MacroCall) -> Attr<String> {
    match call.message() {
        Some((text, _)) if matches!(call.path.last(), "format" | "concat" | "s") && call.arguments.len() == 1 => {
            if text.contains('{') { Attr::Unknown } else { Attr::Known(text.to_string()) }
        }
        _ => Attr::Unknown,
    }
}

/// A unit variant by its name, in lower case: `SameSite::Lax` is `lax`.
fn variant(path: &Path) -> Attr<String> {
    let mut upper = path.segments.iter().rev().take(2).map(|segment| segment.starts_with(char::is_uppercase));
    let both = path.segments.len() >= 2 && upper.all(|upper| upper);
    let constant = path.last().chars().all(|letter| !letter.is_lowercase()) && path.last().len() > 1;
    let level = path.segments.iter().rev().nth(1).is_some_and(|owner| owner == "Level" || owner == "LevelFilter");
    if (both && !constant) || level { Attr::Known(path.last().to_lowercase()) } else { Attr::Unknown }
}

fn condition(call: &MacroCall) -> Option<&str> {
    match call.arguments.as_slice() {
        [only] => match &*only.value.kind {
            ExprKind::Path(path) if path.segments.len() == 1 => Some(path.last()),
            _ => None,
        },
        _ => None,
    }
}
