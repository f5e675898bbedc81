//! Where servers start: what they serve and where they listen.

use super::chains::Method;
use super::evaluate::{Evaluator, Frame};
use super::value::{Framework, Router, Server, Text, Value};
use super::warp;
use crate::scan::source::Place;

/// Records a server; gives its handle. `None` where what it serves is no router.
pub fn serve<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &Frame<'a>,
    place: Place,
    served: &Value<'a>,
    address: Option<Text>,
    tls: bool,
) -> Option<Value<'a>> {
    let router = router_of(served, place)?;
    let framework = router.framework;
    Some(record(evaluator, frame, place, framework, router, address, tls))
}

/// The router that a value is or holds.
pub fn router_of<'a>(served: &Value<'a>, place: Place) -> Option<Router<'a>> {
    match served {
        Value::Router(router) => Some((**router).clone()),
        Value::Shared(shared, _) => Some(shared.borrow().clone()),
        Value::Filter(alternatives) => Some(warp::router(alternatives, place)),
        Value::Methods(methods) => {
            // A single handler answers everything.
            let mut router = Router::new(methods.framework, place);
            let who = methods.answers.first().and_then(|(_, who, _)| who.clone());
            router.fallback = Some((place, who));
            Some(router)
        }
        Value::Tuple(values) | Value::List(values) => values.iter().find_map(|value| router_of(value, place)),
        Value::Struct(_, fields) => fields.values().find_map(|value| router_of(value, place)),
        _ => None,
    }
}

fn record<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &Frame<'a>,
    place: Place,
    framework: Framework,
    router: Router<'a>,
    address: Option<Text>,
    tls: bool,
) -> Value<'a> {
    let mut hints = Vec::new();
    if let Some(id) = frame.function {
        hints.push(evaluator.info(id).item.name.clone());
    }
    // A whole application inside the call says nothing of its purpose.
    let text = evaluator.source(place.file, place.span);
    if text.len() <= 120 {
        hints.push(text.to_string());
    }
    if let Some(at) = evaluator.servers.iter().position(|server| server.place == place) {
        let merged = super::unite::unite(
            evaluator,
            Value::Router(Box::new(evaluator.servers[at].router.clone())),
            Value::Router(Box::new(router)),
        );
        if let Value::Router(router) = merged {
            evaluator.servers[at].router = *router;
        }
        evaluator.started.push(at);
        return Value::Server(at);
    }
    evaluator.started.push(evaluator.servers.len());
    evaluator.servers.push(Server { framework, place, router, address, tls, hints });
    Value::Server(evaluator.servers.len() - 1)
}

/// `axum_server::bind(..)` and the like: a server that is bound before it is told what to serve.
pub fn bound<'a>(function: &str, arguments: &[Value<'a>]) -> Value<'a> {
    let mut fields = std::collections::BTreeMap::new();
    if let Some(text) = address(arguments) {
        fields.insert("address".to_string(), Value::Text(text));
    }
    if function.contains("rustls") || function.contains("openssl") {
        fields.insert("tls".to_string(), Value::Text(Text::literal("true")));
    }
    Value::Struct("server".to_string(), fields)
}

/// Starts by method: `server.serve(app)`, `rocket.launch()`, `app.listen(..)`, and what says where a server listens.
pub fn by_method<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    value: &Value<'a>,
    call: Method<'a>,
    arguments: &[Value<'a>],
) -> Option<Value<'a>> {
    if let Value::Server(at) = value {
        listens(evaluator, *at, call.name, arguments);
        return Some(Value::Server(*at));
    }
    let framework = match value {
        Value::Router(router) => router.framework,
        Value::Shared(shared, _) => shared.borrow().framework,
        Value::Filter(_) => "warp",
        _ => "",
    };
    match (framework, call.name) {
        ("rocket", "launch") | ("tide", "listen" | "bind") => {
            serve(evaluator, frame, call.place, value, address(arguments), false)
        }
        ("tonic", "serve" | "serve_with_shutdown" | "serve_with_incoming" | "serve_with_incoming_shutdown") => {
            serve(evaluator, frame, call.place, value, address(arguments), false)
        }
        (
            "warp",
            "run" | "bind" | "try_bind" | "bind_with_graceful_shutdown" | "serve_incoming" | "tls" | "bind_ephemeral",
        ) => {
            let tls = call.name == "tls";
            serve(evaluator, frame, call.place, value, address(arguments), tls)
        }
        (
            "",
            "serve"
            | "run"
            | "serve_with_graceful_shutdown"
            | "run_with_graceful_shutdown"
            | "try_serve"
            | "finish"
            | "serve_connection"
            | "serve_connection_with_upgrades",
        ) => {
            let served = arguments.iter().find(|argument| is_served(argument))?;
            let (mut bound_to, mut tls) = (None, false);
            if let Value::Struct(ty, fields) = value
                && ty == "server"
            {
                bound_to = fields.get("address").and_then(Value::text).cloned();
                tls = fields.contains_key("tls");
            }
            serve(evaluator, frame, call.place, served, bound_to, tls)
        }
        _ => None,
    }
}

