//! Lists the files under `rules/` with `include_str!`, so that they are part of the binary.

use std::fmt::Write as _;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=rules");
    let root = std::env::var("CARGO_MANIFEST_DIR")?;
    let rules = Path::new(&root).join("rules");
    let mut list = String::from("&[\n");
    for entry in walkdir::WalkDir::new(&rules).sort_by_file_name() {
        let entry = entry?;
        println!("cargo:rerun-if-changed={}", entry.path().display());
        if entry.path().extension().is_some_and(|extension| extension == "toml") {
            let name = entry.path().strip_prefix(&rules)?.to_string_lossy().replace('\\', "/");
            writeln!(list, "    ({name:?}, include_str!({:?})),", entry.path().to_string_lossy())?;
        }
    }
    list.push(']');
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("rules.rs"), list)?;
    Ok(())
}
