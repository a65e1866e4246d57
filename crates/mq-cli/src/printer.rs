//! The only place that writes to stdout and stderr.
//!
//! stdout carries the result and nothing else; all else is on stderr. A reader that went away is
//! no failure.

use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anstream::AutoStream;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mq_core::Severity;

use crate::args::GlobalArgs;
use crate::environment::Environment;
use crate::failure::{Failure, Findings};
use crate::palette::Palette;
use crate::render::text::{block, line};

/// What a run reads from and writes to.
pub struct Streams {
    /// The result.
    pub stdout: Box<dyn Write + Send>,
    /// Everything else.
    pub stderr: Box<dyn Write + Send>,
    /// Answers to questions.
    pub stdin: Box<dyn BufRead + Send>,
    /// Whether a person sees stdout.
    pub stdout_terminal: bool,
    /// Whether a person sees stderr.
    pub stderr_terminal: bool,
    /// Whether a person answers on stdin.
    pub stdin_terminal: bool,
    /// How many characters fit on a line of stdout, where a person sees it.
    pub stdout_width: Option<usize>,
}

impl Streams {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Streams {
            // Colour is decided here; on an old Windows console it is translated.
            stdout: Box::new(AutoStream::always(io::stdout())),
            stderr: Box::new(AutoStream::always(io::stderr())),
            stdin: Box::new(io::BufReader::new(io::stdin())),
            stdout_terminal: io::stdout().is_terminal(),
            stderr_terminal: io::stderr().is_terminal(),
            stdin_terminal: io::stdin().is_terminal(),
            stdout_width: terminal_width(),
        }
    }
}

#[cfg(unix)]
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(size.ws_col.into()).filter(|width| *width > 0)
}

#[cfg(not(unix))]
fn terminal_width() -> Option<usize> {
    None
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams")
            .field("stdout_terminal", &self.stdout_terminal)
            .field("stderr_terminal", &self.stderr_terminal)
            .field("stdin_terminal", &self.stdin_terminal)
            .finish_non_exhaustive()
    }
}

struct Out {
    to: Box<dyn Write + Send>,
    /// The reader went away: nothing more is written, and that is no failure.
    closed: bool,
    failed: Option<io::Error>,
}

impl Out {
    fn write(&mut self, text: &str) {
        if self.closed || self.failed.is_some() {
            return;
        }
        let written = self
            .to
            .write_all(text.as_bytes())
            .and_then(|()| self.to.flush());
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.closed = true,
            Err(error) => self.failed = Some(error),
        }
    }
}

/// Writes to both streams. Cheap to clone; clones write to the same streams.
#[derive(Clone)]
pub(crate) struct Printer(Arc<Shared>);

