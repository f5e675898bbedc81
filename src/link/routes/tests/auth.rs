//! What asks who calls, and what only looks like it.

use super::described;

const AXUM: &str = "axum = \"0.8\"\naxum-extra = \"0.10\"";

/// An error type that knows all refusals of a service.
const ERRORS: &str = "pub enum Error { NotFound, Unauthorized, TooMany }
    impl axum::response::IntoResponse for Error { fn into_response(self) -> axum::response::Response { (self.status(), \"no\").into_response() } }
    impl Error { fn status(&self) -> axum::http::StatusCode { use axum::http::StatusCode; match self {
        Error::NotFound => StatusCode::NOT_FOUND, Error::Unauthorized => StatusCode::UNAUTHORIZED, Error::TooMany => StatusCode::TOO_MANY_REQUESTS } } }";

fn main_with(layer: &str) -> String {
    format!(
        "mod errors; use errors::Error; use axum::{{Router, extract::Request, middleware::{{self, Next}}, response::{{IntoResponse, Response}}, routing::get}};
        {layer} async fn x() {{}}
        #[tokio::main] async fn main() {{ let app = Router::new().route(\"/x\", get(x)).layer(middleware::from_fn(layer)); axum::serve(l(), app).await.unwrap(); }}
        fn l() -> tokio::net::TcpListener {{ l() }}"
    )
}

#[test]
fn error_types_that_know_refusals_make_no_layer_one_that_refuses() {
    let reserved = main_with(
        "async fn layer(request: Request, next: Next) -> Response { let user_part = request.uri().path();
            if user_part.starts_with(\"/-\") { return Error::NotFound.into_response(); } next.run(request).await }",
    );
    assert_eq!(described(AXUM, &[("src/main.rs", &reserved), ("src/errors.rs", ERRORS)]), ["GET /x open [other]"]);
    let keys = main_with(
        "async fn layer(request: Request, next: Next) -> Response {
            let Some(token) = request.headers().get(\"authorization\") else { return Error::Unauthorized.into_response() };
            let _ = token; next.run(request).await }",
    );
    assert_eq!(described(AXUM, &[("src/main.rs", &keys), ("src/errors.rs", ERRORS)]), ["GET /x auth [auth]"]);
}

#[test]
fn a_refusal_and_a_session_in_different_functions_are_no_authentication() {
    let main = "use axum::{Router, routing::{get, post}, http::StatusCode, response::Redirect}; use axum_extra::extract::CookieJar;
        async fn login(jar: CookieJar) -> Result<String, StatusCode> { let maybe_session = load_session(&jar); let page = render(maybe_session)?; Ok(page) }
        async fn settings(jar: CookieJar) -> Result<String, Redirect> {
            let maybe_session = load_session(&jar); let Some(session) = maybe_session else { return Err(Redirect::to(\"/login\")) }; Ok(session) }
        async fn shared(jar: CookieJar) -> Result<String, StatusCode> { let session = db().session(1); let Some(session) = session.find(2) else { return Err(StatusCode::NOT_FOUND) }; Ok(session) }
        async fn guarded(jar: CookieJar) -> Result<String, StatusCode> { require(&jar)?; Ok(String::new()) }
        fn require(jar: &CookieJar) -> Result<(), StatusCode> { let token = jar.get(\"token\"); if token.is_none() { return Err(StatusCode::UNAUTHORIZED); } Ok(()) }
        fn load_session(jar: &CookieJar) -> Option<String> { jar.get(\"session\").map(|session| session.to_string()) }
        fn render(page: Option<String>) -> Result<String, StatusCode> { if page.is_some() { return Err(StatusCode::FORBIDDEN); } Ok(String::new()) }
        #[tokio::main] async fn main() { let app = Router::new().route(\"/login\", get(login)).route(\"/settings\", post(settings)).route(\"/shared\", get(shared)).route(\"/guarded\", get(guarded));
            axum::serve(l(), app).await.unwrap(); } fn l() -> tokio::net::TcpListener { l() }";
    let found = described(AXUM, &[("src/main.rs", main)]);
    assert_eq!(found, ["GET /guarded auth []", "GET /login open []", "GET /shared open []", "POST /settings auth []"]);
}
