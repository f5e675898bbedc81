//! prodcheck on its own repository.

use std::path::Path;

use crate::support::prodcheck_in;

#[test]
fn our_own_repository_is_clean() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = prodcheck_in(root, &["--format", "json", "."]);
    let json = run.json();
    assert_eq!(json["services"].as_array().unwrap().len(), 0, "a command line program is no service");
    let found: Vec<String> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["severity"] == "error" && finding["suppressed"].is_null())
        .map(|finding| format!("{} {}", finding["path"].as_str().unwrap(), finding["message"].as_str().unwrap()))
        .collect();
    assert_eq!((run.code, found), (0, Vec::<String>::new()), "{}", run.err);
}
