//! The validated file: every layer still apart.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::queue::{
    Accept, Attributes, DeadLetter, DeadLetterTarget, DeduplicateBy, Deduplication, Names,
    Ordering, Origin, OriginHash, Owner, QueueRef, ResolvedQueue, Stated,
};

/// What one layer of the file says of one value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting<T> {
    /// Nothing: the layer below decides.
    #[default]
    Inherit,
    /// `null`: takes back what the layers below say.
    Unstated,
    /// This.
    Value(T),
}

impl<T: Clone> Setting<T> {
    /// This layer over the one below.
    #[must_use]
    pub fn over(&self, below: &Setting<T>) -> Setting<T> {
        match self {
            Setting::Inherit => below.clone(),
            said => said.clone(),
        }
    }

    fn stated(&self) -> Option<Stated<T>> {
        match self {
            Setting::Value(value) => Some(Stated::file(value.clone())),
            Setting::Inherit | Setting::Unstated => None,
        }
    }

    /// The stated value, or the create-default where nothing is said.
    fn or_create_default(&self, default: T) -> Option<Stated<T>> {
        match self {
            Setting::Value(value) => Some(Stated::file(value.clone())),
            Setting::Inherit => Some(Stated::create_default(default)),
            Setting::Unstated => None,
        }
    }
}

/// A map whose entries are settings, merged entry by entry.
pub type Layered<T> = BTreeMap<String, Setting<T>>;

/// The validated file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spec {
    /// What this file owns.
    pub stack: String,
    /// The repository it comes from.
    pub origin: Option<String>,
    /// Where commands go when no `--cloud` is given.
    pub cloud: Option<String>,
    /// The entries under `clouds`, by their key.
    pub targets: BTreeMap<String, Target>,
    /// The stages; `None` when the file has none and any `--stage` is taken.
    pub stages: Option<BTreeMap<String, Stage>>,
    /// Under every queue.
    pub defaults: QueuePatch,
    /// The queues, by their key.
    pub queues: BTreeMap<String, QueueSpec>,
}

/// One entry under `clouds`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Target {
    /// Its key, which `--cloud` names.
    pub name: String,
    /// The backend it goes to.
    pub backend: String,
    /// Its settings, checked against [`crate::backend::BackendInfo::settings`].
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// `verify: forbidden`: the portability suite never runs here.
    pub verify_forbidden: bool,
}

impl Target {
    /// An entry that the file does not have: the backend alone, all from the environment.
    #[must_use]
    pub fn implied(backend: &str) -> Self {
        Target {
            name: backend.to_owned(),
            backend: backend.to_owned(),
            ..Target::default()
        }
    }

    /// A setting's text, where it is stated and not null. Numbers come as their digits.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        match self.settings.get(key)? {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Null => None,
            other => Some(other.to_string()),
        }
    }
}

/// A stage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stage {
    /// How names are made, with `{name}` and `{stage}` in it.
    pub name: String,
    /// Settings merged over the `clouds` entries.
    pub clouds: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
    /// What this stage says of [`Target::verify_forbidden`], by target.
    pub verify_forbidden: BTreeMap<String, bool>,
    /// Values merged over the queues.
    pub queues: BTreeMap<String, QueuePatch>,
    /// Destroy and replace are refused for every queue.
    pub protect: bool,
    /// How long after its creation a resource of this stage may be collected.
    pub expires: Option<Duration>,
}

/// What one layer says of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueuePatch {
    /// How long one delivery is hidden.
    pub visibility_timeout: Setting<Duration>,
    /// How long a message waits.
    pub retention: Setting<Duration>,
    /// How long an empty receive waits.
    pub receive_wait: Setting<Duration>,
    /// How long a new message is held back.
    pub delivery_delay: Setting<Duration>,
    /// The largest message, in bytes.
    pub max_message_size: Setting<u64>,
    /// Whether messages of one key keep their order.
    pub ordering: Setting<Ordering>,
    /// Duplicate detection.
    pub deduplication: Setting<DeduplicationPatch>,
    /// Dead-lettering.
    pub dead_letter: Setting<DeadLetterPatch>,
    /// Encryption, by target or backend.
    pub encryption: Setting<EncryptionPatch>,
    /// Labels.
    pub labels: Layered<String>,
    /// Native attributes; only `overrides` have them.
    pub native: Layered<serde_json::Value>,
    /// Destroy and replace are refused.
    pub protect: Setting<bool>,
}

