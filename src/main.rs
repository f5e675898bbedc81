//! The command line program.

use std::process::ExitCode;

fn main() -> ExitCode {
    prodcheck::cli::main(std::env::args_os())
}
