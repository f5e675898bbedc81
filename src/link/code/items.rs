//! Items that the catalog speaks of: derives, attributes, types of fields and parameters, traits that are implemented,
//! dependencies, and the values of constants and statics.

use super::found::Stand;
use super::walk::Walk;
use crate::link::Context;
use crate::link::catalog::{Entry, Subject};
use crate::link::names::ModuleId;
use crate::parse::Syntax;
use crate::parse::rust::ast::{Attribute, Field, ItemKind, TokenKind, Type};
use crate::parse::rust::walk::items as items_of;
use crate::scan::source::{FileId, Role, Span};

/// Types inside types are looked at this deep.
const TYPE_DEPTH: usize = 6;

/// Looks at everything but the bodies of functions.
pub fn look(walk: &mut Walk<'_, '_>) {
    items(walk);
    signatures(walk);
    implementations(walk);
    macros(walk);
    dependencies(walk);
}

fn items(walk: &mut Walk<'_, '_>) {
    let context = walk.context;
    for info in context.names.items() {
        let role = if info.development_only { Role::Development } else { info.role };
        let stand = Stand { file: info.file, module: info.module, role, function: None };
        if role != Role::Service {
            continue;
        }
        walk.stand(stand);
        attributes(walk, &info.item.attributes, info.item.name_span);
        match &info.item.kind {
            ItemKind::Struct(of) => fields(walk, of),
            ItemKind::Enum(variants) => variants.iter().for_each(|variant| fields(walk, &variant.fields)),
            ItemKind::Const(_, Some(value)) | ItemKind::Static(_, Some(value)) => walk.constant(stand, value),
            _ => {}
        }
    }
}

fn fields(walk: &mut Walk<'_, '_>, fields: &[Field]) {
    for field in fields {
        ty(walk, &field.ty, field.ty.span, TYPE_DEPTH);
        attributes(walk, &field.attributes, field.span);
    }
}

fn signatures(walk: &mut Walk<'_, '_>) {
    let context = walk.context;
    for info in context.names.functions() {
        let stand = Stand::of(info);
        if stand.role != Role::Service {
            continue;
        }
        walk.stand(stand);
        attributes(walk, &info.item.attributes, info.item.name_span);
        for parameter in &info.function.parameters {
            attributes(walk, &parameter.attributes, parameter.pattern.span);
            if let Some(of) = &parameter.ty {
                ty(walk, of, of.span, TYPE_DEPTH);
            }
        }
    }
}

fn implementations(walk: &mut Walk<'_, '_>) {
    let context = walk.context;
    for info in context.names.impls() {
        let (Some(of_trait), Role::Service, false) = (&info.of_trait, info.role, info.development_only) else {
            continue;
        };
        walk.stand(Stand { file: info.file, module: info.module, role: info.role, function: None });
        for entry in walk.entries(Subject::Trait, of_trait) {
            walk.find(entry, info.block.for_type.span, &[]);
        }
    }
}

/// Macros in item position.
fn macros(walk: &mut Walk<'_, '_>) {
    let repository = walk.context.repository;
    for (source, parsed) in repository.files().filter(|(source, _)| source.role == Role::Service) {
        let (Syntax::Rust(file), Some(module)) = (&parsed.syntax, walk.context.names.module_of_file(source.id)) else {
            continue;
        };
        walk.stand(Stand { file: source.id, module, role: source.role, function: None });
        items_of(&file.items, &mut |item, _| {
            if let ItemKind::Macro(call) = &item.kind {
                named(walk, Subject::Macro, &call.path.segments, call.span);
            }
        });
    }
}

fn attributes(walk: &mut Walk<'_, '_>, attributes: &[Attribute], span: Span) {
    for attribute in attributes {
        if attribute.path.is("derive") {
            derives(walk, attribute, span);
        }
        named(walk, Subject::Attribute, &attribute.path.segments, attribute.span);
    }
}

fn derives(walk: &mut Walk<'_, '_>, attribute: &Attribute, span: Span) {
    let mut path: Vec<String> = Vec::new();
    for token in &attribute.tokens {
        match &token.kind {
            TokenKind::Ident(name) => path.push(name.clone()),
            TokenKind::Punct(',') => named(walk, Subject::Derive, &std::mem::take(&mut path), span),
            _ => {}
        }
    }
    named(walk, Subject::Derive, &path, span);
}

fn ty(walk: &mut Walk<'_, '_>, of: &Type, span: Span, depth: usize) {
    named(walk, Subject::Type, &of.path, span);
    if depth > 0 {
        of.arguments.iter().for_each(|argument| ty(walk, argument, span, depth - 1));
    }
}

fn named(walk: &mut Walk<'_, '_>, subject: Subject, path: &[String], span: Span) {
    let Some(last) = path.last() else { return };
    // A renamed import hides the name that the catalog knows, which is rare for what these subjects name.
    if !walk.context.catalog.speaks_of(subject, last) {
        return;
    }
    let absolute = walk.resolve(path);
    for entry in walk.entries(subject, &absolute) {
        walk.find(entry, span, &[]);
    }
}

fn dependencies(walk: &mut Walk<'_, '_>) {
    let context: &Context<'_> = walk.context;
    for package in &context.workspace.packages {
        for dependency in package.dependencies.iter().filter(|dependency| !dependency.development) {
            let krate = dependency.package.replace('-', "_");
            let entries: Vec<&Entry> = context.catalog.named(Subject::Dependency, &krate).collect();
            if !entries.is_empty() {
                walk.stand(manifest(package.manifest));
            }
            for entry in entries {
                if walk.applies(entry) {
                    walk.find(entry, dependency.span, &[]);
                }
            }
        }
    }
}

/// A manifest stands in no module; nothing is resolved there.
fn manifest(file: FileId) -> Stand {
    Stand { file, module: ModuleId(0), role: Role::Service, function: None }
}
