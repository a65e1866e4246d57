//! The command as its users meet it: arguments in, streams, files and an exit code out.
//!
//! `mq` runs as a process where the process matters, and in this one, over clouds made of memory,
//! where the cloud does.

mod capture;
mod clock;
mod documents;
mod emulator;
#[cfg(unix)]
mod exec;
mod fake;
#[cfg(unix)]
mod interrupts;
mod many_clouds;
mod offline;
mod outputs;
mod process;
mod provision;
mod removal;
mod saved_plan;
#[cfg(target_os = "linux")]
mod terminal;
mod verify;
