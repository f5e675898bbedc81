//! Code without end: what turns in circles ends, and the rest has its routes.

use super::{AXUM, linked, routes};

const SERVE: &str = "async fn x() {} fn l() -> tokio::net::TcpListener { l() }
    #[tokio::main] async fn main() { axum::serve(l(), app()).await.unwrap(); }";

fn main_with(code: &str) -> String {
    format!("use axum::{{Router, routing::get}}; {code} {SERVE}")
}

#[test]
fn modules_that_are_their_own_parents_end() {
    let main = main_with("mod a; fn app() -> Router { Router::new().route(\"/a\", get(x)).merge(a::routes()) }");
    let a = "#[path = \"main.rs\"] mod up; #[path = \"a.rs\"] mod me; mod a; use axum::{Router, routing::get};
        pub fn routes() -> Router { Router::new().route(\"/b\", get(super::x)) }";
    let found =
        routes(AXUM, &[("src/main.rs", &main), ("src/a.rs", a), ("src/a/a.rs", "#[path = \"../a.rs\"] mod a;")]);
    assert_eq!(found, ["GET /a", "GET /b"]);
}

#[test]
fn globs_that_import_each_other_end() {
    let main = main_with("mod a; mod b; mod c; use a::*; fn app() -> Router { routes().merge(missing()) }");
    let a = "pub use crate::b::*; pub use crate::c::*; pub use super::*;";
    let b = "pub use crate::a::*; pub use crate::c::*; pub use self::*; pub use b as again; pub use again as b;";
    let c = "pub use crate::b::*; use axum::{Router, routing::get};
        pub fn routes() -> Router { Router::new().route(\"/c\", get(crate::x)) }";
    let found = routes(AXUM, &[("src/main.rs", &main), ("src/a.rs", a), ("src/b.rs", b), ("src/c.rs", c)]);
    assert_eq!(found, ["GET /c"]);
}

#[test]
fn a_web_of_globs_ends() {
    let count = 40;
    let names: Vec<String> = (0..count).map(|at| format!("m{at}")).collect();
    let all: String = names.iter().map(|name| format!("pub use crate::{name}::*; ")).collect();
    let modules: String = names.iter().map(|name| format!("mod {name} {{ {all} }} ")).collect();
    let main = main_with(&format!(
        "{modules} use m0::*; fn app() -> Router {{ nowhere(gone::also(Gone::new(), GONE)); Router::new().route(\"/a\", get(x)) }}"
    ));
    assert_eq!(routes(AXUM, &[("src/main.rs", &main)]), ["GET /a"]);
}

#[test]
fn functions_methods_and_closures_that_call_each_other_end() {
    let main = main_with(
        "struct S { next: Box<S> } impl S { fn one(&self, r: Router) -> Router { self.next.two(r.route(\"/one\", get(x))) }
            fn two(&self, r: Router) -> Router { self.one(r).route(\"/two\", get(x)) } }
        trait More { fn more(self) -> Self; } impl More for Router { fn more(self) -> Router { self.more().route(\"/more\", get(x)) } }
        fn path(n: &str) -> String { format!(\"{}/{}\", path(n), other(n)) } fn other(n: &str) -> String { path(n) + \"/x\" }
        fn app() -> Router { let f = |g: fn(Router) -> Router, r| g(f(g, r)); let s = S { next: todo!() };
            s.one(f(|r| r, Router::new())).more().route(&path(\"p\"), get(x)).route(\"/last\", get(x)) }",
    );
    let linked = linked(AXUM, &[("src/main.rs", &main)]);
    assert_eq!(linked.notices, []);
    let found = routes(AXUM, &[("src/main.rs", &main)]);
    for path in ["GET /one", "GET /two", "GET /more", "GET /last"] {
        assert!(found.iter().any(|row| row == path), "{path} in {found:?}");
    }
}

#[test]
fn types_and_traits_in_circles_end() {
    let main = main_with(
        "type A = B; type B = C; type C = A; impl A { fn routes() -> Router { B::routes() } const P: &'static str = B::P; }
        trait T { const Q: &'static str = <Self as T>::Q; fn q() -> &'static str { Self::q() } } struct S; impl T for S {}
        fn app() -> Router { Router::new().merge(A::routes()).route(A::P, get(x)).route(S::Q, get(x)).route(S::q(), get(x)).route(\"/a\", get(x)) }",
    );
    let found = routes(AXUM, &[("src/main.rs", &main)]);
    assert!(found.contains(&"GET /a".to_string()), "{found:?}");
}

#[test]
fn routers_in_lists_and_loops_that_grow_end() {
    let main = main_with(
        "fn app() -> Router { let mut all = vec![Router::new().route(\"/a\", get(x))];
            loop { all.extend(all.clone()); all = all.iter().chain(all.iter()).collect(); for one in all.clone() { all.push(one.merge(one.clone())); } break; }
            all.into_iter().fold(Router::new(), |r, one| r.merge(one).nest(\"/n\", r.clone())) }",
    );
    let found = routes(AXUM, &[("src/main.rs", &main)]);
    assert!(found.contains(&"GET /a".to_string()), "{} routes", found.len());
}

#[test]
fn servers_for_tests_are_not_the_service() {
    let lib = "pub mod test_utils; pub mod api; #[cfg(any(test, feature = \"testsuite\"))] pub mod suite;";
    let api = "use axum::{Router, routing::get}; pub async fn x() {} pub fn app() -> Router { Router::new().route(\"/api\", get(x)) }";
    let helper = "use axum::{Router, routing::get}; pub async fn start() { let app = crate::api::app().route(\"/fake\", get(crate::api::x));
            let listener = tokio::net::TcpListener::bind(\"127.0.0.1:0\").await.unwrap(); tokio::spawn(async move { axum::serve(listener, app).await }); }
        pub fn serve_files() { warp_free(Router::new().route(\"/files\", get(crate::api::x))) }";
    let suite = "use axum::{Router, routing::get}; pub async fn all() { axum::serve(l(), Router::new().route(\"/suite\", get(crate::api::x))).await.unwrap(); } fn l() -> tokio::net::TcpListener { l() }";
    let main = "#[tokio::main] async fn main() { axum::serve(l(), app::api::app()).await.unwrap(); } fn l() -> tokio::net::TcpListener { l() }";
    let files = [
        ("src/main.rs", main),
        ("src/lib.rs", lib),
        ("src/api.rs", api),
        ("src/test_utils.rs", helper),
        ("src/suite.rs", suite),
        (
            "tests/it.rs",
            "#[tokio::test] async fn t() { axum::serve(l(), axum::Router::new().route(\"/it\", axum::routing::get(x))).await; }",
        ),
    ];
    let manifest = "axum = \"0.8\"\ntokio = \"1\"\n[features]\ntestsuite = []";
    assert_eq!(routes(manifest, &files), ["GET /api"]);
}
