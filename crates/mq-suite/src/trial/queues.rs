//! The queues of a proof, and where they are made.

use std::collections::BTreeMap;

use mq_core::spec::{DeadLetterPatch, QueuePatch, QueueSpec, Selection, Setting, Spec, Stage};
use mq_core::{Owner, ResolvedQueue, Target};

use super::Trial;

/// The key of the suite's own queue.
const SAMPLE: &str = "sample";

/// Where a proof makes its queues: a stage that nobody else uses.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) owner: Owner,
    /// In seconds since 1970: from then on `mq gc` removes what a killed run left.
    pub(crate) expires_at: u64,
}

impl Place {
    fn stage(&self) -> &str {
        self.owner.stage.as_deref().unwrap_or_default()
    }

    pub(crate) fn base_name(&self, logical: &str) -> String {
        format!("{}-{logical}", self.stage())
    }
}

impl Trial {
    /// The suite's own queue, which states what every cloud can hold, changed as told.
    pub fn sample(&self, change: impl FnOnce(&mut QueuePatch)) -> ResolvedQueue {
        self.named_sample(SAMPLE, change)
    }

    /// Another such queue, under this key.
    pub fn named_sample(
        &self,
        logical: &str,
        change: impl FnOnce(&mut QueuePatch),
    ) -> ResolvedQueue {
        let mut patch = sample_patch();
        change(&mut patch);
        let queue = QueueSpec {
            patch,
            ..QueueSpec::default()
        };
        let mut resolved = self.resolve(BTreeMap::from([(logical.to_owned(), queue)]));
        resolved.remove(0)
    }

    /// Queues that refer to each other, on this trial's stage.
    #[must_use]
    pub fn resolve(&self, queues: BTreeMap<String, QueueSpec>) -> Vec<ResolvedQueue> {
        let stage = self.place.stage().to_owned();
        let spec = Spec {
            stack: self.place.owner.stack.clone(),
            queues,
            stages: Some(BTreeMap::from([(
                stage.clone(),
                Stage {
                    name: "{stage}-{name}".to_owned(),
                    ..Stage::default()
                },
            )])),
            ..Spec::default()
        };
        let selection = Selection {
            stage: Some(stage),
            now: 0,
        };
        let target = Target::implied(&self.subject.target.backend);
        let mut resolved = spec.resolve(&selection, &target);
        for queue in &mut resolved {
            queue.owner = self.place.owner.clone();
            queue.expires_at = Some(self.place.expires_at);
        }
        resolved
    }
}

/// A queue that states what every cloud can hold.
fn sample_patch() -> QueuePatch {
    QueuePatch {
        dead_letter: Setting::Value(DeadLetterPatch {
            max_deliveries: Setting::Value(5),
            ..DeadLetterPatch::default()
        }),
        labels: BTreeMap::from([("team".to_owned(), Setting::Value("suite".to_owned()))]),
        ..QueuePatch::default()
    }
}
