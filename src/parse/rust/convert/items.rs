//! Items.

use syn::{FnArg, ImplItem, TraitItem, UseTree, Visibility};

use super::Maker;
use super::tokens::name;
use crate::parse::rust::ast::{Field, Function, Impl, Item, ItemKind, Type, UseLeaf, Variant};
use crate::parse::rust::macros::Within;
use crate::scan::source::Span;

/// What is common to items: where they start and end, their name and attributes.
struct Head<'s> {
    attributes: &'s [syn::Attribute],
    visibility: Option<&'s Visibility>,
    name: Option<&'s proc_macro2::Ident>,
    first: proc_macro2::Span,
    last: Span,
}

impl Maker<'_> {
    /// Items in order; those that stand in macros (`cfg_if!`) come after the macro.
    pub fn items(&self, items: &[syn::Item]) -> Vec<Item> {
        let outside = self.lifted.take();
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            all.push(self.item(item));
            all.append(&mut self.lifted.borrow_mut());
        }
        self.lifted.replace(outside);
        all
    }

    /// One item.
    pub fn item(&self, item: &syn::Item) -> Item {
        match item {
            syn::Item::Fn(function) => self.function_item(
                (&function.attrs, Some(&function.vis)),
                &function.sig,
                Some(&function.block),
                Span::default(),
            ),
            syn::Item::Struct(parts) => {
                let end = self.fields_end(&parts.fields, parts.semi_token, parts.ident.span());
                let head = head(&parts.attrs, Some(&parts.vis), &parts.ident, parts.struct_token.span, end);
                self.headed(head, ItemKind::Struct(self.fields(&parts.fields)))
            }
            syn::Item::Enum(parts) => {
                let end = self.span(parts.brace_token.span.close());
                let head = head(&parts.attrs, Some(&parts.vis), &parts.ident, parts.enum_token.span, end);
                let variants = parts.variants.iter().map(|variant| self.variant(variant)).collect();
                self.headed(head, ItemKind::Enum(variants))
            }
            syn::Item::Union(parts) => {
                let end = self.span(parts.fields.brace_token.span.close());
                let head = head(&parts.attrs, Some(&parts.vis), &parts.ident, parts.union_token.span, end);
                let fields = parts.fields.named.iter().enumerate();
                let fields = fields.map(|(index, field)| self.field(index, field)).collect();
                self.headed(head, ItemKind::Struct(fields))
            }
            syn::Item::Impl(block) => self.impl_item(block),
            syn::Item::Trait(parts) => {
                let end = self.span(parts.brace_token.span.close());
                let head = head(&parts.attrs, Some(&parts.vis), &parts.ident, parts.trait_token.span, end);
                let items = self.members(parts.items.iter().map(Member::Trait));
                self.headed(head, ItemKind::Trait(items))
            }
            other => self.smaller_item(other),
        }
    }

    fn smaller_item(&self, item: &syn::Item) -> Item {
        match item {
            syn::Item::Mod(module) => self.module(module),
            syn::Item::Use(import) => self.import(import),
            syn::Item::ExternCrate(parts) => {
                let end = self.span(parts.semi_token.span);
                let head = head(&parts.attrs, Some(&parts.vis), &parts.ident, parts.extern_token.span, end);
                let alias = parts.rename.as_ref().map(|(_, alias)| name(alias));
                self.headed(head, ItemKind::ExternCrate(alias))
            }
            syn::Item::Const(parts) => {
                let end = self.span(parts.semi_token.span);
                let head = head(&parts.attrs, Some(&parts.vis), &parts.ident, parts.const_token.span, end);
                self.headed(head, ItemKind::Const(Some(self.ty(&parts.ty)), Some(self.expr(&parts.expr))))
            }
            syn::Item::Static(parts) => {
                let end = self.span(parts.semi_token.span);
                let head = head(&parts.attrs, Some(&parts.vis), &parts.ident, parts.static_token.span, end);
                self.headed(head, ItemKind::Static(Some(self.ty(&parts.ty)), Some(self.expr(&parts.expr))))
            }
            syn::Item::Type(parts) => {
                let end = self.span(parts.semi_token.span);
                let head = head(&parts.attrs, Some(&parts.vis), &parts.ident, parts.type_token.span, end);
                self.headed(head, ItemKind::TypeAlias(Some(self.ty(&parts.ty))))
            }
            syn::Item::Macro(call) => self.macro_item(&call.attrs, call.ident.as_ref(), &call.mac, Within::Module),
            other => self.unread(other),
        }
    }

    fn unread(&self, item: &syn::Item) -> Item {
        let span = match item {
            syn::Item::ForeignMod(block) => self.span(block.brace_token.span.join()),
            syn::Item::TraitAlias(alias) => self.span(alias.trait_token.span).to(self.span(alias.semi_token.span)),
            syn::Item::Verbatim(tokens) => self.stream_span(tokens),
            _ => Span::default(),
        };
        nameless(span, Vec::new(), ItemKind::Other)
    }

    fn headed(&self, head: Head<'_>, kind: ItemKind) -> Item {
        let first = head.visibility.and_then(visibility_start).unwrap_or(head.first);
        let start = self.span(first);
        let name_span = head.name.map_or(self.span(head.first), |ident| self.span(ident.span()));
        Item {
            name: head.name.map(name).unwrap_or_default(),
            name_span,
            span: self.span_with(head.attributes, start, head.last),
            public: head.visibility.is_some_and(|visibility| !matches!(visibility, Visibility::Inherited)),
            attributes: self.attributes(head.attributes),
            kind,
        }
    }

    fn function_item(
        &self,
        (attributes, visibility): (&[syn::Attribute], Option<&Visibility>),
        signature: &syn::Signature,
        body: Option<&syn::Block>,
        end: Span,
    ) -> Item {
        let body = body.map(|body| self.block(body));
        let last = body.as_ref().map_or(end, |body| body.span);
        let has_self = matches!(signature.inputs.first(), Some(FnArg::Receiver(_)));
        let typed = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(self.typed_parameter(typed)),
            FnArg::Receiver(_) => None,
        });
        let function = Function {
            is_async: signature.asyncness.is_some(),
            has_self,
            parameters: typed.collect(),
            returns: self.return_type(&signature.output),
            body,
        };
        let starts = [signature.constness.map(|token| token.span), signature.asyncness.map(|token| token.span)];
        let first = starts.into_iter().flatten().next().unwrap_or(signature.fn_token.span);
        let head = Head { attributes, visibility, name: Some(&signature.ident), first, last };
        self.headed(head, ItemKind::Function(function))
    }

    fn impl_item(&self, block: &syn::ItemImpl) -> Item {
        let of_trait = block.trait_.as_ref().map(|(path, _)| {
            let path = self.path(path);
            let text = self.text.get(path.span.range()).unwrap_or("").split_whitespace().collect();
            Type { text, path: path.segments, arguments: path.arguments, span: path.span }
        });
        let items = self.members(block.items.iter().map(Member::Impl));
        let kind = ItemKind::Impl(Impl { of_trait, for_type: self.ty(&block.self_ty), items });
        let head = Head {
            attributes: &block.attrs,
            visibility: None,
            name: None,
            first: block.impl_token.span,
            last: self.span(block.brace_token.span.close()),
        };
        self.headed(head, kind)
    }

    /// Items of an `impl` block that a macro made.
    pub fn impl_members(&self, items: &[ImplItem]) -> Vec<Item> {
        self.members(items.iter().map(Member::Impl))
    }

    /// Items of a trait that a macro made.
    pub fn trait_members(&self, items: &[TraitItem]) -> Vec<Item> {
        self.members(items.iter().map(Member::Trait))
    }

    fn members<'s>(&self, members: impl Iterator<Item = Member<'s>>) -> Vec<Item> {
        let outside = self.lifted.take();
        let mut all = Vec::new();
        for member in members {
            all.push(match member {
                Member::Impl(item) => self.impl_member(item),
                Member::Trait(item) => self.trait_member(item),
            });
            all.append(&mut self.lifted.borrow_mut());
        }
        self.lifted.replace(outside);
        all
    }

    fn impl_member(&self, item: &ImplItem) -> Item {
        match item {
            ImplItem::Fn(method) => self.function_item(
                (&method.attrs, Some(&method.vis)),
                &method.sig,
                Some(&method.block),
                Span::default(),
            ),
            ImplItem::Const(parts) => {
                let end = self.span(parts.semi_token.span);
                let head = head(&parts.attrs, Some(&parts.vis), &parts.ident, parts.const_token.span, end);
                self.headed(head, ItemKind::Const(Some(self.ty(&parts.ty)), Some(self.expr(&parts.expr))))
            }
            ImplItem::Type(parts) => {
                let end = self.span(parts.semi_token.span);
                let head = head(&parts.attrs, Some(&parts.vis), &parts.ident, parts.type_token.span, end);
                self.headed(head, ItemKind::TypeAlias(Some(self.ty(&parts.ty))))
            }
            ImplItem::Macro(call) => self.macro_item(&call.attrs, None, &call.mac, Within::Impl),
            ImplItem::Verbatim(tokens) => nameless(self.stream_span(tokens), Vec::new(), ItemKind::Other),
            _ => nameless(Span::default(), Vec::new(), ItemKind::Other),
        }
    }

    fn trait_member(&self, item: &TraitItem) -> Item {
        match item {
            TraitItem::Fn(method) => {
                let end = method.semi_token.map(|token| self.span(token.span)).unwrap_or_default();
                self.function_item((&method.attrs, None), &method.sig, method.default.as_ref(), end)
            }
            TraitItem::Const(parts) => {
                let end = self.span(parts.semi_token.span);
                let head = head(&parts.attrs, None, &parts.ident, parts.const_token.span, end);
                let value = parts.default.as_ref().map(|(_, value)| self.expr(value));
                self.headed(head, ItemKind::Const(Some(self.ty(&parts.ty)), value))
            }
            TraitItem::Type(parts) => {
                let end = self.span(parts.semi_token.span);
                let head = head(&parts.attrs, None, &parts.ident, parts.type_token.span, end);
                let value = parts.default.as_ref().map(|(_, ty)| self.ty(ty));
                self.headed(head, ItemKind::TypeAlias(value))
            }
            TraitItem::Macro(call) => self.macro_item(&call.attrs, None, &call.mac, Within::Trait),
            TraitItem::Verbatim(tokens) => nameless(self.stream_span(tokens), Vec::new(), ItemKind::Other),
            _ => nameless(Span::default(), Vec::new(), ItemKind::Other),
        }
    }

    fn module(&self, module: &syn::ItemMod) -> Item {
        let end = match (&module.content, module.semi) {
            (Some((brace, _)), _) => self.span(brace.span.close()),
            (None, Some(semicolon)) => self.span(semicolon.span),
            (None, None) => self.span(module.ident.span()),
        };
        let head = head(&module.attrs, Some(&module.vis), &module.ident, module.mod_token.span, end);
        let content = module.content.as_ref().map(|(_, items)| self.items(items));
        self.headed(head, ItemKind::Module(content))
    }

    fn import(&self, import: &syn::ItemUse) -> Item {
        let mut leaves = Vec::new();
        self.use_leaves(&import.tree, &mut Vec::new(), &mut leaves);
        let head = Head {
            attributes: &import.attrs,
            visibility: Some(&import.vis),
            name: None,
            first: import.use_token.span,
            last: self.span(import.semi_token.span),
        };
        self.headed(head, ItemKind::Use(leaves))
    }

    fn use_leaves(&self, tree: &UseTree, before: &mut Vec<String>, to: &mut Vec<UseLeaf>) {
        self.deeper(Span::default, || self.use_tree(tree, before, to));
    }

    fn use_tree(&self, tree: &UseTree, before: &mut Vec<String>, to: &mut Vec<UseLeaf>) {
        match tree {
            UseTree::Path(path) => {
                before.push(name(&path.ident));
                self.use_leaves(&path.tree, before, to);
                before.pop();
            }
            UseTree::Name(leaf) => {
                let leaf_name = name(&leaf.ident);
                to.push(use_leaf(before, &leaf_name, None, self.span(leaf.ident.span())));
            }
            UseTree::Rename(leaf) => {
                let span = self.span(leaf.ident.span()).to(self.span(leaf.rename.span()));
                to.push(use_leaf(before, &name(&leaf.ident), Some(name(&leaf.rename)), span));
            }
            UseTree::Glob(glob) => {
                to.push(UseLeaf { path: before.clone(), name: None, span: self.span(glob.star_token.span) });
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_leaves(tree, before, to);
                }
            }
        }
    }

    fn fields(&self, fields: &syn::Fields) -> Vec<Field> {
        fields.iter().enumerate().map(|(index, field)| self.field(index, field)).collect()
    }

    fn field(&self, index: usize, field: &syn::Field) -> Field {
        let ty = self.ty(&field.ty);
        let start = match (visibility_start(&field.vis), &field.ident) {
            (Some(visibility), _) => self.span(visibility),
            (None, Some(ident)) => self.span(ident.span()),
            (None, None) => ty.span,
        };
        Field {
            name: field.ident.as_ref().map_or_else(|| index.to_string(), name),
            span: self.span_with(&field.attrs, start, ty.span),
            ty,
            attributes: self.attributes(&field.attrs),
        }
    }

    fn variant(&self, variant: &syn::Variant) -> Variant {
        let start = self.span(variant.ident.span());
        let mut end = self.fields_end(&variant.fields, None, variant.ident.span());
        if let Some((_, value)) = &variant.discriminant {
            end = self.expr(value).span;
        }
        Variant {
            name: name(&variant.ident),
            fields: self.fields(&variant.fields),
            attributes: self.attributes(&variant.attrs),
            span: self.span_with(&variant.attrs, start, end),
        }
    }

    fn fields_end(&self, fields: &syn::Fields, end: Option<syn::Token![;]>, none: proc_macro2::Span) -> Span {
        match (fields, end) {
            (_, Some(semicolon)) => self.span(semicolon.span),
            (syn::Fields::Named(named), None) => self.span(named.brace_token.span.close()),
            (syn::Fields::Unnamed(unnamed), None) => self.span(unnamed.paren_token.span.close()),
            (syn::Fields::Unit, None) => self.span(none),
        }
    }
}

