//! `--history`: repositories that are made here, whole and broken.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use prodcheck::link::secrets::past::Secrets;
use prodcheck::scan::history::{History, Past, Search, Trace};
use prodcheck::scan::source::{Kind, Role, SourceFile};
use prodcheck::scan::{ScanOptions, scan};
use serde_json::Value;

use crate::samples::expand;
use crate::support::{Run, commit, git, prodcheck_in, service, write};

const RULE: &str = "secret-in-git-history";

/// The token that one commit has and the next has not.
fn token() -> String {
    expand("{{secret:github-token}}")
}

fn keys(token: &str) -> String {
    format!("pub const GITHUB_TOKEN: &str = \"{token}\";\n")
}

/// A service whose second of three commits has a token in `src/keys.rs`.
fn leaked() -> tempfile::TempDir {
    let folder = service();
    git(folder.path(), &["init", "-q"]);
    step(folder.path(), "2021-03-04T12:00:00+0000", &[]);
    step(folder.path(), "2022-05-06T23:30:00-0500", &[("src/keys.rs", Some(&keys(&token())))]);
    step(folder.path(), "2023-07-08T12:00:00+0000", &[("src/keys.rs", None)]);
    folder
}

/// A commit of all there is after some files were written or removed.
fn step(folder: &Path, day: &str, files: &[(&str, Option<&str>)]) {
    for (path, text) in files {
        match text {
            Some(text) => _ = write(folder, path, text),
            None => std::fs::remove_file(folder.join(path)).unwrap(),
        }
    }
    git(folder, &["add", "-A"]);
    commit(folder, day);
}

fn json(folder: &Path, history: &str) -> Run {
    prodcheck_in(folder, &["--format", "json", history])
}

