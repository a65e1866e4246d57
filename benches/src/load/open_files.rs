//! The soft limit of open files, raised for thousands of connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Holds the limit up; the old one comes back with its end, so that servers that are started later
/// do not inherit what they must raise themselves.
#[derive(Debug)]
pub(crate) struct OpenFiles(Rlimit);

/// Raises the soft limit to the hard one.
pub(crate) fn raise() -> OpenFiles {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: before.maximum,
        maximum: before.maximum,
    };
    // Where it may not be raised, the connections that do not open say so.
    let _ = setrlimit(Resource::Nofile, raised);
    OpenFiles(before)
}

impl Drop for OpenFiles {
    fn drop(&mut self) {
        let _ = setrlimit(Resource::Nofile, self.0);
    }
}
