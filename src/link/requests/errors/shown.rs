//! Whether text that is put into an error value goes into the response that the value becomes.

use super::exposure::{captured, formatted, is_aside};
use super::types::{ErrorType, callees};
use crate::link::names::FunctionId;
use crate::link::requests::Part;
use crate::link::requests::body::{bare, called_path, each, each_in};
use crate::parse::rust::ast::{Expr, ExprKind, Field, ItemKind, PatternKind};

/// Whether an expression inside `around` goes out: not into an error type whose response keeps it to itself, and not
/// into some other error of the tree, of which it is not seen here what becomes.
pub(super) fn goes_out(
    part: &Part<'_, '_>,
    types: &[ErrorType<'_, '_>],
    function: FunctionId,
    around: &[&Expr],
) -> bool {
    let names = part.context.names;
    for (at, outer) in around.iter().enumerate().rev() {
        let path = match &*outer.kind {
            ExprKind::Call { function, .. } => called_path(function),
            ExprKind::Struct { path, .. } => Some(path),
            _ => None,
        };
        let Some(path) = path else { continue };
        let resolved = names.resolve_in(function, &path.segments);
        let own = |owner: &str| types.iter().find(|ty| ty.path == owner);
        if let (Some(ty), ExprKind::Struct { fields, .. }) = (own(&resolved), &*outer.kind) {
            let inner = around.get(at + 1).map(|inner| inner.span);
            let field = fields.iter().find(|(_, value)| inner.is_none_or(|inner| value.span.holds(inner)));
            return field.is_some_and(|(name, _)| field_shown(part, ty, name));
        }
        let Some((owner, last)) = resolved.rsplit_once("::") else { continue };
        if let Some(ty) = own(owner) {
            return if last.starts_with(char::is_uppercase) {
                variant_shown(part, ty, last)
            } else {
                text_shown(part, ty)
            };
        }
        let is_type = |path: &str| {
            names.item_at(path).is_some_and(|info| matches!(info.item.kind, ItemKind::Struct(_) | ItemKind::Enum(_)))
        };
        // What a response type is made of goes where it goes.
        let part_of_one = |last: &str| {
            types.iter().any(|ty| whole_shown(part, ty) && fields(ty).iter().any(|field| field.ty.text.contains(last)))
        };
        let error =
            |path: &str| path.rsplit("::").next().is_some_and(|last| last.contains("Err") && !part_of_one(last));
        if is_type(owner) && error(owner) || is_type(&resolved) && error(&resolved) {
            // What stands in `Json(..)` is the body of the answer, whatever its type is called.
            let parent = at.checked_sub(1).and_then(|above| around.get(above));
            let body = parent.is_some_and(|parent| match &*parent.kind {
                ExprKind::Call { function, .. } => called_path(function).is_some_and(|path| path.last() == "Json"),
                ExprKind::MethodCall { method, .. } => method == "json",
                _ => false,
            });
            if !body {
                return false;
            }
        }
    }
    true
}

/// Whether the response serialises the whole value.
pub(super) fn whole_shown(part: &Part<'_, '_>, ty: &ErrorType<'_, '_>) -> bool {
    let mut shown = false;
    let is_self = |expr: &Expr| matches!(&*bare(expr).kind, ExprKind::Path(path) if path.is(ty.subject));
    let Some(body) = ty.response.and_then(|id| part.context.names.function(id).function.body.as_ref()) else {
        return false;
    };
    each(body, &mut |expr, around| {
        let arguments = match &*expr.kind {
            ExprKind::Call { function, arguments }
                if called_path(function)
                    .is_some_and(|path| path.segments.iter().any(|part| part == "Json" || part.starts_with("to_"))) =>
            {
                arguments
            }
            ExprKind::MethodCall { method, arguments, .. } if method == "json" => arguments,
            _ => return,
        };
        shown |= !is_aside(around) && arguments.iter().any(is_self);
    });
    shown
}