/// `commit:path:line` of the rule's findings.
fn places(run: &Run) -> Vec<String> {
    let json = run.json();
    let all = json["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == RULE);
    let place = |of: &Value| format!("{}:{}:{}", text(&of["commit"]), text(&of["path"]), of["line"]);
    all.map(place).collect()
}

fn text(of: &Value) -> &str {
    of.as_str().unwrap_or("")
}

fn short(folder: &Path, revision: &str) -> String {
    git(folder, &["rev-parse", "--short=10", revision])
}

fn says(run: &Run, what: &str) -> bool {
    run.notices().iter().any(|notice| notice.contains(what))
}

#[test]
fn a_secret_that_is_gone_is_told_with_its_first_commit_and_its_authors_day() {
    let folder = leaked();
    let run = json(folder.path(), "--history");
    assert_eq!(places(&run), [format!("{}:src/keys.rs:1", short(folder.path(), "HEAD~1"))]);
    let json = run.json();
    let finding = json["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == RULE).unwrap();
    assert!(text(&finding["message"]).contains("on 2022-05-06"), "{finding}");
    assert_eq!((json["stats"]["commits"].as_u64(), json["stats"]["versions"].as_u64()), (Some(3), Some(4)));
    assert_eq!(run.notices(), Vec::<String>::new());
}

#[test]
fn without_history_nothing_of_it_is_said() {
    let folder = leaked();
    let run = prodcheck_in(folder.path(), &["--format", "json"]);
    assert_eq!(places(&run), Vec::<String>::new());
    assert_eq!(run.json()["stats"]["commits"], 0);
}

#[test]
fn a_secret_that_is_still_there_is_one_finding_and_says_since_when() {
    let folder = leaked();
    step(
        folder.path(),
        "2024-01-01T12:00:00+0000",
        &[("src/other.rs", Some(&format!("// again\n{}", keys(&token()))))],
    );
    let run = json(folder.path(), "--history");
    assert_eq!(places(&run), Vec::<String>::new());
    let json = run.json();
    let findings = json["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == "hardcoded-secret");
    let findings: Vec<&Value> = findings.collect();
    assert_eq!(findings.len(), 1);
    assert_eq!((text(&findings[0]["path"]), &findings[0]["commit"]), ("src/other.rs", &Value::Null));
    let related = &findings[0]["related"][0];
    assert_eq!(text(&related["commit"]), short(folder.path(), "HEAD~2"));
    assert!(text(&related["note"]).contains("since 2022-05-06"), "{related}");
}

#[test]
fn a_value_in_many_commits_and_paths_is_told_once() {
    let folder = leaked();
    for (day, path) in [("2024-01-01T12:00:00+0000", "src/a.rs"), ("2024-02-01T12:00:00+0000", "config/b.env")] {
        step(folder.path(), day, &[(path, Some(&format!("GITHUB_TOKEN=\"{}\"\n", token())))]);
        step(folder.path(), day, &[(path, None)]);
    }
    let run = json(folder.path(), "--history");
    assert_eq!(places(&run), [format!("{}:src/keys.rs:1", short(folder.path(), "HEAD~5"))]);
}

#[test]
fn the_first_commit_is_found_below_changes_around_the_secret_and_of_its_line() {
    let folder = service();
    git(folder.path(), &["init", "-q"]);
    step(folder.path(), "2021-01-01T12:00:00+0000", &[("src/z.rs", Some(&"// above\n".repeat(40)))]);
    for change in 0..5 {
        let line = if change == 3 { keys(&token()).replace("pub const", "pub  const") } else { keys(&token()) };
        let text = format!("{}{line}{}", "// above\n".repeat(40), "// below\n".repeat(change));
        step(folder.path(), "2022-01-01T12:00:00+0000", &[("src/z.rs", Some(&text))]);
    }
    step(folder.path(), "2023-01-01T12:00:00+0000", &[("src/z.rs", None)]);
    let run = json(folder.path(), "--history");
    assert_eq!(places(&run), [format!("{}:src/z.rs:41", short(folder.path(), "HEAD~5"))]);
    // Versions of the file are in this range, and what they hold was there before it.
    assert_eq!(places(&json(folder.path(), "--history=HEAD~3..HEAD")), Vec::<String>::new());
}

#[test]
fn a_range_has_its_own_commits_only() {
    let folder = leaked();
    let before = json(folder.path(), "--history=HEAD~2");
    assert_eq!(places(&before), Vec::<String>::new());
    assert_eq!(before.json()["stats"]["commits"], 1);
    for range in ["--history=HEAD~2..HEAD", "--history=HEAD~1", "--history=HEAD~1^!", "--history=HEAD~2...HEAD"] {
        assert_eq!(places(&json(folder.path(), range)).len(), 1, "{range}");
    }
    assert_eq!(places(&json(folder.path(), "--history=HEAD~1..HEAD")), Vec::<String>::new());
    assert_eq!(places(&json(folder.path(), "--history=HEAD~1^@")), Vec::<String>::new());
}

#[test]
fn other_branches_and_tags_are_searched_and_what_no_reference_leads_to_is_not() {
    let folder = leaked();
    git(folder.path(), &["branch", "-q", "old", "HEAD~1"]);
    git(folder.path(), &["reset", "-q", "--hard", "HEAD~2"]);
    assert_eq!(places(&json(folder.path(), "--history")).len(), 1);
    git(folder.path(), &["tag", "-a", "-m", "x", "v1", "old"]);
    git(folder.path(), &["branch", "-q", "-D", "old"]);
    assert_eq!(places(&json(folder.path(), "--history")).len(), 1);
    git(folder.path(), &["tag", "-d", "v1"]);
    assert_eq!(places(&json(folder.path(), "--history")).len(), 0);
}

#[test]
fn a_range_that_means_nothing_is_a_usage_error() {
    let folder = leaked();
    for range in ["no-such-branch", "HEAD~50..HEAD", "..no", "HEAD:src", "^HEAD", "\u{1b}[31m"] {
        let run = prodcheck_in(folder.path(), &[&format!("--history={range}")]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{range}: {}", run.err);
        assert!(run.err.contains("--history: `") && !run.err.contains('\u{1b}'), "{range}: {}", run.err);
    }
}

#[test]
fn without_a_repository_the_rest_is_checked_and_the_run_is_not_complete() {
    let folder = service();
    let run = json(folder.path(), "--history");
    assert_eq!(run.code, 3, "{}", run.err);
    assert!(says(&run, "there is no git repository here"), "{:?}", run.notices());
    assert_eq!(run.json()["services"].as_array().unwrap().len(), 1);
}

#[test]
fn a_repository_without_commits_says_so() {
    let folder = service();
    git(folder.path(), &["init", "-q"]);
    let run = json(folder.path(), "--history");
    assert!(run.code < 2 && says(&run, "has no commits"), "{} {:?}", run.code, run.notices());
    assert_eq!(prodcheck_in(folder.path(), &["--history=HEAD"]).code, 2);
}

#[test]
fn a_shallow_clone_says_where_it_ends() {
    let folder = leaked();
    let clones = tempfile::tempdir().unwrap();
    let from = format!("file://{}", folder.path().display());
    git(clones.path(), &["clone", "-q", "--depth", "2", &from, "shallow"]);
    let run = json(&clones.path().join("shallow"), "--history");
    assert!(run.code < 2 && says(&run, "the clone is shallow"), "{} {:?}", run.code, run.notices());
    assert_eq!(places(&run).len(), 1);
    assert!(run.out.contains("on 2022-05-06 or before"), "{}", run.out);
}

#[test]
fn clones_that_borrow_objects_and_worktrees_are_followed() {
    let folder = leaked();
    let clones = tempfile::tempdir().unwrap();
    let from = folder.path().to_str().unwrap();
    git(clones.path(), &["clone", "-q", "--shared", from, "shared"]);
    let tree = clones.path().join("tree");
    git(folder.path(), &["worktree", "add", "-q", "-b", "more", tree.to_str().unwrap()]);
    for place in [clones.path().join("shared"), tree] {
        let run = json(&place, "--history");
        assert_eq!((places(&run).len(), run.notices()), (1, Vec::new()), "{}", place.display());
    }
}

#[test]
fn objects_that_were_borrowed_and_are_gone_are_said() {
    let folder = leaked();
    let clones = tempfile::tempdir().unwrap();
    git(clones.path(), &["clone", "-q", "--shared", folder.path().to_str().unwrap(), "shared"]);
    std::fs::remove_dir_all(folder.path().join(".git/objects")).unwrap();
    let run = json(&clones.path().join("shared"), "--history");
    assert_eq!(run.code, 3, "{}", run.err);
    assert!(says(&run, "missing or damaged"), "{:?}", run.notices());
    assert_eq!(run.json()["services"].as_array().unwrap().len(), 1);
}

#[test]
fn a_submodules_own_history_is_said_to_be_left_out() {
    let (folder, other) = (leaked(), leaked());
    git(folder.path(), &["submodule", "--quiet", "add", other.path().to_str().unwrap(), "shared/other"]);
    commit(folder.path(), "2024-01-01T12:00:00+0000");
    let run = json(folder.path(), "--history");
    assert!(says(&run, "shared/other"), "{:?}", run.notices());
    let inside = json(&folder.path().join("shared/other"), "--history");
    assert_eq!((places(&inside).len(), inside.notices()), (1, Vec::new()));
}

#[test]
fn a_bare_repository_is_searched_though_there_is_nothing_to_scan() {
    let folder = leaked();
    let clones = tempfile::tempdir().unwrap();
    git(clones.path(), &["clone", "-q", "--bare", folder.path().to_str().unwrap(), "bare.git"]);
    let run = json(&clones.path().join("bare.git"), "--history");
    assert_eq!(places(&run).len(), 1, "{}", run.err);
}

#[test]
fn only_what_stood_below_the_scanned_folder_is_told() {
    let folder = leaked();
    step(
        folder.path(),
        "2024-01-01T12:00:00+0000",
        &[("worker/src/k.rs", Some(&keys(&expand("{{secret:github-token#2}}"))))],
    );
    step(folder.path(), "2024-01-02T12:00:00+0000", &[("worker/src/k.rs", Some("// none\n"))]);
    let run = json(&folder.path().join("worker"), "--history");
    assert_eq!(places(&run), [format!("{}:src/k.rs:1", short(folder.path(), "HEAD~1"))]);
    let sarif = prodcheck_in(&folder.path().join("worker"), &["--history", "--format", "sarif"]).json();
    let result = &sarif["runs"][0]["results"].as_array().unwrap().iter().find(|of| of["ruleId"] == RULE).unwrap();
    let place = &result["locations"][0]["physicalLocation"];
    // The file is there today, with something else on that line.
    assert_eq!(text(&place["artifactLocation"]["uri"]), "worker/src/k.rs");
    assert_eq!(place["region"]["startLine"], 1);
    assert!(text(&result["message"]["text"]).contains(":src/k.rs:1`"), "{result}");
}

#[test]
fn what_the_settings_leave_out_is_left_out_of_the_history_too() {
    let folder = leaked();
    write(folder.path(), "prodcheck.toml", "[scan]\nexclude = [\"src/keys.rs\"]\n");
    assert_eq!(places(&json(folder.path(), "--history")), Vec::<String>::new());
    write(
        folder.path(),
        "prodcheck.toml",
        format!("[[allow]]\nrule = \"{RULE}\"\npath = \"src/keys.rs\"\nreason = \"revoked in 2022\"\n"),
    );
    let json = json(folder.path(), "--history").json();
    let finding = json["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == RULE).unwrap();
    assert_eq!(text(&finding["suppressed"]["reason"]), "revoked in 2022");
}

/// Where git keeps an object that is in no pack.
fn loose(folder: &Path, revision: &str) -> PathBuf {
    let id = git(folder, &["rev-parse", revision]);
    folder.join(".git/objects").join(&id[..2]).join(&id[2..])
}

fn damage(path: &Path, bytes: Option<&[u8]>) {
    std::fs::remove_file(path).unwrap();
    if let Some(bytes) = bytes {
        std::fs::write(path, bytes).unwrap();
    }
}

#[test]
fn a_version_that_is_missing_or_damaged_is_said_and_the_others_are_searched() {
    for bytes in [None, Some(&b"x\x9c no object"[..]), Some(&b""[..])] {
        let folder = leaked();
        step(folder.path(), "2024-01-01T12:00:00+0000", &[("src/lost.rs", Some(&keys("soon lost")))]);
        step(folder.path(), "2024-01-01T12:00:00+0000", &[("src/lost.rs", None)]);
        damage(&loose(folder.path(), "HEAD~1:src/lost.rs"), bytes);
        let run = json(folder.path(), "--history");
        assert!(run.code < 2 && says(&run, "such as of src/lost.rs"), "{} {:?}", run.code, run.notices());
        assert_eq!(places(&run).len(), 1);
    }
}

#[test]
fn commits_and_folders_that_are_missing_or_damaged_leave_the_run_incomplete() {
    for (revision, bytes) in [
        ("HEAD~2", None),
        ("HEAD~2", Some(&b"nonsense"[..])),
        ("HEAD~2^{tree}", None),
        ("HEAD~1:src", Some(&b"nonsense"[..])),
    ] {
        let folder = leaked();
        damage(&loose(folder.path(), revision), bytes);
        let run = json(folder.path(), "--history");
        assert_eq!(run.code, 3, "{revision}: {}", run.err);
        assert!(says(&run, "missing or damaged"), "{revision}: {:?}", run.notices());
        assert_eq!(run.json()["services"].as_array().unwrap().len(), 1, "{revision}");
    }
}

#[test]
fn a_pack_that_is_cut_or_scrambled_leaves_the_run_incomplete() {
    let spoil: [fn(&mut Vec<u8>); 3] = [
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes.truncate(7),
        |bytes| bytes[12..].iter_mut().for_each(|byte| *byte = !*byte),
    ];
    for spoil in spoil {
        let folder = leaked();
        git(folder.path(), &["gc", "-q"]);
        let packs = std::fs::read_dir(folder.path().join(".git/objects/pack")).unwrap();
        let packs = packs.map(|entry| entry.unwrap().path());
        let pack = packs.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "pack")).unwrap();
        let mut bytes = std::fs::read(&pack).unwrap();
        spoil(&mut bytes);
        damage(&pack, Some(&bytes));
        let run = json(folder.path(), "--history");
        assert_eq!(run.code, 3, "{}", run.err);
        assert!(says(&run, "history"), "{:?}", run.notices());
        assert_eq!(run.json()["services"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn a_repository_that_cannot_be_opened_leaves_the_run_incomplete() {
    let folder = leaked();
    write(folder.path(), ".git/config", "[core\n");
    let run = json(folder.path(), "--history");
    assert_eq!(run.code, 3, "{}", run.err);
    assert!(says(&run, "the history is not searched"), "{:?}", run.notices());
}

#[test]
fn references_in_a_format_that_is_not_read_leave_the_run_incomplete() {
    let folder = leaked();
    std::fs::create_dir(folder.path().join(".git/reftable")).unwrap();
    let run = json(folder.path(), "--history");
    assert!(run.code == 3 && says(&run, "in a reftable"), "{} {:?}", run.code, run.notices());
}

#[test]
fn a_folder_that_is_nested_too_deeply_is_said_and_the_rest_is_searched() {
    let folder = leaked();
    let deep = format!("{}k.rs", "d/".repeat(70));
    step(folder.path(), "2024-01-01T12:00:00+0000", &[(&deep, Some(&keys(&expand("{{secret:github-token#deep}}"))))]);
    step(folder.path(), "2024-01-01T12:00:00+0000", &[(&deep, None)]);
    let run = json(folder.path(), "--history");
    assert!(run.code < 2 && says(&run, "1 folder that is nested too deeply"), "{} {:?}", run.code, run.notices());
    assert_eq!(places(&run).len(), 1);
}

#[test]
fn large_versions_and_bytes_are_not_searched_and_the_rest_is() {
    let folder = leaked();
    let large = format!("{}{}", "// filling\n".repeat(200_000), keys(&expand("{{secret:github-token#large}}")));
    step(folder.path(), "2024-01-01T12:00:00+0000", &[("src/large.rs", Some(&large))]);
    let bytes = format!("\0\0\0{}", expand("{{secret:github-token#bytes}}"));
    step(folder.path(), "2024-01-01T12:00:00+0000", &[("src/large.rs", None), ("data.unknown", Some(&bytes))]);
    step(folder.path(), "2024-01-01T12:00:00+0000", &[("data.unknown", None), ("keys/app.p12", Some("\0\0store"))]);
    step(folder.path(), "2024-01-01T12:00:00+0000", &[("keys/app.p12", None)]);
    let run = json(folder.path(), "--history");
    assert!(run.code < 2 && says(&run, "larger than 1024 KiB, such as of src/large.rs"), "{:?}", run.notices());
    let expected = [
        format!("{}:keys/app.p12:1", short(folder.path(), "HEAD~1")),
        format!("{}:src/keys.rs:1", short(folder.path(), "HEAD~5")),
    ];
    assert_eq!(places(&run), expected);
}

#[test]
fn no_secret_of_the_history_stands_whole_in_any_output() {
    let folder = leaked();
    let canaries: Vec<String> =
        ["{{secret:github-token}}", "{{secret:password}}", "{{secret:hex}}", "{{secret:password#two}}"]
            .map(expand)
            .into();
    let settings = format!(
        "database_url: postgres://shop:{}@db.shop.io/shop\nsigning_key: \"{}\" # {}\nsmtp_password: {}\n",
        canaries[1], canaries[2], canaries[2], canaries[3]
    );
    step(folder.path(), "2024-01-01T12:00:00+0000", &[("config/production.yaml", Some(&settings))]);
    let left = format!("smtp_password: {}\n", canaries[3]);
    step(folder.path(), "2024-01-02T12:00:00+0000", &[("config/production.yaml", Some(&left))]);
    write(folder.path(), "README.md", format!("# shop\n\nThe token was {}.\n", canaries[0]));
    let runs: [&[&str]; 7] = [
        &["--history", "--pedantic"],
        &["--history", "--pedantic", "--color", "always"],
        &["--history", "--pedantic", "--format", "json"],
        &["--history", "--pedantic", "--format", "sarif", "--sarif-include-suppressed"],
        &["--history=HEAD~3..HEAD", "--pedantic"],
        &["facts", "--history"],
        &["facts", "--history", "--format", "json"],
    ];
    for arguments in runs {
        let run = prodcheck_in(folder.path(), arguments);
        assert!(run.code < 2, "{}", run.err);
        for canary in &canaries {
            let whole = run.out.contains(canary.as_str()) || run.err.contains(canary.as_str());
            assert!(!whole, "{arguments:?} {}", run.out);
        }
    }
    let facts = prodcheck_in(folder.path(), &["facts", "--history", "--kind", "past_secret"]).out;
    for place in ["src/keys.rs:1", "config/production.yaml:1", "config/production.yaml:2"] {
        assert!(facts.contains(place), "the secret at {place} is not seen, so its mask is not tried: {facts}");
    }
}

#[test]
fn reports_with_a_history_fit_their_schemas() {
    let folder = leaked();
    let report = json(folder.path(), "--history").json();
    let schema = prodcheck_in(folder.path(), &["schema", "report"]).json();
    assert_eq!(crate::formats::errors(&schema, &report), Vec::<String>::new());
    let sarif = prodcheck_in(folder.path(), &["--history", "--format", "sarif"]).json();
    assert_eq!(crate::formats::errors(&crate::formats::sarif_schema(), &sarif), Vec::<String>::new());
    let result = &sarif["runs"][0]["results"].as_array().unwrap().iter().find(|of| of["ruleId"] == RULE).unwrap();
    assert_eq!(text(&result["properties"]["commit"]), short(folder.path(), "HEAD~1"));
}

#[test]
fn the_report_is_the_same_every_time() {
    let folder = leaked();
    let first = json(folder.path(), "--history").out;
    assert_eq!(json(folder.path(), "--history").out, first);
    git(folder.path(), &["gc", "-q"]);
    assert_eq!(json(folder.path(), "--history").out, first, "packed");
}

/// The search, with how often it was given which text of which role and environment.
#[derive(Default)]
struct Counted(Mutex<BTreeMap<String, usize>>);

impl Search for Counted {
    fn wants(&self, path: &str, kind: Option<Kind>, role: Role) -> bool {
        Secrets.wants(path, kind, role)
    }
    fn reading(&self, path: &str) -> String {
        Secrets.reading(path)
    }
    fn may_hold(&self, kind: Kind, lines: &str) -> bool {
        Secrets.may_hold(kind, lines)
    }
    fn traces(&self, file: &SourceFile) -> Vec<Trace> {
        let searched = format!("{} {}", Secrets.reading(&file.path), file.text);
        *self.0.lock().unwrap().entry(searched).or_default() += 1;
        Secrets.traces(file)
    }
}

fn searched(folder: &Path, range: &str) -> (Past, Vec<usize>) {
    let options = ScanOptions::default();
    let (tree, search) = (scan(folder, &options).unwrap(), Counted::default());
    let past = History::open(folder, range).unwrap().search(&tree, &options, &search, &|_, _| {});
    (past, search.0.into_inner().unwrap().into_values().collect())
}

/// A service whose keys moved, were copied, changed and came back; with how many blobs that made.
fn moved() -> (tempfile::TempDir, usize) {
    let folder = service();
    git(folder.path(), &["init", "-q"]);
    let (keys, none) = (keys(&token()), "pub const NONE: u8 = 0;\n".repeat(30));
    let (first, second) = (format!("{none}{keys}"), format!("{none}{keys}// more\n"));
    let third = second.replace("// more", "// less");
    let steps: [&[(&str, Option<&str>)]; 7] = [
        &[("src/keys.rs", Some(&first))],
        &[("src/keys.rs", None), ("shop/src/keys.rs", Some(&first)), ("lib/src/other.rs", Some(&first))],
        &[("shop/src/keys.rs", Some(&second)), ("lib/src/keys.rs", Some(&second))],
        &[("shop/src/keys.rs", Some(&third)), ("config/dev/a.rs", Some(&second))],
        &[("shop/src/keys.rs", Some(&second)), ("lib/src/other.rs", None)],
        &[("shop/src/keys.rs", None), ("lib/src/keys.rs", None), ("config/dev/a.rs", None)],
        &[("src/keys.rs", Some(&none))],
    ];
    step(folder.path(), "2021-01-01T12:00:00+0000", &[]);
    let before = git(folder.path(), &["ls-files"]).lines().count();
    for files in steps {
        step(folder.path(), "2022-01-01T12:00:00+0000", files);
    }
    (folder, before + 4)
}

#[test]
fn a_blob_is_unpacked_once_whatever_paths_it_had_and_searched_once_for_each_reading() {
    let (folder, blobs) = moved();
    let (past, searched) = searched(folder.path(), "");
    assert_eq!((past.notices.len(), past.files.len()), (0, 1), "{:?}", past.notices);
    assert_eq!(past.files[0].file.path, "src/keys.rs");
    assert!(past.versions > blobs, "{} of {blobs}", past.versions);
    assert_eq!(past.unpacked, blobs);
    assert!(!searched.is_empty() && searched.iter().all(|times| *times == 1), "{searched:?}");
}

#[test]
fn a_blob_that_stood_elsewhere_before_the_range_is_unpacked_once_and_is_nothing_new() {
    let (folder, blobs) = moved();
    // What stood before is read where something is left that may have stood there.
    for (range, found, blobs) in [("HEAD~4..HEAD", 0, 3), ("HEAD~7..HEAD", 1, blobs)] {
        let (past, searched) = searched(folder.path(), range);
        assert_eq!((past.files.len(), past.unpacked), (found, blobs), "{range}");
        assert!(searched.iter().all(|times| *times == 1), "{searched:?}");
    }
}
