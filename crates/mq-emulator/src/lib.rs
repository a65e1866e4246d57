//! Amazon SQS, Azure Service Bus and Google Pub/Sub on loopback, in one process, over one engine.
//!
//! The front-ends translate a wire protocol to engine commands and back. Each takes a bound
//! listener and a shutdown token. What a service has and the emulator has not yet is answered
//! with that service's own typed error, never with a silent success.
//!
//! A request's way: `listen` accepts and speaks HTTP, `guard` refuses foreign callers and
//! oversized bodies, `fault` disturbs what the quirks say, and the front-end in `sqs`, `pubsub`
//! or `servicebus` answers from the engine in `shared`, at the time of `clock`. `server` starts and
//! stops it all.

mod ca;
mod clock;
mod console;
mod environment;
mod fault;
mod guard;
mod ledger;
mod listen;
mod metrics;
mod probe;
mod pubsub;
mod quirks;
mod server;
mod servicebus;
mod shared;
mod sqs;
mod waiting;

pub use clock::{AdvanceError, ClockMode, EmulatorTime};
pub use ledger::{Fidelity, LedgerRow, Source, ledger};
pub use quirks::{QUIRKS, QuirkError, QuirkInfo, Quirks};
pub use server::{Addresses, Config, Emulator, PortError, Ports, StartError, Token};
