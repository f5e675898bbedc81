//! Shapes of single frameworks that examples of theirs show.

use super::{described, routes};

const TONIC: &str = "tonic = \"0.14\"\ntonic-health = \"0.14\"\ntower = \"0.5\"";

#[test]
fn grpc_services_have_their_own_packages_implementations_and_interceptors() {
    let main = "mod pb { pub mod echo { tonic::include_proto!(\"a.v1\"); } pub mod shop { include!(concat!(env!(\"OUT_DIR\"), \"/gen/b.v2.rs\")); } }
        mod other; use pb::echo::echo_server::{Echo, EchoServer}; use pb::shop::cart_server::{Cart, CartServer}; use tonic::{Request, Status};
        struct Mine; #[tonic::async_trait] impl Echo for Mine { async fn say_it(&self) {} } impl Cart for Mine { async fn add(&self) {} }
        fn check(request: Request<()>) -> Result<Request<()>, Status> {
            match request.metadata().get(\"authorization\") { Some(_) => Ok(request), None => Err(Status::unauthenticated(\"no\")) } }
        #[tokio::main] async fn main() {
            let (mut reporter, health) = tonic_health::server::health_reporter();
            let cart = CartServer::with_interceptor(Mine, check).max_decoding_message_size(4);
            tonic::transport::Server::builder().add_service(health).add_service(EchoServer::new(Mine)).add_service(cart).serve(a()).await; }";
    let other =
        "use crate::pb::echo::echo_server::Echo; pub struct Unused; impl Echo for Unused { async fn say_it(&self) {} }";
    let found = described(TONIC, &[("src/main.rs", main), ("src/other.rs", other)]);
    let expected = [
        "POST /a.v1.Echo/SayIt open []",
        "POST /b.v2.Cart/Add auth [auth]",
        "POST /grpc.health.v1.Health/Check ? []",
        "POST /grpc.health.v1.Health/Watch ? []",
    ];
    assert_eq!(found, expected);
}

#[test]
fn grpc_routes_are_built_apart_and_layered() {
    let main = "mod pb { tonic::include_proto!(\"a.v1\"); } use pb::echo_server::{Echo, EchoServer}; use pb::talk_server::{Talk, TalkServer};
        use tonic::service::{Routes, RoutesBuilder}; struct Mine; impl Echo for Mine { async fn say(&self) {} } impl Talk for Mine { async fn talk(&self) {} }
        fn init(builder: &mut RoutesBuilder) { builder.add_service(EchoServer::new(Mine)); }
        #[tokio::main] async fn main() { let mut builder = Routes::builder(); init(&mut builder);
            let talk = tower::ServiceBuilder::new().layer(tower::timeout::TimeoutLayer::new(d())).named_layer(TalkServer::new(Mine));
            tonic::transport::Server::builder().add_routes(builder.routes()).add_service(talk).serve(a()).await; }";
    let found = described(TONIC, &[("src/main.rs", main)]);
    assert_eq!(found, ["POST /a.v1.Echo/Say open []", "POST /a.v1.Talk/Talk open [timeout]"]);
}

#[test]
fn included_files_are_part_of_their_module() {
    let main = "use axum::{Router, routing::get}; include!(\"routes.rs\"); include!(\"main.rs\");
        #[tokio::main] async fn main() { axum::serve(l(), router()).await.unwrap(); } fn l() -> tokio::net::TcpListener { l() }";
    let routes_file = "fn router() -> Router { Router::new().route(\"/in\", get(x)) } async fn x() {}";
    assert_eq!(routes(super::AXUM, &[("src/main.rs", main), ("src/routes.rs", routes_file)]), ["GET /in"]);
}