enum Member<'s> {
    Impl(&'s ImplItem),
    Trait(&'s TraitItem),
}

fn head<'s>(
    attributes: &'s [syn::Attribute],
    visibility: Option<&'s Visibility>,
    name: &'s proc_macro2::Ident,
    first: proc_macro2::Span,
    last: Span,
) -> Head<'s> {
    Head { attributes, visibility, name: Some(name), first, last }
}

fn visibility_start(visibility: &Visibility) -> Option<proc_macro2::Span> {
    match visibility {
        Visibility::Public(token) => Some(token.span),
        Visibility::Restricted(restricted) => Some(restricted.pub_token.span),
        Visibility::Inherited => None,
    }
}

/// `a::self` binds the last segment of its folder.
fn use_leaf(before: &[String], leaf: &str, alias: Option<String>, span: Span) -> UseLeaf {
    let mut path = before.to_vec();
    if leaf != "self" || path.is_empty() {
        path.push(leaf.to_string());
    }
    let own = path.last().cloned();
    UseLeaf { path, name: alias.or(own), span }
}

/// An item without a name.
pub fn nameless(span: Span, attributes: Vec<crate::parse::rust::ast::Attribute>, kind: ItemKind) -> Item {
    Item {
        name: String::new(),
        name_span: Span::new(span.start as usize, span.start as usize),
        span,
        public: false,
        attributes,
        kind,
    }
}
