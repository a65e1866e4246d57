//! The `mq` binary of this build.

use std::path::PathBuf;

/// Where cargo put it: beside the folder of the test's own executable.
///
/// # Panics
/// When it is not there: `cargo test --workspace` builds it, a test of this package alone after
/// `cargo build` has it too.
#[must_use]
pub fn mq() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.push(format!("mq{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.is_file(),
        "{} is not built: run `cargo build` first",
        path.display()
    );
    path
}
