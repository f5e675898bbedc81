//! Where request data goes: from what handlers take in, through locals and over calls, as text.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Context;
use super::names::{FunctionId, FunctionInfo, ModuleId};
use super::reach::Reach;
use crate::facts::{Confidence, Related};
use crate::parse::rust::ast::{
    Block, Expr, ExprKind, Function, ItemKind, MacroCall, Pattern, PatternKind, Statement, Type,
};
use crate::parse::rust::walk;
use crate::scan::source::{Place, Span};

/// Extractors of all frameworks: what they bind comes from the request.
const EXTRACTORS: &[&str] = &[
    "Path",
    "Query",
    "Json",
    "Form",
    "ValidatedJson",
    "ValidatedForm",
    "Valid",
    "Multipart",
    "Bytes",
    "RawQuery",
    "TypedHeader",
    "HeaderMap",
    "HttpRequest",
    "Request",
    "RawForm",
    "LenientForm",
    "QsQuery",
    "RawPathParams",
    "PathParams",
    "QueryParams",
    "CookieJar",
];

/// Types whose text cannot break out of a statement, path or address.
const HARMLESS: &[&str] = &[
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "f32",
    "f64",
    "bool",
    "Uuid",
    "Ulid",
    "DateTime",
    "NaiveDate",
    "NaiveDateTime",
    "OffsetDateTime",
    "Date",
    "Decimal",
    "BigDecimal",
    "IpAddr",
    "Duration",
    "NonZeroU32",
    "NonZeroU64",
    "NonZeroI64",
    "ObjectId",
];

/// Methods that give the text they are called on, or a piece of it.
const CARRYING: &[&str] = &[
    "as_str",
    "as_ref",
    "as_deref",
    "to_string",
    "to_owned",
    "into",
    "clone",
    "cloned",
    "trim",
    "trim_start",
    "trim_end",
    "to_lowercase",
    "to_uppercase",
    "unwrap",
    "unwrap_or",
    "unwrap_or_default",
    "unwrap_or_else",
    "expect",
    "ok",
    "ok_or",
    "ok_or_else",
    "into_inner",
    "get",
    "query_string",
    "path",
    "headers",
    "header",
    "to_str",
    "iter",
    "into_iter",
    "join",
    "map",
    "collect",
    "first",
    "last",
    "next",
    "split",
    "replace",
    "concat",
    "borrow",
    "deref",
    "as_bytes",
    "to_vec",
    "into_string",
    "into_owned",
    "uri",
    "query",
    "match_info",
    "param",
    "take",
    "and_then",
    "filter",
    "strip_prefix",
    "chars",
    "format",
    "append",
    "to_ascii_lowercase",
    "as_slice",
];

/// What request data reaches of one function.
#[derive(Debug, Default)]
struct Reached {
    /// Names of parameters that it comes in by.
    parameters: BTreeSet<String>,
    /// These and the locals it goes on to.
    names: BTreeSet<String>,
    flow: Vec<Related>,
    certain: bool,
}

/// All functions that request data reaches.
#[derive(Debug, Default)]
pub struct Taint {
    functions: BTreeMap<FunctionId, Reached>,
}

impl Taint {
    /// Follows the inputs of all handlers.
    pub fn find(context: &Context<'_>, reach: &Reach) -> Taint {
        let mut taint = Taint::default();
        let mut open = VecDeque::new();
        for info in context.names.functions().iter().filter(|info| reach.is_handler(info.id)) {
            let parameters = inputs(context, info);
            if parameters.is_empty() {
                continue;
            }
            let place = Place { file: info.file, span: info.item.name_span };
            let flow = vec![Related { place, note: format!("handler `{}` takes it in", info.item.name) }];
            taint.functions.insert(info.id, Reached { parameters, names: BTreeSet::new(), flow, certain: true });
            open.push_back(info.id);
        }
        while let Some(id) = open.pop_front() {
            taint.spread(context, id, &mut open);
        }
        taint
    }

    /// Whether request data is in the text of an expression of a function.
    pub fn reaches(&self, context: &Context<'_>, function: &FunctionInfo<'_>, expr: &Expr) -> bool {
        let names = self.functions.get(&function.id).map(|reached| &reached.names);
        names.is_some_and(|names| Carrier { context, function, names }.carries(expr, 0))
    }

