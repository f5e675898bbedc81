#![allow(clippy::unwrap_used, clippy::panic)]

use super::ast::{Expr, ExprKind, Item, ItemKind, Literal, MacroCall, PatternKind, RustFile, Statement, TokenKind};
use super::{lex, parse, walk};
use crate::parse::{Parsed, Syntax};

/// Parses on a stack as large as the ones that the program parses on.
fn parsed(text: &str) -> Parsed {
    let text = text.to_string();
    let run = std::thread::Builder::new().stack_size(64 << 20).spawn(move || parse(&text)).unwrap();
    run.join().unwrap()
}

fn file(text: &str) -> RustFile {
    let parsed = parsed(text);
    assert_eq!(parsed.problems, [], "{text}");
    match parsed.syntax {
        Syntax::Rust(file) => *file,
        other => panic!("{other:?}"),
    }
}

fn broken(text: &str) -> (RustFile, String) {
    let parsed = parsed(text);
    let Syntax::Rust(file) = parsed.syntax else { panic!("no Rust") };
    assert!(file.broken);
    (*file, parsed.problems[0].message.clone())
}

/// The tail expression of `fn f() { .. }`, with the file's text.
fn value(body: &str) -> (Expr, String) {
    let text = format!("fn f() {{ {body} }}");
    let file = file(&text);
    let ItemKind::Function(function) = &file.items[0].kind else { panic!("no function") };
    let last = function.body.as_ref().unwrap().statements.last().unwrap();
    let Statement::Expr { value, .. } = last else { panic!("no expression: {last:?}") };
    (value.clone(), text)
}

fn macro_in(body: &str) -> MacroCall {
    match *value(body).0.kind {
        ExprKind::Macro(call) => call,
        other => panic!("{other:?}"),
    }
}

fn arguments(body: &str) -> Vec<(Option<String>, Option<char>)> {
    macro_in(body).arguments.into_iter().map(|argument| (argument.name, argument.sigil)).collect()
}

fn named(name: &str, sigil: Option<char>) -> (Option<String>, Option<char>) {
    (Some(name.to_string()), sigil)
}

fn names(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.name.as_str()).filter(|name| !name.is_empty()).collect()
}

#[test]
fn spans_are_bytes_of_the_file() {
    let text = "\u{feff}// é\r\nfn größe() -> u8 {\r\n    helper::call(\"ü\", 1).await?\r\n}\r\n";
    let file = file(text);
    let item = &file.items[0];
    assert_eq!(&text[item.name_span.range()], "größe");
    let mut seen = Vec::new();
    walk::file_expressions(&file, &mut |expr| seen.push(&text[expr.span.range()]));
    assert_eq!(
        seen,
        [
            "helper::call(\"ü\", 1).await?",
            "helper::call(\"ü\", 1).await",
            "helper::call(\"ü\", 1)",
            "helper::call",
            "\"ü\"",
            "1"
        ]
    );
}

#[test]
fn a_shebang_is_no_rust() {
    let text = "#!/usr/bin/env run\nfn main() {}\n";
    let file = file(text);
    assert_eq!(&text[file.items[0].span.range()], "fn main() {}");
    let inner = parsed("#![allow(dead_code)]\nfn a() {}");
    assert!(matches!(inner.syntax, Syntax::Rust(file) if file.attributes[0].path.is("allow")));
}

#[test]
fn an_empty_file_has_no_items() {
    assert_eq!(file("").items, []);
    assert_eq!(file("\u{feff}").items, []);
    assert_eq!(file("// only this").items, []);
}

#[test]
fn invalid_syntax_keeps_its_tokens() {
    let text = "fn a() { let x = ; }\nconst KEY: &str = \"v\";";
    let (file, message) = broken(text);
    assert!(message.contains("not read as Rust"), "{message}");
    let literals: Vec<_> =
        file.tokens.iter().filter(|token| matches!(token.kind, TokenKind::Literal(Literal::Text(_)))).collect();
    assert_eq!(&text[literals[0].span.range()], "\"v\"");
    assert_eq!(&text[parsed(text).problems[0].span.range()], ";");
    assert!(broken("fn a( {").0.tokens.is_empty());
}

