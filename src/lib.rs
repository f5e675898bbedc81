//! prodcheck reads a backend repository and answers the go-live checklist with evidence.
//!
//! Data flows one way, and a module uses modules to its left, never to its right:
//!
//! ```text
//! scan -> parse -> facts -> link -> check -> report
//! ```
//!
//! 1. One way only, as drawn above.
//! 2. Only [`scan`] and [`config`] read the disk; only `main` and [`cli`] write, print or exit. The middle is pure.
//! 3. Parsing never fails a run: parsers return syntax and problems. A problem is shown.
//! 4. Syntax trees of libraries do not leave their parser; what leaves is plain data with byte spans.
//! 5. Facts carry no judgement and rules no mechanism. A rule that needs code needs a new fact or attribute instead.
//! 6. A file's role (service, test, example, ...) is settled once, in [`scan`] and [`parse`].
//! 7. Deterministic: sorted walk, ordered maps in whatever reaches output, no clock (one injected `today`), no locale.
//! 8. What cannot be resolved is unknown: never a violation by itself.

pub mod check;
pub mod cli;
pub mod config;
pub mod embedded;
pub mod facts;
pub mod link;
pub mod parse;
pub mod report;
pub mod scan;
