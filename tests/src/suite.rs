//! The portability suite, pointed at an emulator.

use std::sync::Arc;

use mq_core::timing::SkippingClock;
use mq_core::{Access, BackendFactory, Target};
use mq_suite::{Subject, Surroundings};

use crate::world::{World, factory};

/// Waiting takes no time.
#[must_use]
pub fn hurried() -> Surroundings {
    Surroundings {
        clock: Arc::new(SkippingClock::default()),
        ..Surroundings::default()
    }
}

/// The real backend of this cloud against the emulator, through the proxy that counts its calls.
pub async fn subject(world: &World, backend: &str) -> Subject {
    subject_of(world, factory(backend)).await
}

/// Another backend of a cloud that the emulator has.
pub async fn subject_of(world: &World, factory: &'static dyn BackendFactory) -> Subject {
    let access = Access::emulator(world.variables().clone());
    let target = Target::implied(factory.info().id);
    let opened = Subject::open(factory, &target, &access, hurried()).await;
    opened.unwrap()
}