/// What one layer says of duplicate detection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeduplicationPatch {
    /// How long a duplicate is recognised.
    pub window: Setting<Duration>,
    /// What makes two messages duplicates.
    pub by: Setting<DeduplicateBy>,
}

/// What one layer says of dead-lettering.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeadLetterPatch {
    /// How often a message is handed out in all.
    pub max_deliveries: Setting<u32>,
    /// How long a dead letter waits.
    pub retention: Setting<Duration>,
    /// Which queue takes them.
    pub queue: Setting<DeadLetterQueue>,
}

/// `dead_letter.queue`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeadLetterQueue {
    /// A queue of this file, by its key.
    InFile(String),
    /// Resources in each service's words, by target or backend.
    External(BTreeMap<String, String>),
}

/// What one layer says of encryption.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EncryptionPatch {
    /// The key in each service's words, by target or backend.
    pub key: Layered<String>,
}

/// One queue of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueSpec {
    /// What the file says of it.
    pub patch: QueuePatch,
    /// Values for one target or backend.
    pub overrides: BTreeMap<String, QueuePatch>,
    /// Names for one target or backend.
    pub names: BTreeMap<String, Names>,
    /// `manage: false`.
    pub unmanaged: bool,
    /// What the file's author knows about.
    pub accept: Vec<Accept>,
}

/// `max_deliveries` where a `dead_letter` does not say: what all three services take.
const MAX_DELIVERIES_DEFAULT: u32 = 5;
/// `deduplication.window` where it does not say: the one that SQS has.
const DEDUPLICATION_WINDOW_DEFAULT: Duration = Duration::from_secs(300);
/// `visibility_timeout` on create.
pub const VISIBILITY_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// `retention` on create.
pub const RETENTION_DEFAULT: Duration = Duration::from_secs(4 * 86_400);
/// `receive_wait` on create.
pub const RECEIVE_WAIT_DEFAULT: Duration = Duration::from_secs(20);

impl QueuePatch {
    /// This layer over the one below, value by value and map by map.
    #[must_use]
    pub fn over(&self, below: &QueuePatch) -> QueuePatch {
        QueuePatch {
            visibility_timeout: self.visibility_timeout.over(&below.visibility_timeout),
            retention: self.retention.over(&below.retention),
            receive_wait: self.receive_wait.over(&below.receive_wait),
            delivery_delay: self.delivery_delay.over(&below.delivery_delay),
            max_message_size: self.max_message_size.over(&below.max_message_size),
            ordering: self.ordering.over(&below.ordering),
            deduplication: merge(&self.deduplication, &below.deduplication, |top, low| {
                DeduplicationPatch {
                    window: top.window.over(&low.window),
                    by: top.by.over(&low.by),
                }
            }),
            dead_letter: merge(&self.dead_letter, &below.dead_letter, |top, low| {
                DeadLetterPatch {
                    max_deliveries: top.max_deliveries.over(&low.max_deliveries),
                    retention: top.retention.over(&low.retention),
                    queue: top.queue.over(&low.queue),
                }
            }),
            encryption: merge(&self.encryption, &below.encryption, |top, low| {
                EncryptionPatch {
                    key: merge_maps(&top.key, &low.key),
                }
            }),
            labels: merge_maps(&self.labels, &below.labels),
            native: merge_maps(&self.native, &below.native),
            protect: self.protect.over(&below.protect),
        }
    }
}

fn merge<T: Clone>(top: &Setting<T>, below: &Setting<T>, both: impl Fn(&T, &T) -> T) -> Setting<T> {
    match (top, below) {
        (Setting::Value(top), Setting::Value(below)) => Setting::Value(both(top, below)),
        _ => top.over(below),
    }
}

fn merge_maps<T: Clone>(top: &Layered<T>, below: &Layered<T>) -> Layered<T> {
    let mut merged = below.clone();
    merged.extend(top.iter().map(|(key, value)| (key.clone(), value.clone())));
    merged
}

fn values<T: Clone>(map: &Layered<T>) -> BTreeMap<String, T> {
    map.iter()
        .filter_map(|(key, value)| match value {
            Setting::Value(value) => Some((key.clone(), value.clone())),
            Setting::Inherit | Setting::Unstated => None,
        })
        .collect()
}

