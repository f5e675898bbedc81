//! Orders: list, place, find.

use axum::Json;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

#[derive(Serialize, sqlx::FromRow)]
struct Order {
    id: i64,
    note: Option<String>,
}

#[derive(Deserialize)]
struct Search {
    note: String,
}

/// Routes under `/api/orders`.
pub fn router() -> Router<PgPool> {
    Router::new().route("/", get(search)).route("/{id}", get(one))
}

async fn search(
    State(pool): State<PgPool>,
    Query(search): Query<Search>,
) -> Result<Json<Vec<Order>>, (StatusCode, String)> {
    let text = format!("SELECT id, note FROM orders WHERE note LIKE '%{}%'", search.note);
    let found = sqlx::query_as(&text).fetch_all(&pool).await;
    found.map(Json).map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

async fn one(State(pool): State<PgPool>, Path(id): Path<i64>) -> Json<Order> {
    let order = sqlx::query_as("SELECT id, note FROM orders WHERE id = $1").bind(id).fetch_one(&pool).await;
    Json(order.unwrap())
}