#[test]
fn hostile_nesting_is_a_problem_and_no_crash() {
    for (open, close) in [("{", "}"), ("(", ")"), ("[", "]"), ("mod a{", "}")] {
        let text = format!("fn a() {{ {}{} }}", open.repeat(10_000), close.repeat(10_000));
        assert!(broken(&text).1.contains("too deep"), "{open}");
    }
    for part in ["!", "&", "*", "-", "return ", "A<", "|x|", "fn()->", "x.y().", "1+", "&&", "if a {} else "] {
        let text = format!("fn a() {{ let x = {}1; }}", part.repeat(60_000));
        let parsed = parsed(&text);
        assert!(!parsed.problems.is_empty(), "{part}");
    }
    let deep_type = format!("type A = {}u8;", "Vec<".repeat(10_000));
    assert!(broken(&deep_type).1.contains("too deep"));
    let uses = format!("use {}b;", "a::".repeat(100_000));
    assert!(broken(&uses).1.contains("too deep"));
}

#[test]
fn ordinary_depth_is_read() {
    let text = format!("fn a() {{ {}{} }}", "{".repeat(200), "}".repeat(200));
    assert!(!file(&text).broken);
    let chain = format!("fn a() {{ x{} }}", ".route(\"/a\", get(b))".repeat(400));
    let mut calls = 0;
    walk::file_expressions(&file(&chain), &mut |expr| {
        calls += usize::from(matches!(*expr.kind, ExprKind::MethodCall { .. }));
    });
    assert_eq!(calls, 400);
}

#[test]
fn nested_function_types_take_no_exponential_time() {
    let text = format!("type A = {}u8{};", "Box<dyn Fn() -> ".repeat(60), ">".repeat(60));
    assert!(matches!(file(&text).items[0].kind, ItemKind::TypeAlias(Some(_))));
}

#[test]
fn comments_are_told_from_strings() {
    let text = r##"
        // one
        const A: &str = "// no"; /* two /* nested */ */
        const B: &str = r#"/* no " */"#; const C: char = '"'; // three
        fn f<'a>(x: &'a str) -> char { '\'' } /// doc
        fn g() {}
    "##;
    let comments = parsed(text).comments;
    let inside: Vec<_> = comments.iter().map(|comment| comment.text.trim()).collect();
    assert_eq!(inside, ["one", "two /* nested */", "three", "doc"]);
    assert_eq!(&text[comments[0].span.range()], "// one");
}

#[test]
fn use_trees_are_flattened() {
    let file = file("pub use a::{self, b::{C as D, *}, e}; use ::x::y as _;");
    let leaves: Vec<(String, Option<String>)> = file
        .items
        .iter()
        .flat_map(|item| match &item.kind {
            ItemKind::Use(leaves) => leaves.clone(),
            _ => Vec::new(),
        })
        .map(|leaf| (leaf.path.join("::"), leaf.name))
        .collect();
    let expected = [("a", Some("a")), ("a::b::C", Some("D")), ("a::b", None), ("a::e", Some("e")), ("x::y", Some("_"))];
    let expected: Vec<_> = expected.map(|(path, name)| (path.to_string(), name.map(str::to_string))).into();
    assert_eq!(leaves, expected);
}

#[test]
fn items_of_every_kind() {
    let text = "
        #[derive(Debug)] pub struct S { #[serde(default)] pub a: Option<u8>, b: &'static str }
        struct T(pub u8, String); struct U;
        pub(crate) enum E { A, B(u8), C { d: u8 } }
        impl<T> Tr for S where T: Send { const K: u8 = 1; type O = u8; async fn m(&self, x: Json<T>) -> Result<(), E> { Ok(()) } }
        trait Tr { fn n(); fn o(&self) -> u8 { 1 } }
        mod inner { fn p() {} } mod outer;
        const X: &str = \"x\"; static Y: u8 = 2; type Z = Vec<u8>;
        extern crate core as c;
        macro_rules! mac { () => {} }
    ";
    let file = file(text);
    let all = names(&file.items);
    assert_eq!(all, ["S", "T", "U", "E", "Tr", "inner", "outer", "X", "Y", "Z", "core", "mac"]);
    let ItemKind::Struct(fields) = &file.items[0].kind else { panic!("struct") };
    assert_eq!(fields[0].ty.text, "Option<u8>");
    assert_eq!(fields[1].ty.path, ["str"]);
    assert_eq!(&text[fields[0].span.range()], "#[serde(default)] pub a: Option<u8>");
    assert!(file.items[3].public);
    let ItemKind::Impl(block) = &file.items[4].kind else { panic!("impl") };
    assert_eq!(block.of_trait.as_ref().unwrap().path, ["Tr"]);
    let ItemKind::Function(method) = &block.items[2].kind else { panic!("method") };
    assert!(method.is_async && method.has_self);
    assert_eq!(method.parameters[0].ty.as_ref().unwrap().text, "Json<T>");
    assert_eq!(method.returns.as_ref().unwrap().text, "Result<(), E>");
    let mut visited = Vec::new();
    walk::items(&file.items, &mut |item, _| visited.push(item.name.as_str()));
    assert!(visited.contains(&"p") && visited.contains(&"m") && visited.contains(&"o"));
}

