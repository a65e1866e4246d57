//! Amazon SQS, Azure Service Bus and Google Pub/Sub on loopback, in one process, over one engine.
//!
//! The front-ends translate a wire protocol to engine commands and back. Each takes a bound
//! listener and a shutdown token. What a service has and the emulator has not yet is answered
//! with that service's own typed error, never with a silent success.

mod guard;
mod pubsub;
mod quirks;
mod server;
mod servicebus;
mod shared;
mod sqs;

pub use quirks::{QUIRKS, QuirkError, QuirkInfo, Quirks};
pub use server::{Addresses, Config, Emulator, Ports, StartError};
