//! `mq` in this process, over a registry of the test's own.

use std::ffi::OsString;
use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex};

use mq_cli::{Environment, Streams};
use mq_core::BackendFactory;

use crate::process::Ran;

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("no panic while writing")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic while writing").clone()).expect("UTF-8")
    }
}

/// Who is at the other end of the streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// A pipe.
    Program,
    /// A terminal, at which this is typed.
    Person(&'static str),
}

/// Runs a command over these clouds.
pub(crate) fn run(
    registry: &[&'static dyn BackendFactory],
    arguments: &[&str],
    variables: &[(&str, &str)],
    audience: Audience,
) -> Ran {
    let (stdout, stderr) = (Buffer::default(), Buffer::default());
    let (terminal, typed) = match audience {
        Audience::Program => (false, ""),
        Audience::Person(typed) => (true, typed),
    };
    let streams = Streams {
        stdout: Box::new(stdout.clone()),
        stderr: Box::new(stderr.clone()),
        stdin: Box::new(Cursor::new(typed)),
        stdout_terminal: terminal,
        stderr_terminal: terminal,
        stdin_terminal: terminal,
        stdout_width: terminal.then_some(80),
    };
    let environment: Environment = variables.iter().copied().collect();
    let arguments = std::iter::once("mq")
        .chain(arguments.iter().copied())
        .map(OsString::from);
    let exit = mq_cli::run(arguments, registry.to_vec(), streams, environment);
    Ran {
        code: exit.code().into(),
        stdout: stdout.text(),
        stderr: stderr.text(),
    }
}