#[test]
fn types_as_text() {
    for (written, text) in [
        ("&'static  mut  [ u8 ]", "&'static mut [u8]"),
        ("impl Future<Output = Result<(), E>>  + Send", "impl Future<Output = Result<(), E>> + Send"),
        ("Box<dyn Fn(u8,u8)->u8>", "Box<dyn Fn(u8,u8)->u8>"),
        ("HashMap<String,\n    Vec<u8>,\n>", "HashMap<String, Vec<u8>>"),
        ("[u8; 32]", "[u8; 32]"),
        ("<T as Trait>::Out", "<T as Trait>::Out"),
    ] {
        let source = format!("type A = {written};");
        let ItemKind::TypeAlias(Some(ty)) = file(&source).items[0].kind.clone() else { panic!("{written}") };
        assert_eq!(ty.text, text);
    }
}

#[test]
fn a_qualified_path_starts_with_its_type() {
    let (expr, _) = value("<Config as Load>::load(<u8>::MAX)");
    let ExprKind::Call { function, arguments } = *expr.kind else { panic!("call") };
    assert!(matches!(*function.kind, ExprKind::Path(path) if path.segments == ["Config", "load"]));
    assert!(matches!(&*arguments[0].kind, ExprKind::Path(path) if path.segments == ["u8", "MAX"]));
}

#[test]
fn parentheses_count_for_spans_only() {
    let (expr, text) = value("(a + b).c()");
    assert_eq!(&text[expr.span.range()], "(a + b).c()");
    let ExprKind::MethodCall { receiver, method, .. } = *expr.kind else { panic!("method") };
    assert_eq!(method, "c");
    assert!(matches!(*receiver.kind, ExprKind::Binary { .. }));
}

#[test]
fn attributes_of_statements_are_kept() {
    let file = file("fn f() { #[cfg(debug_assertions)] app.layer(x); #[cfg(test)] let y = 1; }");
    let ItemKind::Function(function) = &file.items[0].kind else { panic!("function") };
    for statement in &function.body.as_ref().unwrap().statements {
        let (Statement::Expr { attributes, .. } | Statement::Let { attributes, .. }) = statement else {
            panic!("{statement:?}")
        };
        assert_eq!(attributes[0].path.text(), "cfg");
    }
}

#[test]
fn match_arms_have_guards_and_patterns() {
    let (expr, _) = value("match x { Some(Ok(n)) if n > 1 => 1, None | Some(_) => 2, S { a, .. } => 3, other => 4 }");
    let ExprKind::Match { arms, .. } = *expr.kind else { panic!("match") };
    assert!(arms[0].guard.is_some());
    assert!(matches!(&arms[0].pattern.kind, PatternKind::TupleStruct(path, _) if path.is("Some")));
    let PatternKind::Or(cases) = &arms[1].pattern.kind else { panic!("or") };
    assert!(matches!(&cases[0].kind, PatternKind::Path(path) if path.is("None")));
    assert!(matches!(&arms[3].pattern.kind, PatternKind::Name(name) if name == "other"));
}

#[test]
fn fields_of_tracing() {
    assert_eq!(
        arguments("tracing::info!(target: \"t\", parent: &span, user.id = %id, ?err, %a.b, n = 1, \"done {}\", x)"),
        [
            named("target", None),
            named("parent", None),
            named("user.id", Some('%')),
            named("err", Some('?')),
            named("a.b", Some('%')),
            named("n", None),
            (None, None),
            (None, None)
        ]
    );
    let call = macro_in("error!(error = ?e, \"failed: {e}\")");
    assert_eq!(call.message().unwrap().0, "failed: {e}");
    assert_eq!(
        arguments("slog::info!(log, \"up\"; \"port\" => %port, \"k\" => v)")[2..],
        [named("port", Some('%')), named("k", None)]
    );
}

#[test]
fn lists_and_what_parses_of_them() {
    assert_eq!(arguments("vec![a, b + 1, c()]").len(), 3);
    assert_eq!(arguments("sqlx::query!(\"SELECT 1 WHERE a = $1\", id)").len(), 2);
    assert_eq!(arguments("matches!(x, A | B if y)")[0], (None, None));
    assert_eq!(macro_in("html!(<div>{ x }</div>)").tokens[1].kind, TokenKind::Ident("div".to_string()));
}

