#![allow(clippy::unwrap_used)]

use super::*;
use crate::link::trial::repository;

/// Runs a check on the names of a tree of one package (more manifests may be among the files).
fn with_names(files: &[(&str, &str)], check: impl Fn(&Names<'_>)) {
    let mut all = vec![("Cargo.toml", "[package]\nname = \"app\"\n[dependencies]\nsqlx = \"0.8\"\n")];
    all.extend(files.iter().filter(|(path, _)| *path != "Cargo.toml"));
    if let Some(own) = files.iter().find(|(path, _)| *path == "Cargo.toml") {
        all[0] = *own;
    }
    let repository = repository(&all);
    let workspace = Workspace::build(&repository);
    check(&Names::build(&repository, &workspace));
}

fn resolve(names: &Names<'_>, module: &str, path: &str) -> String {
    let module = (0..).map(ModuleId).find(|id| names.module_path(*id) == module).unwrap();
    let segments: Vec<String> = path.split("::").map(str::to_string).collect();
    names.resolve(module, &segments)
}

/// Calls of a function: target, `?` where found by name, `~` where offloaded, `&` where passed as a value.
fn calls(names: &Names<'_>, path: &str) -> Vec<String> {
    let id = names.function_at(path).unwrap();
    let mark = |on: bool, mark: &'static str| if on { mark } else { "" };
    let words = names.calls(id).iter().map(|site| {
        let target = &names.function(site.target).path;
        format!("{target}{}{}{}", mark(!site.certain, "?"), mark(site.offloaded, "~"), mark(site.by_reference, "&"))
    });
    words.collect()
}

#[test]
fn paths_are_resolved_through_imports() {
    let files = [
        ("src/main.rs", "mod db; mod web; mod hook; use db::*; use sqlx::postgres::{self, PgPoolOptions as Options};"),
        ("src/hook.rs", "mod answer; pub use answer::answer;"),
        ("src/hook/answer.rs", "pub fn answer() {}"),
        (
            "src/db/mod.rs",
            "pub mod users; pub use users::User as Person; pub type Pool = sqlx::Pool; pub enum Kind { A } pub fn open() {}",
        ),
        ("src/db/users.rs", "pub struct User; use super::Kind::*; use super::super::web::Page;"),
        (
            "src/web.rs",
            "pub use crate::db::*; pub struct Page; pub use self::inner::Deep; mod inner { pub struct Deep; use super::*; }",
        ),
    ];
    with_names(&files, |names| {
        for (module, path, expected) in [
            ("app", "Options::new", "sqlx::postgres::PgPoolOptions::new"),
            ("app", "postgres::connect", "sqlx::postgres::connect"),
            ("app", "open", "app::db::open"),
            ("app", "hook::answer", "app::hook::answer::answer"),
            ("app", "Person", "app::db::users::User"),
            ("app", "Pool", "sqlx::Pool"),
            ("app::db::users", "A", "app::db::Kind::A"),
            ("app::db::users", "Page", "app::web::Page"),
            ("app::web", "Person::load", "app::db::users::User::load"),
            ("app::web", "Deep", "app::web::inner::Deep"),
            ("app::web::inner", "open", "app::db::open"),
            ("app::web", "crate::db::users::User", "app::db::users::User"),
            ("app::web", "Vec::new", "Vec::new"),
            ("app::web", "sqlx::query", "sqlx::query"),
        ] {
            assert_eq!(resolve(names, module, path), expected, "{path} in {module}");
        }
    });
}

#[test]
fn cycles_of_imports_end() {
    let files = [
        ("src/main.rs", "mod a; mod b; pub use a::*; pub use x::y as x;"),
        (
            "src/a.rs",
            "pub use crate::b::*; pub use crate::*; pub type T = T; pub use self::z as q; pub use self::q as z;",
        ),
        ("src/b.rs", "pub use crate::a::*; pub use super::a::Lost;"),
    ];
    with_names(&files, |names| {
        assert_eq!(resolve(names, "app::b", "Nowhere"), "Nowhere");
        assert_eq!(resolve(names, "app::a", "T"), "T");
        resolve(names, "app::a", "z");
        resolve(names, "app", "x::y");
    });
}

#[test]
fn modules_are_found_where_cargo_finds_them() {
    let files = [
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"lib\"]\n[package]\nname = \"app\"\n[dependencies]\ncore-lib = { path = \"lib\" }\nsql = { package = \"sqlx\", version = \"0.8\" }\n",
        ),
        (
            "src/main.rs",
            "#[path = \"elsewhere/odd.rs\"] mod named; mod outer { mod inner; } cfg_if! { if #[cfg(unix)] { mod chosen; } } fn main() { core_lib::start(); sql::query(); }",
        ),
        ("src/elsewhere/odd.rs", "pub fn odd() {}"),
        ("src/outer/inner.rs", "fn inner() {}"),
        ("src/chosen.rs", "fn chosen() {}"),
        ("src/lib.rs", "pub fn own() {}"),
        ("lib/Cargo.toml", "[package]\nname = \"core-lib\"\n"),
        ("lib/src/lib.rs", "mod deep; pub use deep::start;"),
        ("lib/src/deep.rs", "pub fn start() {}"),
    ];
    with_names(&files, |names| {
        for path in ["app::own", "app#2::named::odd", "app#2::outer::inner::inner", "app#2::chosen::chosen"] {
            assert!(names.function_at(path).is_some(), "{path}");
        }
        assert_eq!(calls(names, "app#2::main"), ["core_lib::deep::start"]);
        let main = names.function_at("app#2::main").unwrap();
        assert_eq!(names.outside_calls(main)[0].path, "sqlx::query");
    });
}