fn is_served(value: &Value<'_>) -> bool {
    matches!(value, Value::Router(_) | Value::Shared(..) | Value::Filter(_))
}

fn listens(evaluator: &mut Evaluator<'_>, at: usize, name: &str, arguments: &[Value<'_>]) {
    let server = &mut evaluator.servers[at];
    match name {
        "bind" | "listen" | "run" | "try_bind" if server.address.is_none() => server.address = address(arguments),
        _ if name.starts_with("bind") || name == "tls" => {
            if server.address.is_none() {
                server.address = address(arguments);
            }
            server.tls |= ["rustls", "openssl", "tls"].iter().any(|word| name.contains(word));
        }
        _ => {}
    }
}

/// An address from the arguments of a bind: text, `(host, port)`, `SocketAddr::from(([0, 0, 0, 0], port))`.
/// `None` where nothing is known but that there is one.
pub fn address(arguments: &[Value<'_>]) -> Option<Text> {
    let first = arguments.first()?;
    match first {
        Value::Text(text) => match arguments.get(1).and_then(Value::text) {
            Some(port) => Some(host_and_port(text.clone(), port)),
            None => Some(text.clone()),
        },
        Value::Tuple(parts) => match parts.as_slice() {
            [host, port] => {
                let host = host_text(host);
                let port = port.text().cloned().unwrap_or(Text { configured: true, ..Text::default() });
                Some(host_and_port(host, &port))
            }
            _ => None,
        },
        Value::List(_) => Some(host_text(first)),
        _ => Some(Text { configured: true, ..Text::default() }),
    }
}

fn host_text(value: &Value<'_>) -> Text {
    match value {
        Value::Text(text) => text.clone(),
        Value::List(parts) => {
            let parts: Vec<String> =
                parts.iter().filter_map(|part| part.text().map(|text| text.text.clone())).collect();
            Text::literal(&parts.join("."))
        }
        _ => Text { configured: true, ..Text::default() },
    }
}

fn host_and_port(host: Text, port: &Text) -> Text {
    Text {
        text: format!("{}:{}", host.text, port.text),
        complete: host.complete && port.complete,
        configured: host.configured || port.configured,
    }
}

/// The port of an address, where it is known.
pub fn port(address: &Text) -> Option<f64> {
    let digits = address.text.rsplit(':').next()?;
    let port: u16 = digits.parse().ok()?;
    (port > 0).then_some(f64::from(port))
}

#[cfg(test)]
mod tests {
    use super::{Text, Value, address, port};

    #[test]
    fn addresses_are_read_in_all_forms() {
        let text = |text: &str| Value::Text(Text::literal(text));
        let octets = Value::List(vec![text("0"), text("0"), text("0"), text("0")]);
        let forms = [
            vec![text("0.0.0.0:8080")],
            vec![Value::Tuple(vec![text("0.0.0.0"), text("8080")])],
            vec![Value::Tuple(vec![octets, text("8080")])],
        ];
        for form in forms {
            assert_eq!(address(&form).as_ref().and_then(port), Some(8080.0), "{form:?}");
        }
        assert_eq!(address(&[Value::Unknown]).map(|text| text.configured), Some(true));
    }
}
