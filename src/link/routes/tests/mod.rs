#![allow(clippy::unwrap_used)]
//! Whole small services through the linker: which routes come out.

use crate::facts::{Data, FactKind};
use crate::link::catalog::Catalog;
use crate::link::trial::repository;
use crate::link::{Linked, link};

mod auth;
mod constants;
mod endless;
mod frameworks;
mod rocket;

fn linked(dependencies: &str, files: &[(&str, &str)]) -> Linked {
    let manifest = format!("[package]\nname = \"app\"\nversion = \"0.1.0\"\n[dependencies]\n{dependencies}\n");
    let mut all = vec![("Cargo.toml", manifest.as_str())];
    all.extend(files);
    link(&repository(&all), &Catalog::default())
}

/// `METHOD /path` of all routes, sorted.
fn routes(dependencies: &str, files: &[(&str, &str)]) -> Vec<String> {
    let linked = linked(dependencies, files);
    let mut rows: Vec<String> = linked
        .facts
        .of(FactKind::Route)
        .map(|(_, fact)| match &fact.data {
            Data::Route(route) => {
                format!("{} {}", route.method.known().unwrap(), route.path.known().unwrap())
            }
            _ => String::new(),
        })
        .collect();
    rows.sort();
    rows
}

/// `METHOD /path auth|open|? [layers]` of all routes, sorted.
fn described(dependencies: &str, files: &[(&str, &str)]) -> Vec<String> {
    let linked = linked(dependencies, files);
    let mut rows: Vec<String> = linked
        .facts
        .of(FactKind::Route)
        .filter_map(|(_, fact)| match &fact.data {
            Data::Route(route) => {
                let auth = match route.auth.known() {
                    Some(true) => "auth",
                    Some(false) => "open",
                    None => "?",
                };
                let (method, path) = (route.method.known().unwrap(), route.path.known().unwrap());
                Some(format!("{method} {path} {auth} [{}]", route.layers.known().unwrap().join(",")))
            }
            _ => None,
        })
        .collect();
    rows.sort();
    rows
}

const AXUM: &str = "axum = \"0.8\"\ntokio = \"1\"";