#[test]
fn tests_and_development_code_are_told_apart() {
    let files = [
        (
            "src/main.rs",
            "fn live() {} #[cfg(not(test))] fn also_live() {} #[cfg(test)] mod unit { fn a() {} } mod tests { fn b() {} }
             #[tokio::test] async fn c() {} #[cfg(debug_assertions)] fn d() {} #[cfg(feature = \"extra\")] fn e() {}
             #[cfg(any(test, feature = \"extra\"))] fn f() {} #[cfg(all(unix, not(feature = \"extra\")))] fn g() {}",
        ),
        ("tests/api.rs", "fn h() {}"),
    ];
    with_names(&files, |names| {
        let of = |path: &str| {
            let info = names.function(names.function_at(path).unwrap());
            (info.role, info.development_only)
        };
        for path in ["app::live", "app::also_live", "app::g"] {
            assert_eq!(of(path), (Role::Service, false), "{path}");
        }
        for path in ["app::unit::a", "app::tests::b", "app::c", "app::f", "api::h"] {
            assert_eq!(of(path), (Role::Test, false), "{path}");
        }
        for path in ["app::d", "app::e"] {
            assert_eq!(of(path), (Role::Service, true), "{path}");
        }
    });
}

#[test]
fn methods_are_found_by_the_type_of_their_receiver() {
    let code = "
        use std::sync::Arc;
        struct Repo { pool: sqlx::PgPool }
        impl Repo { fn new() -> Self { Repo { pool: todo() } } fn get(&self) -> Option<Row> { None } async fn load(&self) -> Result<Row, E> { self.get() } }
        struct Row; impl Row { fn get(&self) {} fn render_row(&self) {} }
        struct App { repo: Arc<Repo> }
        impl App { fn repo(&self) -> &Repo { &self.repo } }
        async fn by_parameter(State(app): State<Arc<App>>) { app.repo.get(); app.repo().get().unwrap().get(); }
        async fn by_local() { let repo = Repo::new(); let row = repo.load().await?; row.get(); }
        async fn by_pattern(repo: Repo) { if let Ok(row) = repo.load().await { row.get(); } match repo.get() { Some(found) => found.get(), None => {} } }
        fn by_name(x: Unheard) { x.render_row(); x.get(); }
        fn outside(repo: Repo) { repo.pool.acquire(); }
    ";
    with_names(&[("src/main.rs", code)], |names| {
        assert_eq!(
            calls(names, "app::by_parameter"),
            ["app::Repo::get", "app::App::repo", "app::Repo::get", "app::Row::get"]
        );
        assert_eq!(calls(names, "app::by_local"), ["app::Repo::new", "app::Repo::load", "app::Row::get"]);
        assert_eq!(
            calls(names, "app::by_pattern"),
            ["app::Repo::load", "app::Row::get", "app::Repo::get", "app::Row::get"]
        );
        assert_eq!(calls(names, "app::by_name"), ["app::Row::render_row?"]);
        let outside = names.function_at("app::outside").unwrap();
        assert_eq!(names.outside_calls(outside)[0].path, "sqlx::PgPool::acquire");
    });
}

