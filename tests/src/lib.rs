//! What the whole-product tests share: an emulator with everything of `mq` around it, a proxy
//! that counts and breaks calls, and random files.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something cannot be set up"
)]

pub mod binary;
pub mod court;
pub mod faulty;
pub mod files;
pub mod proxy;
pub mod raw;
pub mod specs;
pub mod suite;
pub mod world;