/// Fields of a struct that is an error type.
fn fields<'a>(ty: &ErrorType<'_, 'a>) -> &'a [Field] {
    match ty.item.map(|info| &info.item.kind) {
        Some(ItemKind::Struct(fields)) => fields,
        _ => &[],
    }
}

/// Whether a field is left out when its struct is serialised.
pub(super) fn is_skipped(field: &Field) -> bool {
    field.attributes.iter().any(|attribute| {
        attribute.path.is("serde")
            && ["skip", "skip_serializing"]
                .iter()
                .any(|word| crate::link::requests::sensitive::names_in(attribute, word))
    })
}

/// Whether a field of the struct is read where the response is made.
fn field_shown(part: &Part<'_, '_>, ty: &ErrorType<'_, '_>, name: &str) -> bool {
    if whole_shown(part, ty) {
        return fields(ty).iter().any(|field| field.name == name && !is_skipped(field));
    }
    let mut shown = false;
    for id in callees(part, ty) {
        let Some(body) = &part.context.names.function(id).function.body else { continue };
        each(body, &mut |expr, around| {
            shown |= !is_aside(around) && matches!(&*expr.kind, ExprKind::Field { name: read, .. } if read == name);
        });
    }
    shown
}

/// Whether any text of the value is shown.
fn text_shown(part: &Part<'_, '_>, ty: &ErrorType<'_, '_>) -> bool {
    let names = part.context.names;
    let is_text = |field: &&Field| {
        let known = ty.item.map(|info| names.type_at(info.module, Some(&info.path), &field.ty));
        let of_enum = known
            .as_ref()
            .and_then(|ty| names.item_at(&ty.path))
            .is_some_and(|info| matches!(info.item.kind, ItemKind::Enum(_)));
        let status =
            field.ty.text.contains("Status") || field.ty.text.len() <= 5 && field.ty.text.starts_with(['u', 'i', 'b']);
        !of_enum && !status
    };
    whole_shown(part, ty) || fields(ty).iter().filter(is_text).any(|field| field_shown(part, ty, &field.name))
}

/// Whether the response of a type shows the fields of a variant: its arm binds some and uses them outside logs.
pub(super) fn variant_shown(part: &Part<'_, '_>, ty: &ErrorType<'_, '_>, variant: &str) -> bool {
    let names = part.context.names;
    let by_display = || {
        let text = ty.item.map_or("", |info| part.context.repository.tree.file(info.file).slice(info.item.span));
        let head = text.find(&format!("{variant}(")).map_or("", |at| &text[..at]);
        let attribute = head.rfind("#[error").map_or("", |at| &head[at..]);
        attribute.contains('{') || attribute.contains("transparent")
    };
    let Some(response) = ty.response else { return by_display() };
    let info = names.function(response);
    let mut shown = false;
    let Some(body) = &info.function.body else { return false };
    each(body, &mut |expr, around| {
        if is_aside(around) {
            return;
        }
        let whole = formatted(expr)
            .iter()
            .any(|formatted| matches!(&*formatted.value.kind, ExprKind::Path(path) if path.is(ty.subject)));
        shown |= whole && by_display();
        let ExprKind::Match { arms, .. } = &*expr.kind else { return };
        for arm in arms {
            if let PatternKind::TupleStruct(path, parts) = &arm.pattern.kind
                && path.last() == variant
            {
                shown |=
                    parts.iter().any(|part| matches!(&part.kind, PatternKind::Name(name) if uses(&arm.body, name)));
            }
        }
    });
    shown
}

fn uses(body: &Expr, name: &str) -> bool {
    let mut used = false;
    each_in(body, &mut |expr, around| {
        used |= !is_aside(around) && matches!(&*expr.kind, ExprKind::Path(path) if path.is(name));
        used |= !is_aside(around) && captured(expr).iter().any(|(captured, _)| captured == name);
    });
    used
}