#[test]
fn arms_of_select_are_reachable() {
    let call = macro_in(
        "tokio::select! { biased; r = axum::serve(l, app), if on => { r.unwrap() } _ = stop() => {}, Some(x) = rx.recv() => go(x), else => end() }",
    );
    let mut calls = Vec::new();
    for argument in &call.arguments {
        walk::expression(&argument.value, &mut |expr| match &*expr.kind {
            ExprKind::Call { function, .. } => {
                if let ExprKind::Path(path) = &*function.kind {
                    calls.push(path.text());
                }
            }
            ExprKind::MethodCall { method, .. } => calls.push(method.clone()),
            _ => {}
        });
    }
    assert_eq!(calls, ["axum::serve", "unwrap", "stop", "recv", "go", "end"]);
    assert_eq!(arguments("tokio::join!(a(), b())").len(), 2);
}

#[test]
fn items_in_macros_come_out() {
    let file = file(
        "cfg_if::cfg_if! { if #[cfg(feature = \"a\")] { fn one() {} } else { mod two { fn three() {} } } }
         cfg_select! { unix => { fn four() {} } _ => { fn five() {} } }
         lazy_static! { static ref SIX: String = six(); }
         thread_local! { static SEVEN: u8 = const { 7 } }
         paste! { pub struct Eight; }",
    );
    assert_eq!(names(&file.items), ["one", "two", "four", "five", "SIX", "SEVEN", "Eight"]);
    let one = file.items.iter().find(|item| item.name == "one").unwrap();
    assert_eq!(one.attributes[0].path.text(), "cfg");
    assert_eq!(one.attributes[0].tokens[0].kind, TokenKind::Ident("feature".to_string()));
}

#[test]
fn blocks_and_values_in_macros() {
    let call = macro_in("async_stream::stream! { let x = fetch().await; yield x; }");
    assert!(matches!(&*call.arguments[0].value.kind, ExprKind::Block(block) if block.statements.len() == 2));
    let call = macro_in("json!({ \"status\": status.as_str(), \"inner\": { \"n\": [1, count()] }, key: null })");
    let keys: Vec<_> = call.arguments.iter().map(|argument| argument.name.clone().unwrap()).collect();
    assert_eq!(keys, ["status", "inner", "key"]);
    let ExprKind::Struct { fields, .. } = &*call.arguments[1].value.kind else { panic!("object") };
    assert!(matches!(&*fields[0].1.kind, ExprKind::Array(items) if items.len() == 2));
    let choice = macro_in("cfg_select! { feature = \"a\" => x.go(), _ => Err(y()) }");
    assert_eq!(choice.arguments.len(), 2);
}

#[test]
fn walks_know_what_is_around() {
    let file = file("fn f() { a(); let g = move |x| b(x); async { c() }; for i in d() { info!(\"{}\", e()); } }");
    let ItemKind::Function(function) = &file.items[0].kind else { panic!("function") };
    let mut seen = Vec::new();
    walk::expressions_inside(function.body.as_ref().unwrap(), &mut |expr, inside| {
        if let ExprKind::Call { function, .. } = &*expr.kind
            && let ExprKind::Path(path) = &*function.kind
        {
            seen.push((path.text(), inside.closures, inside.asyncs, inside.macros, inside.loops));
        }
    });
    let expected = [("a", 0, 0, 0, 0), ("b", 1, 0, 0, 0), ("c", 0, 1, 0, 0), ("d", 0, 0, 0, 0), ("e", 0, 0, 1, 1)];
    assert_eq!(seen, expected.map(|(name, a, b, c, d)| (name.to_string(), a, b, c, d)));
}

#[test]
fn tests_are_known() {
    let file = file(
        "#[cfg(test)] mod tests { fn a() {} } #[tokio::test] async fn b() {} #[cfg(all(test, unix))] fn c() {} #[cfg(not(test))] fn d() {} #[cfg(any(test, unix))] fn e() {}",
    );
    let mut tests = Vec::new();
    walk::items(&file.items, &mut |item, test| {
        if test {
            tests.push(item.name.as_str());
        }
    });
    assert_eq!(tests, ["tests", "a", "b", "c"]);
}

