//! Input that is broken or hostile: a clear message, the right exit code, and the rest of the run kept.

use std::fs::File;
use std::path::Path;

use crate::support::{json_of, prodcheck, prodcheck_in, service, tree, write};

fn run_beside_a_service(path: &str, text: impl AsRef<[u8]>) -> crate::support::Run {
    let folder = service();
    write(folder.path(), path, text);
    let run = json_of(folder.path());
    assert!(run.code < 2, "exit {}: {}", run.code, run.err);
    let json = run.json();
    assert_eq!(json["services"].as_array().unwrap().len(), 1, "the service is lost: {}", run.err);
    run
}

#[test]
fn an_empty_folder_has_nothing_to_scan() {
    let folder = tree(&[]);
    let run = prodcheck(&[folder.path().to_str().unwrap()]);
    assert_eq!(run.code, 3);
    assert!(run.err.contains("nothing to scan"), "{}", run.err);
    assert_eq!(json_of(folder.path()).code, 3);
}

#[test]
fn prose_alone_is_nothing_to_scan() {
    let run = json_of(tree(&[("README.md", "# shop\n")]).path());
    assert_eq!(run.code, 3);
    assert_eq!(run.json()["stats"]["files"], 1);
}

#[test]
fn a_file_in_place_of_a_folder_is_a_usage_error() {
    let folder = tree(&[("main.rs", "fn main() {}")]);
    let run = prodcheck(&[folder.path().join("main.rs").to_str().unwrap()]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("main.rs is not a folder"), "{}", run.err);
}

#[test]
fn a_missing_path_is_a_usage_error() {
    let run = prodcheck(&["no/such/folder"]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("no/such/folder does not exist"), "{}", run.err);
}

#[cfg(unix)]
fn lock(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o000)).unwrap();
    // A superuser cannot be locked out.
    std::fs::read_dir(path).is_err()
}

