//! Where documents go: standard output, files, standard error. A reader that went away is no error.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Writes a document to standard output.
pub fn to_stdout(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    quiet(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Writes a document to a file.
pub fn to_file(path: &Path, text: &str) -> io::Result<()> {
    std::fs::write(path, text).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Says something beside the document.
pub fn say(text: &str) {
    _ = writeln!(io::stderr().lock(), "{text}");
}

fn quiet(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