#[test]
fn lexing_alone_gives_the_same_strings() {
    let text = r##"const A: &str = "a\n\u{e9}\x41\
        b"; let b = br#"raw "x" "#; let c = 'q'; let d = 1_000u64; // no "string"
        fn f<'a>() { x.y(b"z", 1.5) }"##;
    let values: Vec<Literal> = lex(text)
        .into_iter()
        .filter_map(|token| match token.kind {
            TokenKind::Literal(literal) => Some(literal),
            _ => None,
        })
        .collect();
    let expected = [
        Literal::Text("a\n\u{e9}Ab".to_string()),
        Literal::Bytes("raw \"x\" ".to_string()),
        Literal::Char('q'),
        Literal::Integer(Some(1000)),
        Literal::Bytes("z".to_string()),
        Literal::Float(1.5),
    ];
    assert_eq!(values, expected);
    for odd in ["\"", "r#\"", "'", "b'", "/*", "r#", "'\\", "\u{e9}", "'\u{e9}"] {
        assert!(lex(odd).iter().all(|token| token.span.end as usize <= odd.len()), "{odd}");
    }
}

/// All functions of a file by name, those of impl blocks and macros included.
fn functions(text: &str) -> Vec<String> {
    let file = file(text);
    let mut names = Vec::new();
    walk::items(&file.items, &mut |item, _| {
        if let ItemKind::Function(_) = &item.kind {
            assert!(text.get(item.span.range()).unwrap().starts_with("fn") || item.public, "{item:?}");
            names.push(item.name.clone());
        }
    });
    names
}

/// Paths of all functions that are called in a file.
fn called(text: &str) -> Vec<String> {
    let file = file(text);
    let mut paths = Vec::new();
    walk::file_expressions(&file, &mut |expr| {
        if let ExprKind::Call { function, .. } = &*expr.kind
            && let ExprKind::Path(path) = &*function.kind
        {
            assert!(text.get(expr.span.range()).unwrap().contains(path.last()), "{expr:?}");
            paths.push(path.text());
        }
    });
    paths
}

#[test]
fn macros_of_the_file_are_written_out_as_items() {
    let getters = "macro_rules! getter { ($name:ident) => { fn $name(&self) -> &str { self.$name } }; }
        struct S; impl S { getter!(one); getter!(two); fn three() {} }";
    assert_eq!(functions(getters), ["one", "two", "three"]);
    let repeated =
        "macro_rules! all { ($($name:ident => $ty:ty),* $(,)?) => { $(fn $name() -> $ty { make::<$ty>() })* } }
        all! { a => Vec<u8>, b => u8, }";
    assert_eq!(functions(repeated), ["a", "b"]);
    assert_eq!(called(repeated), ["make", "make"]);
    let calling = "macro_rules! outer { ($($n:ident)+) => { $(inner!($n, 1);)+ } }
        macro_rules! inner { ($n:ident, $v:literal) => { fn $n() -> u8 { $v } } } outer!(x y);";
    assert_eq!(functions(calling), ["x", "y"]);
}

#[test]
fn macros_of_the_file_are_written_out_inside_functions() {
    let setting = "macro_rules! setting { ($name:expr) => { setting!($name, none()) }; ($name:expr, $or:expr) => { std::env::var($name).unwrap_or($or) } }
        fn f() { let a = setting!(\"PORT\"); setting!(\"HOST\", default(1)); }";
    // What stands among the arguments of the call is met there, and not again in what the macro comes to.
    assert_eq!(called(setting), ["none", "std::env::var", "default", "std::env::var"]);
}

#[test]
fn macros_without_end_end() {
    for text in [
        "macro_rules! a { () => { b!(); b!(); } } macro_rules! b { () => { a!(); a!(); } } fn f() { a!(); } a!();",
        "macro_rules! a { ($($x:tt)*) => { a!($($x)* $($x)*); fn g() {} } } a!(1 2 3);",
        "macro_rules! a { ($x:ident) => { $y } ; ($(x)) => {} } fn f() { a!(x); a!(); }",
        "macro_rules! a { ($($x:ident)*) => { $($x $y)* $($z)* } } fn f() { a!(x); a!(); }",
    ] {
        file(text);
    }
}

#[test]
fn types_handed_to_macros_of_elsewhere_are_types() {
    let read = file(
        "derived!(pub struct Order { id: u8 }, \"PartOfOrder\"); twice![pub enum State { Open, Shut }]; check!(Order, State);",
    );
    let names: Vec<&str> = read
        .items
        .iter()
        .filter(|item| matches!(item.kind, ItemKind::Struct(_) | ItemKind::Enum(_)))
        .map(|item| item.name.as_str())
        .collect();
    assert_eq!(names, ["Order", "State"]);
}

#[test]
fn paths_from_the_root_keep_an_empty_segment() {
    let read = file("fn f() { ::client::Client::new(); ::std::mem::take(x); }");
    let text = format!("{:?}", read.items);
    assert!(text.contains("[\"\", \"client\", \"Client\", \"new\"]"));
    assert!(text.contains("[\"std\", \"mem\", \"take\"]"));
}
