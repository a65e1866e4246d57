//! The backend over real sockets: against the emulator's administration API, and against servers
//! that misbehave below it.

mod common;
mod emulator;
mod transport;
