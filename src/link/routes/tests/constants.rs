//! Paths that constants, their fields and their methods give.

use super::{described, routes};

const TABLE: &str = "pub const PATHS: Paths = Paths::new();
    pub struct Paths { pub user: User, pub docs: &'static str }
    pub struct User { pub scope: &'static str, pub login: &'static str, pub logout: &'static str }
    impl Paths { const fn new() -> Paths { Paths { user: User::new(), docs: \"/docs/\" } } }
    macro_rules! below { ($name:ident) => { pub fn $name(&self) -> &str { self.$name.strip_prefix(self.scope).unwrap() } }; }
    impl User {
        pub const fn new() -> Self { let scope = \"/api/user\"; User { scope, login: \"/api/user/login\", logout: \"/api/user/logout\" } }
        below!(login);
    }";

#[test]
fn attributes_that_hold_expressions_give_what_they_come_to() {
    let main = "mod paths; use paths::PATHS; use actix_web::{web, App, HttpServer}; use actix_web_codegen_const_routes as gen;
        #[gen::post(path = \"PATHS.user.login()\")] async fn login() {}
        #[gen::get(path = \"crate::paths::PATHS.user.logout\")] async fn logout() {}
        #[gen::get(path = \"&PATHS.docs[0..PATHS.docs.len() - 1]\")] async fn docs() {}
        #[gen::get(path = \"elsewhere::PATHS.gone\")] async fn gone() {}
        #[actix_web::get(\"users.json\")] async fn plain() {}
        fn services(cfg: &mut web::ServiceConfig) {
            cfg.service(web::scope(PATHS.user.scope).service(login)).service(logout).service(docs).service(gone).service(plain); }
        #[actix_web::main] async fn main() { HttpServer::new(|| App::new().configure(services)).bind(\"0.0.0.0:1\").unwrap().run().await; }";
    let found = routes(
        "actix-web = \"4\"\nactix-web-codegen-const-routes = \"0.1\"",
        &[("src/main.rs", main), ("src/paths.rs", TABLE)],
    );
    let expected =
        ["GET /api/user/logout", "GET /docs", "GET /users.json", "GET /{unresolved}", "POST /api/user/login"];
    assert_eq!(found, expected);
}

#[test]
fn middleware_in_an_attribute_covers_its_handler() {
    let main = "use actix_web::{get, web, App, HttpServer, middleware::Compress}; use some_auth::Authentication;
        fn members() -> Authentication<u8> { Authentication::with(1) }
        #[get(\"/me\", wrap = \"members()\")] async fn me() {} #[get(\"/big\", wrap = \"Compress::default()\")] async fn big() {}
        #[get(\"/open\")] async fn open() {}
        #[actix_web::main] async fn main() {
            HttpServer::new(|| App::new().service(me).service(big).service(open)).bind(\"0.0.0.0:1\").unwrap().run().await; }";
    let found = described("actix-web = \"4\"\nsome-auth = \"1\"", &[("src/main.rs", main)]);
    assert_eq!(found, ["GET /big open [compression]", "GET /me auth [auth]", "GET /open open []"]);
}

#[test]
fn associated_constants_and_elements_of_arrays_are_paths() {
    let main = "use axum::{Router, routing::get}; struct Api; impl Api { const BASE: &'static str = \"/api\"; const USERS: &'static str = \"/users\";
            fn router() -> Router { Router::new().route(Self::USERS, get(x)).route(VERSIONS[1], get(x)) } }
        const VERSIONS: [&str; 2] = [\"/v1\", \"/v2\"]; async fn x() {}
        #[tokio::main] async fn main() {
            let app = Router::new().nest(Api::BASE, Api::router()); axum::serve(l(), app).await.unwrap(); } fn l() -> tokio::net::TcpListener { l() }";
    assert_eq!(routes(super::AXUM, &[("src/main.rs", main)]), ["GET /api/users", "GET /api/v2"]);
}

#[test]
fn constants_that_mean_themselves_end() {
    let main = "use axum::{Router, routing::get}; const A: &str = B; const B: &str = A; struct S; impl S { const C: &'static str = Self::C; }
        static L: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| format!(\"{}/x\", *L)); async fn x() {}
        #[tokio::main] async fn main() {
            let app = Router::new().route(A, get(x)).route(S::C, get(x)).route(&L, get(x)).route(\"/known\", get(x));
            axum::serve(l(), app).await.unwrap(); } fn l() -> tokio::net::TcpListener { l() }";
    let linked = super::linked(super::AXUM, &[("src/main.rs", main)]);
    assert_eq!(linked.notices, []);
    let found = routes(super::AXUM, &[("src/main.rs", main)]);
    assert_eq!(found, ["GET /known", "GET /x", "GET /{unresolved}", "GET /{unresolved}"]);
}

#[test]
fn functions_for_all_types_know_their_own() {
    let main = "use axum::{Router, routing::get}; mod pages;
        use pages::Route; async fn x() {}
        #[tokio::main] async fn main() { let app = Router::new().route(pages::Health::route(), get(x)).route(pages::Home::route(), get(x));
            axum::serve(l(), app).await; }";
    let pages = "pub trait Route { fn route() -> &'static str; } pub trait Simple { const PATH: &'static str; }
        impl<T: Simple> Route for T { fn route() -> &'static str { Self::PATH } }
        pub struct Health; impl Simple for Health { const PATH: &'static str = \"/health\"; }
        pub struct Home; impl Simple for Home { const PATH: &'static str = \"/\"; }";
    assert_eq!(routes("axum = \"0.8\"", &[("src/main.rs", main), ("src/pages.rs", pages)]), ["GET /", "GET /health"]);
}

#[test]
fn traits_give_the_paths_of_the_types_that_implement_them() {
    let paths = "pub trait Route { fn route() -> &'static str; } pub trait Simple { const PATH: &'static str; }
        impl<T> Route for T where T: Simple { fn route() -> &'static str { Self::PATH } }
        pub struct Health; impl Simple for Health { const PATH: &'static str = \"/health\"; }
        pub struct Own; impl Route for Own { fn route() -> &'static str { \"/own/{id}\" } }
        pub trait Page { const NAME: &'static str; fn path() -> String { format!(\"/pages/{}\", Self::NAME) } }
        pub struct Home; impl Page for Home { const NAME: &'static str = \"home\"; } pub struct About; impl Page for About { const NAME: &'static str = \"about\"; }";
    let main = "mod paths; use paths::{self as at, Route, Page}; use axum::{Router, routing::get}; async fn x() {}
        #[tokio::main] async fn main() { let app = Router::new().route(at::Health::route(), get(x)).route(at::Own::route(), get(x))
            .route(&at::Home::path(), get(x)).route(&at::About::path(), get(x)); axum::serve(l(), app).await.unwrap(); } fn l() -> tokio::net::TcpListener { l() }";
    let found = routes(super::AXUM, &[("src/main.rs", main), ("src/paths.rs", paths)]);
    assert_eq!(found, ["GET /health", "GET /own/{id}", "GET /pages/about", "GET /pages/home"]);
}
