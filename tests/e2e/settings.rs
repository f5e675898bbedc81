//! `prodcheck.toml` and `--rules`.

use crate::support::{prodcheck_in, service, write};

#[test]
fn excluded_paths_are_not_scanned() {
    let folder = service();
    write(folder.path(), "legacy/old/broken.rs", "fn broken( {\n");
    write(folder.path(), "prodcheck.toml", "[scan]\nexclude = [\"legacy\"]\n");
    let run = prodcheck_in(folder.path(), &["--format", "json"]);
    assert!(run.notices().iter().all(|notice| !notice.starts_with("legacy")), "{:?}", run.notices());
    let run = prodcheck_in(folder.path(), &["--format", "json", "--no-config"]);
    assert!(run.notices().iter().any(|notice| notice.starts_with("legacy")), "{:?}", run.notices());
}

#[test]
fn a_named_configuration_has_to_exist() {
    let folder = service();
    let run = prodcheck_in(folder.path(), &["--config", "other.toml"]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("other.toml cannot be read"), "{}", run.err);
}

#[test]
fn a_folder_without_rules_is_a_usage_error() {
    let folder = service();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    for rules in ["empty", "missing"] {
        let run = prodcheck_in(folder.path(), &["--rules", rules]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{}", run.err);
    }
}

#[test]
fn environments_of_the_teams_own_naming_are_known() {
    let folder = service();
    write(folder.path(), "config/aurora.toml", "level = \"info\"\n");
    let arguments = ["facts", ".", "--kind", "environment_config", "--format", "json"];
    assert_eq!(prodcheck_in(folder.path(), &arguments).out.matches("aurora").count(), 0);
    write(folder.path(), "prodcheck.toml", "environments = [\"aurora\"]\n");
    let run = prodcheck_in(folder.path(), &arguments);
    assert!(run.out.contains("\"environment\": \"aurora\""), "{}", run.out);
}