    /// Whether a name of a function holds request data.
    pub fn holds(&self, function: FunctionId, name: &str) -> bool {
        self.functions.get(&function).is_some_and(|reached| reached.names.contains(name))
    }

    /// How request data comes to a function, from the handler on, and how sure that is.
    pub fn flow(&self, function: FunctionId) -> (Vec<Related>, Confidence) {
        let Some(reached) = self.functions.get(&function) else { return (Vec::new(), Confidence::Low) };
        let confidence = if reached.certain { Confidence::High } else { Confidence::Medium };
        (reached.flow.clone(), confidence)
    }

    fn spread(&mut self, context: &Context<'_>, id: FunctionId, open: &mut VecDeque<FunctionId>) {
        let info = context.names.function(id);
        let (Some(body), Some(reached)) = (&info.function.body, self.functions.get_mut(&id)) else { return };
        reached.names = reached.parameters.clone();
        spread_locals(context, info, body, &mut reached.names);
        let (names, flow, certain) = (reached.names.clone(), reached.flow.clone(), reached.certain);
        let carrier = Carrier { context, function: info, names: &names };
        let calls = calls_by_span(body);
        for site in context.names.calls(id) {
            let Some(arguments) = calls.get(&site.span) else { continue };
            let target = context.names.function(site.target);
            let parameters = passed(context, target, arguments, &carrier);
            let known = self.functions.get(&site.target);
            if known.is_some_and(|known| parameters.is_subset(&known.parameters)) || parameters.is_empty() {
                continue;
            }
            let reached = self.functions.entry(site.target).or_insert_with(|| {
                let place = Place { file: info.file, span: site.span };
                let mut flow = flow.clone();
                flow.push(Related { place, note: format!("passed to `{}`", target.item.name) });
                Reached { flow, certain: certain && site.certain, ..Reached::default() }
            });
            reached.parameters.extend(parameters);
            open.push_back(site.target);
        }
    }
}

/// Names of a function's parameters that an argument with request data is bound to.
fn passed(
    context: &Context<'_>,
    target: &FunctionInfo<'_>,
    arguments: &[Expr],
    carrier: &Carrier<'_, '_>,
) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (parameter, argument) in target.function.parameters.iter().zip(arguments) {
        let harmful = parameter.ty.as_ref().is_none_or(|ty| harmful(context, target.module, ty, 0));
        if harmful && carrier.carries(argument, 0) {
            bound(&parameter.pattern, &mut names);
        }
    }
    names
}

/// What a handler's extractors bind, numbers and the like left out.
fn inputs(context: &Context<'_>, info: &FunctionInfo<'_>) -> BTreeSet<String> {
    let macro_routes = ["get", "post", "put", "delete", "patch", "route"];
    let by_attribute = info.item.attributes.iter().any(|attribute| macro_routes.contains(&attribute.path.last()));
    let mut names = BTreeSet::new();
    for parameter in &info.function.parameters {
        let Some(ty) = &parameter.ty else { continue };
        let inner = unwrapped(ty);
        let last = inner.path.last().map_or("", String::as_str);
        let plain = by_attribute && ["str", "String"].contains(&last);
        if !(EXTRACTORS.contains(&last) || plain) {
            continue;
        }
        let argument = inner.arguments.first();
        if argument.is_some_and(|argument| !harmful(context, info.module, argument, 0)) {
            continue;
        }
        bind_by_type(context, info.module, &parameter.pattern, argument, &mut names);
    }
    names
}

/// Binds a pattern; of a struct or tuple that is taken apart, only fields whose text can do harm.
fn bind_by_type(
    context: &Context<'_>,
    module: ModuleId,
    pattern: &Pattern,
    ty: Option<&Type>,
    names: &mut BTreeSet<String>,
) {
    match (&pattern.kind, ty) {
        (PatternKind::TupleStruct(_, inner), Some(ty)) if inner.len() == 1 => {
            bind_inside(context, module, &inner[0], ty, names);
        }
        _ => bound(pattern, names),
    }
}