#[cfg(unix)]
fn unlock(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn a_root_that_cannot_be_read_is_incomplete() {
    let folder = service();
    let locked = lock(folder.path());
    let run = json_of(folder.path());
    unlock(folder.path());
    if locked {
        assert_eq!(run.code, 3, "{}", run.err);
        assert!(run.err.contains("cannot be read"), "{}", run.err);
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_read_is_a_notice() {
    let folder = service();
    write(folder.path(), "private/a.rs", "fn a() {}");
    let private = folder.path().join("private");
    let locked = lock(&private);
    let run = json_of(folder.path());
    unlock(&private);
    if locked {
        assert!(run.code < 2 && run.notices().iter().any(|notice| notice.starts_with("private: ")), "{}", run.out);
    }
}

#[test]
fn broken_rust_loses_no_other_file() {
    let run = run_beside_a_service("src/broken.rs", "fn broken( {\n");
    assert!(run.notices().iter().any(|notice| notice.starts_with("src/broken.rs: ")), "{:?}", run.notices());
}

#[test]
fn invalid_utf8_is_a_notice() {
    let run = run_beside_a_service("src/latin.rs", b"// caf\xe9\nfn a() {}\n");
    assert!(run.notices().iter().any(|notice| notice.starts_with("src/latin.rs: ")), "{:?}", run.notices());
}

/// Files of the formats that secrets stand in most.
const FORMATS: [&str; 4] = ["prod.env", "deploy/prod.yaml", "src/line.rs", "config/prod.json"];

#[test]
fn a_line_of_50_megabytes_is_said_and_not_read() {
    let folder = service();
    let whole = write(folder.path(), FORMATS[0], vec![b'x'; 50 << 20]);
    for path in &FORMATS[1..] {
        let to = folder.path().join(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::hard_link(&whole, to).unwrap();
    }
    for arguments in [&["--format", "json"][..], &["--only", "secrets", "--format", "json"]] {
        let run = prodcheck_in(folder.path(), arguments);
        assert!(run.code < 2, "{}", run.err);
        assert_eq!(run.json()["services"].as_array().unwrap().len(), 1);
        for path in FORMATS {
            let said = format!("{path}: larger than");
            assert!(run.notices().iter().any(|notice| notice.starts_with(&said)), "{path}: {:?}", run.notices());
        }
    }
}

/// Made up at run time.
fn token() -> String {
    ["gh", "p_", "16C7e42F292c6912E7710c838347Ae178B4a"].concat()
}

/// A text of each format that holds a token after something long or broken.
fn with_token(path: &str, before: &str) -> String {
    let token = token();
    match path.rsplit('.').next().unwrap() {
        "env" => format!("PADDING={before}\nDEPLOY_TOKEN={token}\n"),
        "yaml" => format!("padding: \"{before}\"\ndeploy_token: {token}\n"),
        "rs" => format!("const PADDING: &str = \"{before}\";\nconst DEPLOY_TOKEN: &str = \"{token}\";\n"),
        _ => format!("{{\"padding\": \"{before}\",\n\"deploy_token\": \"{token}\"}}\n"),
    }
}

fn findings_by_path(run: &crate::support::Run) -> Vec<String> {
    let json = run.json();
    let findings = json["findings"].as_array().unwrap().iter();
    let secrets = findings.filter(|finding| finding["item"] == "secrets/no-hardcoded");
    secrets.map(|finding| finding["path"].as_str().unwrap().to_string()).collect()
}

/// Runs over files of each format and expects the token in each to be found.
fn token_is_found(make: impl Fn(&str) -> Vec<u8>) -> crate::support::Run {
    let mut last = None;
    for path in FORMATS {
        let folder = service();
        write(folder.path(), path, make(path));
        let run = prodcheck_in(folder.path(), &["--only", "secrets", "--format", "json"]);
        assert!(run.code < 2, "{path}: {}", run.err);
        assert!(findings_by_path(&run).contains(&path.to_string()), "{path}: {}", run.out);
        last = Some(run);
    }
    last.unwrap()
}

#[test]
fn a_line_as_long_as_a_file_may_be_hides_nothing_after_it() {
    let long = "x y".repeat(300_000);
    token_is_found(|path| with_token(path, &long).into_bytes());
}

#[test]
fn utf16_is_read_with_and_without_a_mark() {
    let units =
        |text: String, to_bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to_bytes).collect::<Vec<u8>>();
    let marked = |path: &str| format!("\u{feff}{}", with_token(path, "a"));
    token_is_found(|path| units(marked(path), u16::to_le_bytes));
    token_is_found(|path| units(marked(path), u16::to_be_bytes));
    for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let run = token_is_found(|path| units(with_token(path, "a"), to_bytes));
        assert!(run.notices().iter().any(|notice| notice.contains("without a byte order mark")), "{:?}", run.notices());
    }
}

#[test]
fn invalid_utf8_hides_nothing_after_it() {
    let run = token_is_found(|path| {
        let text = with_token(path, "MARK").into_bytes();
        let at = text.windows(4).position(|part| part == b"MARK").unwrap();
        [&text[..at], b"caf\xe9 \xff\xfe", &text[at..]].concat()
    });
    assert!(run.notices().iter().any(|notice| notice.contains("not valid UTF-8")), "{:?}", run.notices());
}

#[test]
fn binary_files_with_text_endings_are_said() {
    let folder = service();
    for path in FORMATS {
        write(folder.path(), path, b"\x7fELF\x02\x01\x01\x00\x00\x00\x03\x00>\x00\x01\x00\x00\x00\xf0\x9a".repeat(500));
    }
    let run = json_of(folder.path());
    assert!(run.code < 2, "{}", run.err);
    for path in FORMATS {
        let said = format!("{path}: holds NUL bytes, so it is no text: not read");
        assert!(run.notices().contains(&said), "{path}: {:?}", run.notices());
    }
}

#[test]
fn a_file_of_200_megabytes_is_not_read() {
    let folder = service();
    let dump = write(folder.path(), "dump.sql", "INSERT INTO orders VALUES (1);\n".repeat(4000));
    File::options().write(true).open(dump).unwrap().set_len(200 << 20).unwrap();
    let run = json_of(folder.path());
    assert!(run.code < 2);
    assert!(run.notices().iter().any(|notice| notice.starts_with("dump.sql: larger than")), "{:?}", run.notices());
}

#[cfg(unix)]
#[test]
fn a_circle_of_links_ends() {
    let folder = service();
    std::os::unix::fs::symlink(".", folder.path().join("src/again")).unwrap();
    std::os::unix::fs::symlink("circle", folder.path().join("circle")).unwrap();
    let run = json_of(folder.path());
    assert!(run.code < 2, "{}", run.err);
    assert!(run.notices().iter().any(|notice| notice.starts_with("circle: ")), "{:?}", run.notices());
}

#[test]
fn ten_thousand_nested_braces_are_a_notice() {
    let deep = format!("fn deep() {}{}\n", "{".repeat(10_000), "}".repeat(10_000));
    let run = run_beside_a_service("src/deep.rs", deep);
    assert!(run.notices().iter().any(|notice| notice.starts_with("src/deep.rs: ")), "{:?}", run.notices());
}

#[test]
fn deep_nesting_in_every_format_is_survived() {
    let deep = |open: &str, close: &str| format!("{}{}\n", open.repeat(50_000), close.repeat(50_000));
    let folder = service();
    for (path, text) in [
        ("a.yaml", deep("[", "]")),
        ("b.yaml", deep("- ", "")),
        ("c.json", deep("[", "]")),
        ("d.toml", format!("a = {}", deep("[", "]"))),
        ("e.tf", format!("a = {}", deep("[", "]"))),
        ("f.sql", format!("SELECT {};", deep("(", ")"))),
        ("g.md", deep("> ", "")),
        ("nginx.conf", deep("a {", "}")),
        ("src/h.rs", format!("const A: u8 = {}1;", "!".repeat(50_000))),
        ("src/i.rs", format!("const A: u8 = {}1{};", "(".repeat(50_000), ")".repeat(50_000))),
    ] {
        write(folder.path(), path, text);
    }
    let run = json_of(folder.path());
    assert!(run.code < 2, "exit {}: {}", run.code, run.err);
}

#[test]
fn a_bomb_of_yaml_aliases_is_not_expanded() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let below = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(", ")));
    }
    run_beside_a_service("deploy/bomb.yaml", bomb);
}

#[test]
fn a_configuration_with_an_unknown_key_is_an_error_with_its_place() {
    let folder = service();
    write(folder.path(), "prodcheck.toml", "[scan]\nexclud = []\n\n[[attests]]\n");
    let run = prodcheck_in(folder.path(), &[]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    for said in ["prodcheck.toml:2:1", "did you mean `exclude`?", "did you mean `attest`?"] {
        assert!(run.err.contains(said), "{said}: {}", run.err);
    }
}

#[test]
fn names_that_a_terminal_would_obey_are_escaped() {
    let run = run_beside_a_service("src/a\u{202e}\u{1b}[31m.rs", "fn broken( {\n");
    assert!(!run.out.contains('\u{202e}') && !run.out.contains('\u{1b}'), "{}", run.out);
}
