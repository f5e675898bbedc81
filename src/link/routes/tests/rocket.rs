//! Rocket: stages, routes without attributes, guards.

use super::{described, routes};

const ROCKET: &str = "rocket = \"0.5\"";

#[test]
fn fairings_mount_what_they_ignite() {
    let main = "#[macro_use] extern crate rocket; mod stages; use rocket::{Rocket, Build, fairing::{self, Fairing, Info, Kind}};
        #[get(\"/\")] fn index() {} #[get(\"/own\")] fn own() {} struct Own;
        #[rocket::async_trait] impl Fairing for Own { fn info(&self) -> Info { Info { name: \"own\", kind: Kind::Ignite } }
            async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result { Ok(rocket.mount(\"/by\", routes![own])) } }
        #[launch] fn rocket() -> _ { rocket::build().attach(stages::posts()).attach(Own).mount(\"/\", routes![index]) }";
    let stages = "use rocket::fairing::AdHoc; #[get(\"/<id>\")] fn read(id: u8) {} #[delete(\"/\")] fn clear() {}
        pub fn posts() -> AdHoc { AdHoc::on_ignite(\"posts\", |rocket| async {
            rocket.attach(AdHoc::try_on_ignite(\"inner\", inner)).mount(\"/posts\", routes![read]) }) }
        async fn inner(rocket: rocket::Rocket<rocket::Build>) -> rocket::fairing::Result { Ok(rocket.mount(\"/posts\", routes![clear])) }";
    let found = routes(ROCKET, &[("src/main.rs", main), ("src/stages.rs", stages)]);
    assert_eq!(found, ["DELETE /posts/", "GET /", "GET /by/own", "GET /posts/<id>"]);
}

#[test]
fn routes_are_made_by_hand() {
    let main = "use rocket::{Data, Request, Route, http::Method::{self, Get, Post}, route};
        fn hi<'r>(r: &'r Request, _: Data<'r>) -> route::BoxFuture<'r> { todo!() } struct Custom;
        impl Into<Vec<Route>> for Custom { fn into(self) -> Vec<Route> { vec![Route::new(Method::Put, \"/it\", hi)] } }
        #[rocket::launch] fn rocket() -> _ { let ranked = Route::ranked(2, Get, \"/<name>\", hi);
            rocket::build().mount(\"/a\", vec![ranked, Route::new(Post, \"/\", hi)]).mount(\"/custom\", Custom) }";
    assert_eq!(routes(ROCKET, &[("src/main.rs", main)]), ["GET /a/<name>", "POST /a/", "PUT /custom/it"]);
}

#[test]
fn guards_that_refuse_or_forward_authenticate() {
    let main = "#[macro_use] extern crate rocket; use rocket::{Request, http::Status, request::{self, FromRequest, Outcome}};
        struct User; struct Admin(User); struct Context { user: Option<User> }
        #[rocket::async_trait] impl<'r> FromRequest<'r> for User { type Error = ();
            async fn from_request(r: &'r Request<'_>) -> Outcome<User, ()> {
                r.cookies().get_private(\"id\").and_then(|c| c.value().parse().ok()).map(|_: u8| User).or_forward(Status::Unauthorized) } }
        #[rocket::async_trait] impl<'r> FromRequest<'r> for Admin { type Error = ();
            async fn from_request(r: &'r Request<'_>) -> Outcome<Admin, ()> {
                let user = r.guard::<User>().await?; if user.is_admin() { Outcome::Success(Admin(user)) } else { Outcome::Forward(Status::NotFound) } } }
        #[rocket::async_trait] impl<'r> FromRequest<'r> for Context { type Error = ();
            async fn from_request(r: &'r Request<'_>) -> Outcome<Context, ()> {
                Outcome::Success(Context { user: r.guard::<User>().await.succeeded() }) } }
        #[get(\"/me\")] fn me(_user: User) {} #[get(\"/admin\")] fn admin(_admin: Admin) {} #[get(\"/home\")] fn home(_context: Context) {}
        #[get(\"/maybe\")] fn maybe(_user: Option<User>) {}
        #[launch] fn rocket() -> _ { rocket::build().mount(\"/\", routes![me, admin, home, maybe]) }";
    let found = described(ROCKET, &[("src/main.rs", main)]);
    assert_eq!(found, ["GET /admin auth []", "GET /home open []", "GET /maybe open []", "GET /me auth []"]);
}

#[test]
fn documented_lists_are_mounted_together() {
    let main = "mod orders; use rocket_okapi::{mount_endpoints_and_merged_docs, openapi, openapi_get_routes_spec, settings::OpenApiSettings};
        #[openapi] #[get(\"/\")] fn root() {}
        #[launch] fn rocket() -> _ { let mut rocket = rocket::build(); let settings = OpenApiSettings::default();
            mount_endpoints_and_merged_docs! { rocket, \"/v1\".to_owned(), settings,
                \"\" => openapi_get_routes_spec![root], \"/orders\" => orders::routes() };
            rocket }";
    let orders = "use rocket::Route; use rocket_okapi::okapi::openapi3::OpenApi;
        #[openapi] #[get(\"/<id>\")] fn one(id: u8) {} #[openapi] #[post(\"/\")] fn add() {}
        pub fn routes() -> (Vec<Route>, OpenApi) { rocket_okapi::openapi_get_routes_spec![one, add] }";
    let found = routes(ROCKET, &[("src/main.rs", main), ("src/orders.rs", orders)]);
    assert_eq!(found, ["GET /v1/", "GET /v1/orders/<id>", "POST /v1/orders/"]);
}