fn bind_inside(context: &Context<'_>, module: ModuleId, pattern: &Pattern, ty: &Type, names: &mut BTreeSet<String>) {
    match &pattern.kind {
        PatternKind::Tuple(parts) if ty.path.is_empty() && parts.len() == ty.arguments.len() => {
            for (part, ty) in parts.iter().zip(&ty.arguments) {
                if harmful(context, module, ty, 0) {
                    bound(part, names);
                }
            }
        }
        PatternKind::Struct(_, fields) => {
            for (field, part) in fields {
                if field_is_harmful(context, module, ty, field) {
                    bound(part, names);
                }
            }
        }
        _ => bound(pattern, names),
    }
}

/// Whether text of this type can hold what breaks out: strings, and what may hold some.
fn harmful(context: &Context<'_>, module: ModuleId, ty: &Type, depth: usize) -> bool {
    let inner = unwrapped(ty);
    let Some(last) = inner.path.last() else {
        return inner.arguments.is_empty()
            || inner.arguments.iter().any(|part| harmful(context, module, part, depth + 1));
    };
    if HARMLESS.contains(&last.as_str()) {
        return false;
    }
    let item = context.names.item_at(&context.names.resolve(module, &inner.path));
    match item.map(|item| (&item.item.kind, item.path.as_str())) {
        Some((ItemKind::Enum(variants), _)) => variants.iter().any(|variant| !variant.fields.is_empty()),
        Some((ItemKind::Struct(fields), path)) if depth < 4 && !fields.is_empty() => {
            let module = context.names.item_at(path).map_or(module, |item| item.module);
            fields.iter().any(|field| harmful(context, module, &field.ty, depth + 1))
        }
        _ => true,
    }
}

fn field_is_harmful(context: &Context<'_>, module: ModuleId, ty: &Type, field: &str) -> bool {
    let Some(item) = context.names.item_at(&context.names.resolve(module, &unwrapped(ty).path)) else { return true };
    let ItemKind::Struct(fields) = &item.item.kind else { return true };
    let found = fields.iter().find(|known| known.name == field);
    found.is_none_or(|field| harmful(context, item.module, &field.ty, 0))
}

/// Through `Option`, `Result`, `Vec`, boxes and validating wrappers.
fn unwrapped(ty: &Type) -> &Type {
    const WRAPPERS: &[&str] = &["Option", "Result", "Vec", "Box", "Arc", "Cow", "Valid", "Validated", "Garde"];
    let mut at = ty;
    while let (Some(last), Some(inner)) = (at.path.last(), at.arguments.first()) {
        if !WRAPPERS.contains(&last.as_str()) {
            break;
        }
        at = inner;
    }
    at
}

fn bound(pattern: &Pattern, names: &mut BTreeSet<String>) {
    match &pattern.kind {
        PatternKind::Name(name) => drop(names.insert(name.clone())),
        PatternKind::TupleStruct(_, inner)
        | PatternKind::Tuple(inner)
        | PatternKind::Or(inner)
        | PatternKind::Other(inner) => inner.iter().for_each(|pattern| bound(pattern, names)),
        PatternKind::Struct(_, fields) => fields.iter().for_each(|(_, pattern)| bound(pattern, names)),
        _ => {}
    }
}

/// Arguments of every call of a body, by the call's span.
fn calls_by_span(body: &Block) -> BTreeMap<Span, &[Expr]> {
    let mut calls: BTreeMap<Span, &[Expr]> = BTreeMap::new();
    walk::expressions(body, &mut |expr| {
        if let ExprKind::Call { arguments, .. } | ExprKind::MethodCall { arguments, .. } = &*expr.kind {
            calls.insert(expr.span, arguments);
        }
    });
    calls
}

/// A place where a value gets a name.
type Binding<'a> = (&'a Pattern, Option<&'a Type>, &'a Expr);

