//! Somebody's project, with a file of queues.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Every verdict of this file is exact or accepted.
pub(crate) const ACCEPTED: &str = "\
version: 1
stack: ci
queues:
  orders:
    dead_letter: { max_deliveries: 5 }
    accept: [ dead_letter.max_deliveries@gcp ]
";

/// One verdict of this file is neither.
pub(crate) const NOT_ACCEPTED: &str = "\
version: 1
stack: ci
queues:
  orders:
    dead_letter: { max_deliveries: 5 }
";

/// What no run comes to: the first behaviour passes on every cloud.
pub(crate) const BASELINE: &str = r#"{
  "schema_version": 1,
  "targets": { "aws": { "control/destroy-twice": "failed" } }
}
"#;

/// Arguments that keep a run short, one a line.
pub(crate) const SHORT: &str = "--only\ndestroy-twice";

/// A name that a shell must not read.
pub(crate) const HOSTILE: &str = "a $(touch stolen) `touch stolen` \"; touch stolen; ' # * .yaml";

/// A folder of its own.
#[derive(Debug)]
pub(crate) struct Project(TempDir);

impl Project {
    pub(crate) fn with(name: &str, text: &str) -> Project {
        let project = Project(tempfile::tempdir().unwrap());
        project.write(name, text);
        project
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Whether somebody read a name as a command.
    pub(crate) fn stolen(&self) -> bool {
        self.path("stolen").exists()
    }

    /// Whether each of the four reports is there and is what it is called.
    pub(crate) fn assert_reports(&self, folder: &str) {
        for (name, begins) in [
            ("verify.xml", "<?xml"),
            ("verify.html", "<!DOCTYPE html>"),
            ("verify.md", "## Portability"),
            ("verify.json", "{"),
        ] {
            let text = self.read(&format!("{folder}/{name}"));
            assert!(text.starts_with(begins), "{name}: {text:.80}");
        }
    }

    /// A `cargo` that notes what it is asked for, and puts this build's `mq` where it is to be
    /// installed.
    pub(crate) fn fake_cargo(&self) -> PathBuf {
        let tools = self.path("tools");
        std::fs::create_dir(&tools).unwrap();
        let script = "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$NOTES\"\nwhile [ \"$1\" != --root ]; do shift; done\nmkdir -p \"$2/bin\"\nln -s \"$REAL_MQ\" \"$2/bin/mq\"\n";
        let cargo = tools.join("cargo");
        std::fs::write(&cargo, script).unwrap();
        executable(&cargo);
        tools
    }
}

#[cfg(unix)]
fn executable(file: &Path) {
    use std::os::unix::fs::PermissionsExt;

    std::fs::set_permissions(file, PermissionsExt::from_mode(0o755)).unwrap();
}

#[cfg(not(unix))]
fn executable(_: &Path) {}

/// The search path with this folder before all others.
pub(crate) fn path_with(folder: &Path) -> String {
    let inherited = std::env::var("PATH").unwrap_or_default();
    format!("{}:{inherited}", folder.display())
}