#[test]
fn axum_routers_are_followed_through_functions_and_shadowing() {
    let main = "use axum::{Router, routing::{get, post}}; mod users; const BASE: &str = \"/api\";
        #[tokio::main] async fn main() {
            let mut app = Router::new().route(\"/\", get(root));
            if std::env::var(\"X\").is_ok() { app = app.merge(extra()); }
            let app = app.nest(&format!(\"{BASE}/v1\"), users::routes());
            let listener = tokio::net::TcpListener::bind(\"0.0.0.0:1\").await.unwrap();
            tokio::select! { _ = axum::serve(listener, app) => {}, _ = tokio::signal::ctrl_c() => {} }
        }
        async fn root() {} fn extra() -> Router { Router::new().route(\"/extra\", post(root)) }
        fn unused() -> Router { Router::new().route(\"/unused\", get(root)) }";
    let users = "use axum::{Router, routing::get};
        pub fn routes() -> Router { Router::new().route(\"/users/{id}\", get(one).delete(one)) } async fn one() {}";
    let found = routes(AXUM, &[("src/main.rs", main), ("src/users.rs", users)]);
    assert_eq!(found, ["DELETE /api/v1/users/{id}", "GET /", "GET /api/v1/users/{id}", "POST /extra"]);
}

#[test]
fn utoipa_routes_take_method_and_path_from_the_handlers() {
    let main = "use utoipa_axum::{router::OpenApiRouter, routes}; use axum::routing::get;
        #[tokio::main] async fn main() {
            let (router, api) = OpenApiRouter::new().routes(routes!(list, add)).split_for_parts();
            let router = router.route(\"/plain\", get(plain));
            axum::serve(tokio::net::TcpListener::bind(\"0.0.0.0:1\").await.unwrap(), router).await.unwrap();
        }
        #[utoipa::path(get, path = \"/things\")] async fn list() {}
        #[utoipa::path(post, path = \"/things\")] async fn add() {} async fn plain() {}";
    let found = routes("axum = \"0.8\"\nutoipa-axum = \"0.2\"", &[("src/main.rs", main)]);
    assert_eq!(found, ["GET /plain", "GET /things", "POST /things"]);
}

#[test]
fn actix_scopes_configure_and_macros() {
    let main = "use actix_web::{App, HttpServer, get, guard, web::{self, resource, scope, ServiceConfig}};
        macro_rules! app { ($state: expr) => {
            App::new().app_data($state).service(web::resource(&path(\"/in-macro\")).route(web::get().to(plain))).configure(|cfg| config(cfg, 1))
        }; }
        fn path(end: &str) -> String { format!(\"/1.5/{{uid:[0-9]+}}{}\", end) }
        fn config(cfg: &mut ServiceConfig, n: u8) {
            cfg.service(scope(\"/api\").service(named).service(resource(\"/post\").guard(guard::Post()).to(plain)).route(\"\", web::delete().to(plain)));
        }
        #[get(\"/named/{id}\")] async fn named() -> String { String::new() } async fn plain() -> String { String::new() }
        #[actix_web::main] async fn main() -> std::io::Result<()> {
            HttpServer::new(move || app!(1)).bind((\"0.0.0.0\", 8000))?.run().await
        }";
    let found = routes("actix-web = \"4\"", &[("src/main.rs", main)]);
    assert_eq!(found, ["DELETE /api", "GET /1.5/{uid}/in-macro", "GET /api/named/{id}", "POST /api/post"]);
}

#[test]
fn rocket_mounts_vectors_at_computed_bases() {
    let main = "#[macro_use] extern crate rocket; mod api;
        #[get(\"/alive\")] fn alive() {}
        #[launch] fn launch() -> _ { let base = std::env::var(\"BASE\").unwrap();
            rocket::build().mount([base.as_str(), \"/api\"].concat(), api::routes()).mount(\"/\", routes![alive]) }";
    let api = "use rocket::Route; #[post(\"/items?<page>\", data = \"<body>\")] fn add(page: u8, body: String) {} #[get(\"/items\")] fn list() {}
        pub fn routes() -> Vec<Route> { let mut all = Vec::new(); all.append(&mut routes![add]); all.extend(routes![list]); all }";
    let found = routes("rocket = \"0.5\"", &[("src/main.rs", main), ("src/api.rs", api)]);
    assert_eq!(found, ["GET /alive", "GET /api/items", "POST /api/items?<page>"]);
}

#[test]
fn warp_filters_are_multiplied_out() {
    let main = "use warp::Filter; #[tokio::main] async fn main() {
            let base = warp::path(\"v1\");
            let one = base.and(warp::path!(\"users\" / u64)).and(warp::get()).and_then(show);
            let two = base.and(warp::path(\"users\")).and(warp::path::end()).and(warp::post()).map(make);
            warp::serve(one.or(two)).run(([0, 0, 0, 0], 3030)).await; }
        async fn show(id: u64) {} fn make() {}";
    assert_eq!(routes("warp = \"0.3\"", &[("src/main.rs", main)]), ["GET /v1/users/{param}", "POST /v1/users"]);
}

#[test]
fn poem_salvo_tide_and_tonic() {
    let poem = "use poem::{Route, Server, get, listener::TcpListener}; use poem_openapi::{OpenApi, OpenApiService};
        struct Api; #[OpenApi(prefix_path = \"/v1\")] impl Api { #[oai(path = \"/hello\", method = \"get\")] async fn hello(&self) {} }
        #[tokio::main] async fn main() { let service = OpenApiService::new(Api, \"a\", \"1\");
            let app = Route::new().nest(\"/api\", service).at(\"/x\", get(x).post(x));
            Server::new(TcpListener::bind(\"0.0.0.0:1\")).run(app).await.unwrap(); } async fn x() {}";
    let found = routes("poem = \"3\"\npoem-openapi = \"5\"", &[("src/main.rs", poem)]);
    assert_eq!(found, ["GET /api/v1/hello", "GET /x", "POST /x"]);

    let salvo = "use salvo::prelude::*; #[handler] async fn x() {} #[tokio::main] async fn main() {
        let router = Router::with_path(\"api\").push(Router::with_path(\"users/{id}\").get(x)).push(Router::new().path(\"up\").goal(x));
        Server::new(TcpListener::new(\"0.0.0.0:1\").bind().await).serve(router).await; }";
    assert_eq!(routes("salvo = \"0.77\"", &[("src/main.rs", salvo)]), ["ANY /api/up", "GET /api/users/{id}"]);

    let tide = "async fn x(_: tide::Request<()>) -> tide::Result { Ok(\"\".into()) } #[async_std::main] async fn main() {
        let mut app = tide::new(); app.at(\"/a\").get(x).post(x); app.at(\"/b\").nest({ let mut api = tide::new(); api.at(\"/c\").put(x); api });
        app.listen(\"0.0.0.0:1\").await.unwrap(); }";
    assert_eq!(routes("tide = \"0.16\"", &[("src/main.rs", tide)]), ["GET /a", "POST /a", "PUT /b/c"]);

    let tonic = "pub mod pb { tonic::include_proto!(\"shop.v1\"); } use pb::orders_server::{Orders, OrdersServer};
        struct My; #[tonic::async_trait] impl Orders for My { async fn get_order(&self) {} }
        #[tokio::main] async fn main() { tonic::transport::Server::builder().add_service(OrdersServer::new(My)).serve(\"0.0.0.0:1\".parse().unwrap()).await.unwrap(); }";
    assert_eq!(routes("tonic = \"0.12\"", &[("src/main.rs", tonic)]), ["POST /shop.v1.Orders/GetOrder"]);
}

#[test]
fn several_servers_are_told_apart_and_layers_reach_what_they_cover() {
    let main = "use axum::{Router, routing::get}; use tower_http::{timeout::TimeoutLayer, trace::TraceLayer};
        #[tokio::main] async fn main() {
            let app = Router::new().route(\"/a\", get(x)).layer(TimeoutLayer::new(std::time::Duration::from_millis(1500))).route(\"/b\", get(x)).layer(TraceLayer::new_for_http());
            let metrics = Router::new().route(\"/metrics\", get(x));
            let (one, two) = listeners().await;
            tokio::spawn(async move { axum::serve(two, metrics).await });
            axum::serve(one, app).await.unwrap(); }
        async fn x() {} async fn listeners() -> (tokio::net::TcpListener, tokio::net::TcpListener) { todo!() }";
    let linked = linked("axum = \"0.8\"\ntower-http = \"0.6\"", &[("src/main.rs", main)]);
    let mut rows = Vec::new();
    for (_, fact) in linked.facts.of(FactKind::Route) {
        if let Data::Route(route) = &fact.data {
            rows.push((
                route.server.known().unwrap().as_str(),
                route.path.known().unwrap().as_str(),
                route.layers.known().unwrap().join(","),
            ));
        }
    }
    rows.sort();
    let expected = [("main", "/a", "timeout,trace"), ("main", "/b", "trace"), ("metrics", "/metrics", "")];
    assert_eq!(rows, expected.map(|(server, path, layers)| (server, path, layers.to_string())));
    let timeout = linked.facts.of(FactKind::Middleware).find_map(|(_, fact)| match &fact.data {
        Data::Middleware(middleware) if middleware.kind.known().unwrap() == "timeout" => Some(middleware.clone()),
        _ => None,
    });
    let timeout = timeout.unwrap();
    assert_eq!((timeout.value.known(), timeout.covers.known().map(String::as_str)), (Some(&1.5), Some("some")));
}

#[test]
fn routers_that_nest_themselves_end() {
    let main = "use axum::{Router, routing::get}; fn a() -> Router { Router::new().route(\"/a\", get(x)).nest(\"/b\", b()) }
        fn b() -> Router { a().nest(\"/c\", b()) } async fn x() {}
        macro_rules! again { () => { { Router::new(); again!() } } }
        #[tokio::main] async fn main() { again!(); axum::serve(l(), a()).await.unwrap(); } fn l() -> tokio::net::TcpListener { l() }";
    assert_eq!(routes(AXUM, &[("src/main.rs", main)]), ["GET /a"]);
}

#[test]
fn connections_served_by_hand_serve_the_router_in_the_service() {
    let main = "use axum::{Router, routing::get, extract::Request}; use hyper::body::Incoming; use tower::Service;
        #[tokio::main] async fn main() { tokio::join!(one(), two()); } async fn x() {}
        async fn one() { let app = Router::new().route(\"/one\", get(x)); let listener = l();
            loop { let (socket, _) = listener.accept().await.unwrap(); let tower = app.clone();
                tokio::spawn(async move { let service = hyper::service::service_fn(move |request: Request<Incoming>| tower.clone().call(request));
                    hyper_util::server::conn::auto::Builder::new(e()).serve_connection_with_upgrades(socket, service).await }); } }
        async fn two() { let app = Router::new().route(\"/two\", get(x));
            hyper::server::conn::http1::Builder::new().keep_alive(true).serve_connection(io(), hyper_util::service::TowerToHyperService::new(app)).await; }";
    let dependencies = "axum = \"0.8\"\nhyper = \"1\"\nhyper-util = \"0.1\"\ntower = \"0.5\"";
    assert_eq!(routes(dependencies, &[("src/main.rs", main)]), ["GET /one", "GET /two"]);
}