/// Adds locals that request data goes on to, until there are no more.
fn spread_locals(context: &Context<'_>, info: &FunctionInfo<'_>, body: &Block, names: &mut BTreeSet<String>) {
    let bindings = bindings(body);
    let additions = additions(body);
    loop {
        let before = names.len();
        for (pattern, ty, value) in &bindings {
            let harmful = ty.is_none_or(|ty| harmful(context, info.module, ty, 0));
            let carrier = Carrier { context, function: info, names };
            if harmful && carrier.carries(value, 0) {
                bound(pattern, names);
            }
        }
        for (name, value) in &additions {
            if (Carrier { context, function: info, names }).carries(value, 0) {
                names.insert(name.clone());
            }
        }
        if names.len() == before {
            return;
        }
    }
}

fn bindings(body: &Block) -> Vec<Binding<'_>> {
    let mut found = Vec::new();
    statements(body, &mut found);
    walk::expressions(body, &mut |expr| match &*expr.kind {
        ExprKind::Block(block) | ExprKind::Async(block) | ExprKind::Loop(block) => statements(block, &mut found),
        ExprKind::If { then, .. } => statements(then, &mut found),
        ExprKind::While { body, .. } => statements(body, &mut found),
        ExprKind::For { pattern, iterated, body } => {
            found.push((pattern, None, iterated));
            statements(body, &mut found);
        }
        ExprKind::Let { pattern, value } => found.push((pattern, None, value)),
        ExprKind::Match { on, arms } => found.extend(arms.iter().map(|arm| (&arm.pattern, None, on))),
        ExprKind::MethodCall { receiver, arguments, .. } => {
            found.extend(arguments.iter().flat_map(|argument| closure_parameters(receiver, argument)));
        }
        _ => {}
    });
    found
}

/// `text.map(|part| ..)`: the closure takes what it is called on.
fn closure_parameters<'a>(receiver: &'a Expr, argument: &'a Expr) -> Vec<Binding<'a>> {
    match &*argument.kind {
        ExprKind::Closure { parameters, .. } => {
            parameters.iter().map(|parameter| (&parameter.pattern, parameter.ty.as_ref(), receiver)).collect()
        }
        _ => Vec::new(),
    }
}

fn statements<'a>(block: &'a Block, found: &mut Vec<Binding<'a>>) {
    for statement in &block.statements {
        if let Statement::Let { pattern, ty, value: Some(value), .. } = statement {
            found.push((pattern, ty.as_ref(), value));
        }
    }
}

/// What is added to a text after it got its name: `push_str`, `+=`, `write!`.
pub fn additions(body: &Block) -> Vec<(String, &Expr)> {
    let mut found = Vec::new();
    walk::expressions(body, &mut |expr| match &*expr.kind {
        ExprKind::MethodCall { receiver, method, arguments, .. }
            if ["push_str", "push", "insert_str", "extend", "append"].contains(&method.as_str()) =>
        {
            if let (Some(name), Some(value)) = (name_of(receiver), arguments.last()) {
                found.push((name.to_string(), value));
            }
        }
        ExprKind::Binary { operator, left, right } if operator == "+=" => {
            found.extend(name_of(left).map(|name| (name.to_string(), right)));
        }
        ExprKind::Assign { left, right } => found.extend(name_of(left).map(|name| (name.to_string(), right))),
        ExprKind::Macro(call) if ["write", "writeln"].contains(&call.path.last()) => {
            let target = call.arguments.first().and_then(|argument| name_of(&argument.value));
            let values = call.arguments.iter().skip(2).map(|argument| &argument.value);
            found.extend(target.into_iter().flat_map(|name| values.clone().map(|value| (name.to_string(), value))));
        }
        _ => {}
    });
    found
}

/// The variable an expression is, through references.
pub fn name_of(expr: &Expr) -> Option<&str> {
    match &*expr.kind {
        ExprKind::Path(path) if path.segments.len() == 1 => Some(path.last()),
        ExprKind::Reference(inner) | ExprKind::Unary { operand: inner, .. } => name_of(inner),
        _ => None,
    }
}

/// What carries request data in one function.
struct Carrier<'c, 'a> {
    context: &'c Context<'a>,
    function: &'c FunctionInfo<'a>,
    names: &'c BTreeSet<String>,
}

