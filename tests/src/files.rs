//! Files given as text, on the registry's backends.

use mq_core::spec::{Selection, Spec};
use mq_core::{ResolvedQueue, Target};

/// The spec of a file that must be valid.
#[must_use]
pub fn load(yaml: &str) -> Spec {
    let infos: Vec<_> = mq_cli::registry::backends()
        .into_iter()
        .map(|factory| factory.info())
        .collect();
    let loaded = mq_config::load(yaml, &|_| None, &infos);
    loaded
        .spec
        .unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

/// The queues of a file on a backend, without a stage.
#[must_use]
pub fn queues(yaml: &str, backend: &str) -> Vec<ResolvedQueue> {
    load(yaml).resolve(
        &Selection {
            stage: None,
            now: 1_800_000_000,
        },
        &Target::implied(backend),
    )
}

/// The queues of a file with this under `queues`.
#[must_use]
pub fn with(queues_yaml: &str, backend: &str) -> Vec<ResolvedQueue> {
    queues(
        &format!("version: 1\nstack: pains\nqueues:\n{queues_yaml}\n"),
        backend,
    )
}