/// What decides, beside the file, how its queues are resolved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// The stage, where one is chosen.
    pub stage: Option<String>,
    /// Now, in seconds since 1970: expiry is counted from here.
    pub now: u64,
}

impl Spec {
    /// Who owns what this file creates on this stage.
    #[must_use]
    pub fn owner(&self, stage: Option<&str>) -> Owner {
        Owner {
            stack: self.stack.clone(),
            stage: stage.map(str::to_owned),
            origin: self.origin.as_deref().map(OriginHash::of),
        }
    }

    /// The target of this name with the stage's settings over it: an entry of the file, or the
    /// backend of that name where the file has no entry for it.
    #[must_use]
    pub fn target(&self, name: &str, stage: Option<&str>) -> Target {
        let mut target = self
            .targets
            .get(name)
            .cloned()
            .unwrap_or_else(|| Target::implied(name));
        let stage = self.stage(stage);
        if let Some(settings) = stage.and_then(|stage| stage.clouds.get(name)) {
            target.settings.extend(settings.clone());
        }
        if let Some(&forbidden) = stage.and_then(|stage| stage.verify_forbidden.get(name)) {
            target.verify_forbidden = forbidden;
        }
        target
    }

    fn stage(&self, name: Option<&str>) -> Option<&Stage> {
        self.stages.as_ref()?.get(name?)
    }

    /// Every queue of the file as it shall be on this target, in order of key.
    #[must_use]
    pub fn resolve(&self, selection: &Selection, target: &Target) -> Vec<ResolvedQueue> {
        let mut queues: Vec<ResolvedQueue> = self
            .queues
            .iter()
            .map(|(logical, queue)| self.resolve_queue(selection, target, logical, queue))
            .collect();
        let shared: Vec<(String, QueueRef)> = queues
            .iter()
            .filter_map(
                |queue| match &queue.attributes.dead_letter.as_ref()?.value.target {
                    DeadLetterTarget::Shared(shared) => {
                        Some((shared.logical.clone(), queue.reference()))
                    }
                    DeadLetterTarget::Own | DeadLetterTarget::External(_) => None,
                },
            )
            .collect();
        for (logical, source) in shared {
            // In order of key, like the map they come from.
            if let Ok(index) = queues.binary_search_by(|queue| queue.logical.cmp(&logical)) {
                queues[index].dead_letter_for.push(source);
            }
        }
        queues
    }

    fn merged(
        &self,
        selection: &Selection,
        target: &Target,
        logical: &str,
        queue: &QueueSpec,
    ) -> QueuePatch {
        let stage = self.stage(selection.stage.as_deref());
        let mut patch = queue.patch.over(&self.defaults);
        if let Some(said) = stage.and_then(|stage| stage.queues.get(logical)) {
            patch = said.over(&patch);
        }
        // The backend's name speaks for all its targets; a target's own name is more particular.
        for key in cloud_keys(target) {
            if let Some(said) = queue.overrides.get(key) {
                patch = said.over(&patch);
            }
        }
        patch
    }

    fn base_name(&self, selection: &Selection, logical: &str) -> String {
        let stage = selection.stage.as_deref().unwrap_or_default();
        let template = match (self.stage(selection.stage.as_deref()), &selection.stage) {
            (Some(stage), _) => stage.name.as_str(),
            (None, Some(_)) => "{stage}-{name}",
            (None, None) => "{name}",
        };
        template
            .replace("{stage}", stage)
            .replace("{name}", logical)
    }

    fn names(&self, target: &Target, queue: &QueueSpec) -> Names {
        let mut names = Names::default();
        for said in cloud_keys(target).filter_map(|key| queue.names.get(key)) {
            names.queue = said.queue.clone().or(names.queue);
            names.dead_letter = said.dead_letter.clone().or(names.dead_letter);
            names.topic = said.topic.clone().or(names.topic);
            names.subscription = said.subscription.clone().or(names.subscription);
        }
        names
    }