#[test]
fn handlers_registered_by_functions_of_the_tree_are_told_apart() {
    let main = "use axum::{Router, handler::Handler, routing::{get, MethodRouter}}; use axum_extra::routing::RouterExt;
        fn page<H: Handler<T, S>, T, S>(handler: H) -> MethodRouter<S> { get(handler).layer(tower_http::trace::TraceLayer::new_for_http()) }
        async fn a() {} #[cfg(any())] async fn b() {} async fn b(_: axum_extra::TypedHeader<Authorization<Bearer>>) {}
        #[tokio::main] async fn main() { let app = Router::new().route(\"/a\", page(a)).route_with_tsr(\"/b/\", page(b)); axum::serve(l(), app).await.unwrap(); }
        fn l() -> tokio::net::TcpListener { l() }";
    let found = described("axum = \"0.8\"\naxum-extra = \"0.10\"\ntower-http = \"0.6\"", &[("src/main.rs", main)]);
    assert_eq!(found, ["GET /a open [trace]", "GET /b/ auth [trace]"]);
}

#[test]
fn merged_documents_mount_their_routes_once() {
    let main = "use rocket::{Build, Rocket}; use rocket_okapi::{mount_endpoints_and_merged_docs, settings::OpenApiSettings}; mod users;
        fn mount(on: bool, mut rocket: Rocket<Build>) -> Rocket<Build> { let settings = OpenApiSettings::default();
            if on { mount_endpoints_and_merged_docs! { rocket, \"/v1\".to_owned(), settings, \"/users\" => users::routes(), \"\" => (vec![], spec()) }; }
            else { mount_endpoints_and_merged_docs! { rocket, \"/v1\".to_owned(), settings, \"/users\" => users::routes() }; } rocket }
        #[rocket::launch] fn launch() -> _ { mount(true, rocket::build()) }";
    let users = "use rocket_okapi::openapi_get_routes_spec; #[openapi] #[rocket::get(\"/<id>\")] fn one(id: u8) {} #[openapi] #[rocket::post(\"/\")] fn add() {}
        pub fn routes() -> (Vec<rocket::Route>, rocket_okapi::okapi::openapi3::OpenApi) { openapi_get_routes_spec![one, add] }";
    let found = routes("rocket = \"0.5\"\nrocket_okapi = \"0.9\"", &[("src/main.rs", main), ("src/users.rs", users)]);
    assert_eq!(found, ["GET /v1/users/<id>", "POST /v1/users/"]);
}

#[test]
fn poem_documents_hosts_schemes_and_security() {
    let main = "use poem::{Route, RouteScheme, RouteDomain, Server, get, listener::TcpListener}; use poem_openapi::{OpenApi, OpenApiService, SecurityScheme};
        #[derive(SecurityScheme)] #[oai(ty = \"bearer\")] struct Key(u8);
        #[derive(SecurityScheme)] enum Maybe { Key(Key), #[oai(fallback)] Nobody } struct Api;
        #[OpenApi] impl Api { #[oai(path = \"/me\", method = \"get\")] async fn me(&self, key: Key) {}
            #[oai(path = \"/home\", method = \"get\")] async fn home(&self, key: Maybe) {} }
        #[tokio::main] async fn main() { let service = OpenApiService::new(Api, \"a\", \"1\"); let spec = service.spec_endpoint();
            let app = Route::new().nest(\"/api\", service).at(\"/spec\", spec);
            let hosts = RouteDomain::new().at(\"api.example.com\", app);
            Server::new(TcpListener::bind(\"0.0.0.0:1\")).run(RouteScheme::new().https(hosts).http(Route::new().at(\"/up\", get(x)))).await; } async fn x() {}";
    let found = described("poem = \"3\"\npoem-openapi = \"5\"", &[("src/main.rs", main)]);
    assert_eq!(found, ["GET /api/home open []", "GET /api/me auth []", "GET /spec ? []", "GET /up open []"]);
}

#[test]
fn globs_say_which_framework_a_router_is_of() {
    let main = "use salvo::prelude::*; #[handler] async fn x() {}
        #[tokio::main] async fn main() { Server::new(TcpListener::new(\"0.0.0.0:1\").bind().await).serve(route()).await; }
        fn route() -> Router { Router::new().get(x).push(Router::with_path(\"a\").hoop(salvo::size_limiter::max_size(10)).post(x).push(Router::with_path(\"{id:num}\").delete(x)))
            .then(|router| if DEBUG { router.push(Router::with_path(\"debug\").get(x)) } else { router }) }";
    let dependencies = "axum = \"0.8\"\nsalvo = \"0.80\"\nutoipa-swagger-ui = \"9\"";
    let found = described(dependencies, &[("src/main.rs", main)]);
    let expected =
        ["DELETE /a/{id} open [body-limit]", "GET / open []", "GET /debug open []", "POST /a open [body-limit]"];
    assert_eq!(found, expected);
}

#[test]
fn middleware_of_ntex_covers_applications_and_resources() {
    let main = "use ntex::web::{self, middleware, App, HttpResponse}; #[web::get(\"/\")] async fn index() -> HttpResponse { todo!() } async fn two() {}
        #[ntex::main] async fn main() { web::HttpServer::new(async |_| App::new().middleware(middleware::Logger::default()).service((index, web::resource(\"/two\")
            .middleware(ntex::util::timeout::Timeout::new(ntex::time::Millis(5))).route(web::get().to(two))))).bind(\"0.0.0.0:1\").unwrap().run().await; }";
    let found = described("ntex = \"2\"", &[("src/main.rs", main)]);
    assert_eq!(found, ["GET / open [logging]", "GET /two open [logging,timeout]"]);
}

#[test]
fn tide_servers_are_made_by_type_too() {
    let main = "use tide::{Redirect, Request, Server}; async fn x(_: Request<u8>) -> tide::Result { todo!() }
        #[async_std::main] async fn main() { let mut app = Server::with_state(1); app.at(\"/\").get(Redirect::permanent(\"/x\"));
            let mut inner = tide::with_state(1); inner.at(\"/deep\").all(x); app.at(\"/x\").nest(inner); app.at(\"/files\").serve_dir(\"f\"); app.listen(\"0.0.0.0:1\").await; }";
    assert_eq!(routes("tide = \"0.16\"", &[("src/main.rs", main)]), ["ANY /x/deep", "GET /", "GET /files/*path"]);
}

#[test]
fn a_grpc_server_beside_it_does_not_hide_what_an_http_server_serves() {
    let main = "mod pb { tonic::include_proto!(\"a.v1\"); } use actix_web::{web, App, HttpServer}; use pb::echo_server::{Echo, EchoServer};
        trait Node { fn routes(config: &mut web::ServiceConfig) where Self: Sized;
            async fn start(&self) where Self: Sized { HttpServer::new(move || App::new().configure(|config| Self::routes(config))).bind(a()).unwrap().run().await; } }
        struct Reader; impl Node for Reader { fn routes(config: &mut web::ServiceConfig) { config.route(\"/orders\", web::get().to(orders)); } }
        struct Writer; impl Node for Writer { fn routes(config: &mut web::ServiceConfig) { config.route(\"/orders\", web::post().to(orders)); } }
        async fn orders() {} struct Mine; impl Echo for Mine { async fn say(&self) {} }
        async fn talk() { tonic::transport::Server::builder().add_service(EchoServer::new(Mine)).serve(a()).await; }
        #[actix_web::main] async fn main() { tokio::spawn(talk()); if writes() { Writer.start().await } else { Reader.start().await } }";
    let found = routes(&format!("actix-web = \"4\"\n{TONIC}"), &[("src/main.rs", main)]);
    assert_eq!(found, ["GET /orders", "POST /a.v1.Echo/Say", "POST /orders"]);
}

#[test]
fn hooks_of_loco_give_the_routes() {
    let main = "use loco_rs::cli; use app::app::App; #[tokio::main] async fn main() -> loco_rs::Result<()> { cli::main::<App>().await }";
    let lib = "pub mod app; pub mod controllers;";
    let app = "use loco_rs::{app::{AppContext, Hooks}, controller::AppRoutes}; use crate::controllers; pub struct App;
        #[async_trait::async_trait] impl Hooks for App { fn app_name() -> &'static str { \"app\" }
            fn routes(_ctx: &AppContext) -> AppRoutes { AppRoutes::with_default_routes().add_route(controllers::notes::routes()) } }";
    let notes = "use loco_rs::prelude::*; async fn list() -> Result<Response> { todo!() } async fn one(_auth: auth::JWT, Path(id): Path<i32>) -> Result<Response> { todo!() }
        pub fn routes() -> Routes { Routes::new().prefix(\"api/notes\").add(\"/\", get(list)).add(\"{id}\", get(one).delete(one)) }";
    let files = [
        ("src/bin/main.rs", main),
        ("src/lib.rs", lib),
        ("src/app.rs", app),
        ("src/controllers/mod.rs", "pub mod notes;"),
        ("src/controllers/notes.rs", notes),
    ];
    let found = described("loco-rs = \"0.16\"\naxum = \"0.8\"", &files);
    let expected = [
        "DELETE /api/notes/{id} auth []",
        "GET /_health ? []",
        "GET /_ping ? []",
        "GET /_readiness ? []",
        "GET /api/notes/ open []",
        "GET /api/notes/{id} auth []",
    ];
    assert_eq!(found, expected);
}

#[test]
fn paths_compared_by_hand_are_routes() {
    let main = "use hyper::{Request, Response, Method, service::service_fn}; mod admin;
        async fn all(request: Request<Incoming>) -> Result<Response<Body>, Infallible> { if request.uri().path() == \"/metrics\" { return metrics(); }
            match (request.method(), request.uri().path()) { (&Method::GET, \"/\") | (&Method::GET, \"/index\") => todo!(), (&Method::POST, \"/echo\") => todo!(), _ => todo!() } }
        #[tokio::main] async fn main() { tokio::spawn(admin::run()); hyper::server::conn::http1::Builder::new().serve_connection(io(), service_fn(all)).await; }";
    let admin = "use hyper::{Request, Response}; async fn handle(request: Request<Incoming>) -> Response<Body> { match request.uri().path() { \"/healthz\" | \"/livez\" => todo!(), other => todo!() } }
        pub async fn run() { hyper::server::conn::http1::Builder::new().serve_connection(io(), hyper::service::service_fn(handle)).await; }";
    let found = routes("hyper = \"1\"", &[("src/main.rs", main), ("src/admin.rs", admin)]);
    assert_eq!(found, ["ANY /healthz", "ANY /livez", "ANY /metrics", "GET /", "GET /index", "POST /echo"]);
}

#[test]
fn tables_in_attributes_are_routes() {
    let main = "mod api; use actix_web::{App, HttpServer}; use api::Api; use route_table::Routes;
        #[actix_web::main] async fn main() { HttpServer::new(|| App::new().configure(<Api as Routes>::configure)).bind(\"0.0.0.0:1\").unwrap().run().await; }";
    let api = "pub async fn health() {} pub async fn one() {} pub async fn add() {}
        #[route_table::routes(routes(\"/health\" => get(health), \"/items\" => sub(Items)))] pub struct Api;
        #[route_table::routes(routes(\"\" => [get(one), post(add)], \"/{id}\" => delete(one)))] pub struct Items;";
    let found = routes("actix-web = \"4\"\nroute-table = \"1\"", &[("src/main.rs", main), ("src/api.rs", api)]);
    assert_eq!(found, ["DELETE /items/{id}", "GET /health", "GET /items", "POST /items"]);
}

#[test]
fn aide_routes_with_wrapped_handlers_and_nested_services() {
    let main = "use aide::axum::{ApiRouter, routing::{get_with, post_with}}; use axum::Router; async fn health() {} async fn add() {}
        fn health_routes() -> ApiRouter { ApiRouter::new().api_route_with(\"/health\", get_with(health, |op| op.summary(\"up\")).head_with(health, document), |op| op) }
        fn v1() -> ApiRouter { ApiRouter::new().merge(health_routes()).api_route(\"/items\", post_with(add, document)) }
        #[tokio::main] async fn main() { let v1 = v1().finish_api(&mut api()); let app = ApiRouter::new().nest_api_service(\"/api/v1\", v1);
            axum::serve(l(), app.into_make_service()).await.unwrap(); } fn l() -> tokio::net::TcpListener { l() }";
    let found = routes("aide = \"0.14\"\naxum = \"0.8\"", &[("src/main.rs", main)]);
    assert_eq!(found, ["GET /api/v1/health", "HEAD /api/v1/health", "POST /api/v1/items"]);
}
