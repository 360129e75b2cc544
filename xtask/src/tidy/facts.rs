//! What a parser finds in one Rust file, as plain values that the checks can look at.
//!
//! Parsing happens here and nowhere else, so that a check is a loop over these values and a wrong
//! guess about the language has one place to be corrected.

use std::ops::RangeInclusive;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, ImplItemFn, ItemFn, ItemMod, ItemTrait, Signature, TraitItemFn};

use super::tokens::{self, Token};

/// What was found in one file.
#[derive(Debug, Default)]
pub struct Facts {
    /// Why the file could not be parsed, with the line.
    pub parse_error: Option<(usize, String)>,
    /// Every function with a body, nested ones included.
    pub functions: Vec<Function>,
    /// Every trait.
    pub traits: Vec<Trait>,
    /// The lines of items that are compiled for tests only.
    pub test_spans: Vec<RangeInclusive<usize>>,
    /// The names of modules in files of their own that are compiled for tests only.
    pub test_modules: Vec<String>,
    /// Whether the whole file says that it is for tests only.
    pub all_test: bool,
    /// The code without comments and literals.
    pub tokens: Vec<Token>,
}

/// A function with a body.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line its signature starts on.
    pub line: usize,
    /// The lines from its signature to its closing brace.
    pub length: usize,
    /// Whether it carries an attribute like `#[test]`.
    pub is_test: bool,
    /// Whether it is `pub async`.
    pub is_public_async: bool,
}

/// A trait and its methods.
#[derive(Debug)]
pub struct Trait {
    /// Its name.
    pub name: String,
    /// The names of its methods and the lines they start on.
    pub methods: Vec<(String, usize)>,
}

/// Parses the text of a file.
pub fn gather(text: &str) -> Facts {
    match syn::parse_file(text) {
        Ok(file) => {
            let mut facts = Facts { all_test: is_for_tests(&file.attrs), ..Facts::default() };
            facts.visit_file(&file);
            facts.tokens = text.parse().map(tokens::flatten).unwrap_or_default();
            facts
        }
        Err(error) => {
            let line = error.span().start().line;
            Facts { parse_error: Some((line, error.to_string())), ..Facts::default() }
        }
    }
}

impl Facts {
    fn add_function(&mut self, attrs: &[Attribute], signature: &Signature, block: &Block) -> usize {
        let line = signature.span().start().line;
        let end = block.brace_token.span.close().end().line;
        self.functions.push(Function {
            name: signature.ident.to_string(),
            line,
            length: end + 1 - line,
            is_test: attrs.iter().any(is_test_attribute),
            is_public_async: false,
        });
        self.functions.len() - 1
    }

    fn add_span_if_for_tests(&mut self, attrs: &[Attribute], span: Span) {
        if is_for_tests(attrs) {
            self.test_spans.push(span.start().line..=span.end().line);
        }
    }
}

impl<'ast> Visit<'ast> for Facts {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.add_span_if_for_tests(attributes(item), item.span());
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if module.content.is_none() && is_for_tests(&module.attrs) {
            self.test_modules.push(module.ident.to_string());
        }
        visit::visit_item_mod(self, module);
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        let index = self.add_function(&item.attrs, &item.sig, &item.block);
        let public = matches!(item.vis, syn::Visibility::Public(_));
        self.functions[index].is_public_async = public && item.sig.asyncness.is_some();
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.add_span_if_for_tests(&item.attrs, item.span());
        self.add_function(&item.attrs, &item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(block) = &item.default {
            self.add_function(&item.attrs, &item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        let methods = item.items.iter().filter_map(|entry| match entry {
            syn::TraitItem::Fn(method) => {
                Some((method.sig.ident.to_string(), method.sig.span().start().line))
            }
            _ => None,
        });
        self.traits.push(Trait { name: item.ident.to_string(), methods: methods.collect() });
        visit::visit_item_trait(self, item);
    }
}

fn is_for_tests(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attribute| {
        let condition = match &attribute.meta {
            syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string(),
            _ => return false,
        };
        condition == "test" || condition.replace(' ', "").starts_with("all(test,")
    })
}

/// `#[test]`, and the like of other crates: `#[tokio::test]`.
fn is_test_attribute(attribute: &Attribute) -> bool {
    let last = attribute.path().segments.last();
    last.is_some_and(|segment| segment.ident == "test")
}

fn attributes(item: &syn::Item) -> &[Attribute] {
    use syn::Item::{
        Const, Enum, ExternCrate, Fn, ForeignMod, Impl, Macro, Mod, Static, Struct, Trait,
        TraitAlias, Type, Union, Use,
    };
    match item {
        Const(item) => &item.attrs,
        Enum(item) => &item.attrs,
        ExternCrate(item) => &item.attrs,
        Fn(item) => &item.attrs,
        ForeignMod(item) => &item.attrs,
        Impl(item) => &item.attrs,
        Macro(item) => &item.attrs,
        Mod(item) => &item.attrs,
        Static(item) => &item.attrs,
        Struct(item) => &item.attrs,
        Trait(item) => &item.attrs,
        TraitAlias(item) => &item.attrs,
        Type(item) => &item.attrs,
        Union(item) => &item.attrs,
        Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured_from_signature_to_brace() {
        let code = "/// Doc.\n#[must_use]\npub async fn a(\n    x: u8,\n) {\n    fn b() {}\n}\n";
        let facts = gather(code);
        let shown: Vec<_> = facts.functions.iter().map(|f| (&*f.name, f.line, f.length)).collect();
        assert_eq!(shown, [("a", 3, 5), ("b", 6, 1)]);
        assert!(facts.functions[0].is_public_async && !facts.functions[1].is_public_async);
    }

    #[test]
    fn traits_list_their_methods() {
        let facts = gather(
            "pub trait Users {\n    const N: u8;\n    async fn load(&self);\n    fn now() {}\n}",
        );
        assert_eq!(facts.traits[0].name, "Users");
        assert_eq!(facts.traits[0].methods, [("load".to_owned(), 3), ("now".to_owned(), 4)]);
    }

    #[test]
    fn code_for_tests_is_recognised() {
        let facts = gather(
            "#[cfg(test)]\nmod inline {\n}\n#[cfg(test)]\nmod other;\n#[cfg(not(test))]\nfn a() {}\n\
             #[tokio::test]\nasync fn b() {}\n",
        );
        assert_eq!(facts.test_spans, [1..=3, 4..=5]);
        assert_eq!(facts.test_modules, ["other"]);
        assert!(!facts.functions[0].is_test && facts.functions[1].is_test);
        assert!(gather("#![cfg(test)]\nfn a() {}").all_test);
    }

    #[test]
    fn what_cannot_be_parsed_is_reported() {
        assert!(gather("fn a( {").parse_error.is_some());
    }
}