#[test]
fn traits_lead_to_their_implementations() {
    let code = "
        trait Store { fn put(&self); fn twice(&self) { self.put(); } }
        struct Memory; impl Store for Memory { fn put(&self) {} }
        struct Disk; impl Store for Disk { fn put(&self) {} }
        fn dynamic(store: Box<dyn Store>) { store.put(); }
        fn default(memory: Memory) { memory.twice(); }
    ";
    with_names(&[("src/main.rs", code)], |names| {
        assert_eq!(calls(names, "app::dynamic"), ["app::Memory::put?", "app::Disk::put?"]);
        assert_eq!(calls(names, "app::default"), ["app::Store::twice"]);
    });
}

#[test]
fn closures_macros_values_and_blocking_threads_count() {
    let code = "
        fn hash() {} fn internal(e: E) {} fn plain() {}
        async fn wrapped<F: FnOnce()>(f: F) { tokio::task::spawn_blocking(f).await; }
        async fn handler() {
            tokio::task::spawn_blocking(move || hash()).await.map_err(internal)?;
            wrapped(|| hash()).await;
            tracing::info!(value = plain(), \"text\");
            tokio::select! { x = plain() => {}, }
            items.iter().for_each(|item| plain());
            std::thread::spawn(hash);
        }
    ";
    with_names(&[("src/main.rs", code)], |names| {
        let expected = [
            "app::hash~",
            "app::internal&",
            "app::wrapped",
            "app::hash~",
            "app::plain",
            "app::plain",
            "app::plain",
            "app::hash~&",
        ];
        assert_eq!(calls(names, "app::handler"), expected);
    });
}

#[test]
fn a_place_has_its_innermost_function() {
    let code = "fn outer() { fn inner() { work(); } }";
    with_names(&[("src/main.rs", code)], |names| {
        let file = names.functions()[0].file;
        let at = code.find("work").unwrap();
        let found = names.function_holding(Place { file, span: Span::new(at, at + 4) }).unwrap();
        assert_eq!(names.function(found).item.name, "inner");
    });
}

#[test]
fn a_local_hides_no_longer_path_that_ends_in_its_name() {
    let source = "fn main() { let builder = 1; let client = sqlx::Pool::builder(); builder(); }";
    with_names(&[("src/main.rs", source)], |names| {
        let main = names.function_at("app::main").unwrap();
        let outside: Vec<&str> = names.outside_calls(main).iter().map(|call| call.path.as_str()).collect();
        assert_eq!(outside, ["sqlx::Pool::builder"]);
    });
}

#[test]
fn globs_go_past_modules_that_import_the_name_in_a_circle() {
    let main = "mod models; pub use models::*; mod guard;";
    let models = "mod orders; mod users; pub use orders::*; pub use users::*;";
    let orders = "use crate::User; pub struct Order(User);";
    let users = "pub struct User;";
    let guard = "use crate::models::User; fn check(user: User) {}";
    let files = [
        ("src/main.rs", main),
        ("src/models/mod.rs", models),
        ("src/models/orders.rs", orders),
        ("src/models/users.rs", users),
        ("src/guard.rs", guard),
    ];
    with_names(&files, |names| {
        assert_eq!(resolve(names, "app::guard", "User"), "app::models::users::User");
        assert_eq!(resolve(names, "app", "User"), "app::models::users::User");
        assert_eq!(resolve(names, "app::models::orders", "User"), "app::models::users::User");
    });
}