impl Carrier<'_, '_> {
    /// Whether the text of a value is request data or has it inside.
    fn carries(&self, expr: &Expr, depth: usize) -> bool {
        if depth > 64 {
            return false;
        }
        let next = |expr: &Expr| self.carries(expr, depth + 1);
        match &*expr.kind {
            ExprKind::Path(path) => path.segments.len() == 1 && self.names.contains(path.last()),
            ExprKind::Field { base, name } => next(base) && self.field(base, name),
            ExprKind::Index { base, .. } => next(base),
            ExprKind::Reference(inner) | ExprKind::Try(inner) | ExprKind::Await(inner) => next(inner),
            ExprKind::Unary { operand, .. } => next(operand),
            ExprKind::MethodCall { receiver, method, turbofish, .. } => {
                let number = turbofish.first().is_some_and(|ty| !harmful(self.context, self.function.module, ty, 0));
                CARRYING.contains(&method.as_str()) && !number && next(receiver)
            }
            ExprKind::Call { function, arguments } => self.conversion(function) && arguments.iter().any(next),
            ExprKind::Macro(call) => self.formats(call, depth),
            ExprKind::Binary { operator, left, right } => operator == "+" && (next(left) || next(right)),
            ExprKind::If { then, otherwise, .. } => {
                value_of(then).is_some_and(next) || otherwise.as_ref().is_some_and(next)
            }
            ExprKind::Match { arms, .. } => arms.iter().any(|arm| next(&arm.body)),
            ExprKind::Block(block) | ExprKind::Async(block) => value_of(block).is_some_and(next),
            ExprKind::Struct { fields, rest, .. } => {
                fields.iter().any(|(_, value)| next(value)) || rest.as_ref().is_some_and(next)
            }
            ExprKind::Tuple(parts) | ExprKind::Array(parts) => parts.iter().any(next),
            ExprKind::Closure { body, .. } => next(body),
            _ => false,
        }
    }

    /// `String::from(x)`, `Some(x)` and the like give what they take.
    fn conversion(&self, function: &Expr) -> bool {
        let ExprKind::Path(path) = &*function.kind else { return false };
        ["from", "Some", "Ok", "Box", "Arc", "Cow", "Borrowed", "Owned", "decode", "to_string", "new"]
            .contains(&path.last())
            && !path.text().contains("Uuid")
    }

    fn formats(&self, call: &MacroCall, depth: usize) -> bool {
        if !["format", "concat", "vec", "format_args"].contains(&call.path.last()) {
            return false;
        }
        let inline = call.message().map(|(text, _)| text).unwrap_or_default();
        let named: Vec<&str> = call.arguments.iter().filter_map(|argument| argument.name.as_deref()).collect();
        placeholders(inline).any(|name| !named.contains(&name) && self.names.contains(name))
            || call.arguments.iter().any(|argument| self.carries(&argument.value, depth + 1))
    }

    /// Whether a field of a parameter can do harm, where its type is known.
    fn field(&self, base: &Expr, name: &str) -> bool {
        let Some(variable) = name_of(base) else { return true };
        let ty = type_of(self.function.function, variable);
        ty.is_none_or(|ty| field_is_harmful(self.context, self.function.module, ty, name))
    }
}

fn value_of(block: &Block) -> Option<&Expr> {
    match block.statements.last() {
        Some(Statement::Expr { value, ended: false, .. }) => Some(value),
        _ => None,
    }
}

/// The type of a variable that a parameter binds: of an extractor, what it holds.
fn type_of<'a>(function: &'a Function, variable: &str) -> Option<&'a Type> {
    function.parameters.iter().find_map(|parameter| {
        let ty = unwrapped(parameter.ty.as_ref()?);
        let held = || if EXTRACTORS.contains(&ty.path.last()?.as_str()) { ty.arguments.first() } else { Some(ty) };
        let is = |pattern: &Pattern| matches!(&pattern.kind, PatternKind::Name(name) if name == variable);
        match &parameter.pattern.kind {
            PatternKind::TupleStruct(_, inner) if inner.len() == 1 && is(&inner[0]) => held(),
            PatternKind::Name(name) if name == variable => held(),
            _ => None,
        }
    })
}

/// Names between the braces of a format string; empty for `{}`.
pub fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(inside, _)| inside.split(':').next().unwrap_or("").trim())
}
