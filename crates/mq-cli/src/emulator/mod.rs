//! The emulator's life outside one command: in the background, and in a child's environment.
//!
//! A running emulator holds a lock as long as it lives and writes where it listens to a discovery
//! file beside it. Who finds the lock free knows that the file is left over, whatever the system
//! has done with the old process's number meanwhile.

mod background;
mod clock;
mod console;
mod discovery;
mod host;

pub(crate) use background::{Found, find, start, stop};
pub use clock::EmulatorClock;
pub(crate) use console::{Answer, post};
pub(crate) use discovery::{Discovery, STATE_VARIABLE, StateFolder, private};
pub(crate) use host::{Ended, Host, HostOptions, config, not_started};