    fn resolve_queue(
        &self,
        selection: &Selection,
        target: &Target,
        logical: &str,
        queue: &QueueSpec,
    ) -> ResolvedQueue {
        let patch = self.merged(selection, target, logical, queue);
        let stage = self.stage(selection.stage.as_deref());
        let protect = matches!(patch.protect, Setting::Value(true));
        ResolvedQueue {
            logical: logical.to_owned(),
            base_name: self.base_name(selection, logical),
            names: self.names(target, queue),
            owner: self.owner(selection.stage.as_deref()),
            expires_at: stage
                .and_then(|stage| stage.expires)
                .map(|after| selection.now + after.as_secs()),
            managed: !queue.unmanaged,
            protect: protect || stage.is_some_and(|stage| stage.protect),
            attributes: self.attributes(selection, target, &patch, !queue.unmanaged),
            accept: queue.accept.clone(),
            dead_letter_for: Vec::new(),
        }
    }

    fn attributes(
        &self,
        selection: &Selection,
        target: &Target,
        patch: &QueuePatch,
        managed: bool,
    ) -> Attributes {
        // What someone else manages has no create-defaults: only what the file states is compared.
        let default = |setting: &Setting<Duration>, value| {
            if managed {
                setting.or_create_default(value)
            } else {
                setting.stated()
            }
        };
        Attributes {
            visibility_timeout: default(&patch.visibility_timeout, VISIBILITY_TIMEOUT_DEFAULT),
            retention: default(&patch.retention, RETENTION_DEFAULT),
            receive_wait: default(&patch.receive_wait, RECEIVE_WAIT_DEFAULT),
            delivery_delay: patch.delivery_delay.stated(),
            max_message_size: patch.max_message_size.stated(),
            ordering: patch.ordering.stated().unwrap_or(Stated {
                value: Ordering::None,
                origin: Origin::CreateDefault,
            }),
            deduplication: patch.deduplication.stated().map(|stated| {
                Stated::file(Deduplication {
                    window: value_or(&stated.value.window, DEDUPLICATION_WINDOW_DEFAULT),
                    by: value_or(&stated.value.by, DeduplicateBy::Id),
                })
            }),
            dead_letter: patch
                .dead_letter
                .stated()
                .map(|stated| Stated::file(self.dead_letter(selection, target, &stated.value))),
            encryption: patch.encryption.stated().map(|stated| {
                let keys = values(&stated.value.key);
                Stated::file(
                    cloud_keys(target)
                        .filter_map(|key| keys.get(key))
                        .next_back()
                        .cloned(),
                )
            }),
            labels: values(&patch.labels),
            native: values(&patch.native),
        }
    }

    fn dead_letter(
        &self,
        selection: &Selection,
        target: &Target,
        patch: &DeadLetterPatch,
    ) -> DeadLetter {
        let queue = match &patch.queue {
            Setting::Inherit | Setting::Unstated => DeadLetterTarget::Own,
            Setting::Value(DeadLetterQueue::External(by_cloud)) => cloud_keys(target)
                .filter_map(|key| by_cloud.get(key))
                .next_back()
                .map_or(DeadLetterTarget::Own, |name| {
                    DeadLetterTarget::External(name.clone())
                }),
            Setting::Value(DeadLetterQueue::InFile(logical)) => {
                DeadLetterTarget::Shared(self.queue_ref(selection, target, logical))
            }
        };
        DeadLetter {
            max_deliveries: value_or(&patch.max_deliveries, MAX_DELIVERIES_DEFAULT),
            retention: match patch.retention {
                Setting::Value(retention) => Some(retention),
                Setting::Inherit | Setting::Unstated => None,
            },
            target: queue,
        }
    }

    fn queue_ref(&self, selection: &Selection, target: &Target, logical: &str) -> QueueRef {
        let queue = self.queues.get(logical).cloned().unwrap_or_default();
        let patch = self.merged(selection, target, logical, &queue);
        QueueRef {
            logical: logical.to_owned(),
            base_name: self.base_name(selection, logical),
            names: self.names(target, &queue),
            ordering: value_or(&patch.ordering, Ordering::None),
        }
    }
}

fn value_or<T: Clone>(setting: &Setting<T>, default: T) -> T {
    match setting {
        Setting::Value(value) => value.clone(),
        Setting::Inherit | Setting::Unstated => default,
    }
}

/// The keys that speak for a target, the more particular one last.
fn cloud_keys(target: &Target) -> impl DoubleEndedIterator<Item = &str> {
    let own = (target.name != target.backend).then_some(target.name.as_str());
    std::iter::once(target.backend.as_str()).chain(own)
}