struct Shared {
    stdout: Mutex<Out>,
    stderr: Mutex<Out>,
    stdin: Mutex<Box<dyn BufRead + Send>>,
    result_palette: Palette,
    palette: Palette,
    quiet: bool,
    verbose: bool,
    interactive: bool,
    stdin_terminal: bool,
    result_width: Option<usize>,
    bars: Option<MultiProgress>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Printer {
    pub(crate) fn new(streams: Streams, global: &GlobalArgs, environment: &Environment) -> Self {
        let attended = environment.get("CI").is_none();
        let animated = streams.stderr_terminal
            && attended
            && !global.quiet
            && global.verbose == 0
            && environment.get("TERM") != Some("dumb");
        Printer(Arc::new(Shared {
            result_palette: Palette::of(global.color, streams.stdout_terminal, environment),
            palette: Palette::of(global.color, streams.stderr_terminal, environment),
            quiet: global.quiet,
            verbose: global.verbose > 0,
            interactive: streams.stdin_terminal
                && streams.stderr_terminal
                && attended
                && !global.no_input,
            stdin_terminal: streams.stdin_terminal,
            result_width: streams
                .stdout_width
                .or_else(|| environment.get("COLUMNS")?.parse().ok()),
            bars: animated.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr())),
            stdout: Mutex::new(Out {
                to: streams.stdout,
                closed: false,
                failed: None,
            }),
            stderr: Mutex::new(Out {
                to: streams.stderr,
                closed: false,
                failed: None,
            }),
            stdin: Mutex::new(streams.stdin),
        }))
    }

    /// The styles of stdout.
    pub(crate) fn result_palette(&self) -> Palette {
        self.0.result_palette
    }

    /// The styles of stderr.
    pub(crate) fn palette(&self) -> Palette {
        self.0.palette
    }

    /// How many characters fit on a line of stdout, where that is known.
    pub(crate) fn result_width(&self) -> Option<usize> {
        self.0.result_width
    }

    /// Whether `--quiet` was asked for.
    pub(crate) fn quiet(&self) -> bool {
        self.0.quiet
    }

    /// Whether a question would be answered.
    pub(crate) fn interactive(&self) -> bool {
        self.0.interactive
    }

    /// Whether a person's keys reach stdin, and so every process in the foreground.
    pub(crate) fn stdin_is_terminal(&self) -> bool {
        self.0.stdin_terminal
    }

    /// The result, on stdout, as it is.
    pub(crate) fn result(&self, text: &str) {
        self.write(&self.0.stdout, text);
    }

    /// A document, on stdout.
    pub(crate) fn document(&self, document: &impl serde::Serialize) {
        match serde_json::to_string_pretty(document) {
            Ok(text) => self.result(&format!("{text}\n")),
            Err(error) => self.error(
                &format!("failed to write the document: {error}"),
                None,
                None,
            ),
        }
    }

    /// A text on stderr, as it is, unless `--quiet`.
    pub(crate) fn say(&self, text: &str) {
        if !self.0.quiet {
            self.write(&self.0.stderr, text);
        }
    }

    /// A line on stderr, unless `--quiet`.
    pub(crate) fn note(&self, text: impl Display) {
        self.say(&format!("{}\n", line(&text.to_string())));
    }

    /// A text on stderr that `--quiet` does not hide.
    pub(crate) fn insist(&self, text: &str) {
        self.write(&self.0.stderr, text);
    }

    /// A warning, with what helps.
    pub(crate) fn warning(&self, text: &str, hint: Option<&str>) {
        let style = self.0.palette.notice;
        let text = line(text);
        let hint = self.hint(hint);
        self.insist(&format!("{style}warning{style:#}: {text}\n{hint}"));
    }

    /// Warnings and errors about a file; what the file says that it knows only with `-v`.
    pub(crate) fn findings(&self, findings: &Findings) {
        let least = if self.0.verbose {
            Severity::Note
        } else {
            Severity::Warning
        };
        self.insist(&findings.rendered(least, self.0.palette.is_coloured()));
    }

    /// What went wrong.
    pub(crate) fn failure(&self, failure: &Failure) {
        if let several @ [_, _, ..] = failure.clouds.as_slice() {
            let failures = several.iter().filter_map(|cloud| cloud.failure.as_ref());
            failures.for_each(|failure| self.failure(failure));
        }
        self.findings(&failure.findings);
        self.error(
            &failure.what,
            failure.why.as_deref(),
            failure.hint.as_deref(),
        );
    }

    fn error(&self, what: &str, why: Option<&str>, hint: Option<&str>) {
        let style = self.0.palette.bad;
        let what = line(what);
        let why = why.map_or_else(String::new, |why| {
            format!("  {}\n", block(why).trim_end().replace('\n', "\n  "))
        });
        let hint = self.hint(hint);
        self.insist(&format!("{style}error{style:#}: {what}\n{why}{hint}"));
    }

    fn hint(&self, hint: Option<&str>) -> String {
        let style = self.0.palette.hint;
        hint.map_or_else(String::new, |hint| {
            format!(
                "{style}hint{style:#}: {}\n",
                block(hint).trim_end().replace('\n', "\n      ")
            )
        })
    }

    /// A question that only `yes` answers with yes. Call it only where [`Printer::interactive`].
    pub(crate) fn confirm(&self, question: &str) -> io::Result<bool> {
        let style = self.0.palette.strong;
        self.insist(&format!(
            "{style}{}{style:#} Only `yes` goes on: ",
            line(question)
        ));
        let mut answer = String::new();
        lock(&self.0.stdin).read_line(&mut answer)?;
        Ok(answer.trim() == "yes")
    }

    /// A bar on the terminal, for work of this many steps; `None` where nobody sees it move.
    pub(crate) fn bar(&self, label: &str, steps: u64) -> Option<ProgressBar> {
        let bars = self.0.bars.as_ref()?;
        let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let bar = bars.add(ProgressBar::new(steps).with_style(style));
        bar.set_prefix(line(label).into_owned());
        Some(bar)
    }

    /// A writer of log lines to stderr.
    pub(crate) fn log_writer(&self) -> LogWriter {
        LogWriter(self.clone())
    }

    /// What kept the result from being written, if something did. Asked once, at the end.
    pub(crate) fn write_failure(&self) -> Option<io::Error> {
        lock(&self.0.stdout).failed.take()
    }

    fn write(&self, stream: &Mutex<Out>, text: &str) {
        let write = || lock(stream).write(text);
        match &self.0.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

impl std::fmt::Debug for Printer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Printer").finish_non_exhaustive()
    }
}

/// Log lines, between the bars.
pub(crate) struct LogWriter(Printer);

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.insist(&block(&String::from_utf8_lossy(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn printer(stdout: impl Write + Send + 'static) -> Printer {
        let streams = Streams {
            stdout: Box::new(stdout),
            stderr: Box::new(io::sink()),
            stdin: Box::new(io::empty()),
            stdout_terminal: false,
            stderr_terminal: false,
            stdin_terminal: false,
            stdout_width: None,
        };
        Printer::new(streams, &GlobalArgs::default(), &Environment::default())
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure_and_a_full_disk_is() {
        let gone = printer(Gone);
        gone.result("line\n");
        gone.result("line\n");
        assert!(gone.write_failure().is_none());

        let full = printer(Full);
        full.result("line\n");
        assert_eq!(
            full.write_failure().map(|error| error.kind()),
            Some(io::ErrorKind::StorageFull)
        );
    }
}
