//! What a cloud must do to be one of `mq`'s: the implementor's minimum.
//!
//! A backend translates. Retry, time limits, bounded concurrency, ordering, the decision what to
//! change and the reading back are written once, around it ([`crate::layers`], [`crate::plan`],
//! [`crate::provisioner`]).

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::capability::{Capability, Fact};
use crate::error::Result;
use crate::plan::Change;
use crate::queue::{Owner, ResolvedQueue};
use crate::resource::{Counts, Endpoint, Lowered, Observed, OwnedResource, Resource};
use crate::spec::Target;

/// The type of a setting, for validation, the JSON Schema and the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingKind {
    /// Any text.
    Text,
    /// Digits that must be quoted in YAML so that leading zeros survive; a bare number is taken.
    Digits,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Bool,
    /// A duration such as `30s`.
    Duration,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

/// One key of a `clouds` entry, or one native attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SettingInfo {
    /// The key.
    pub name: &'static str,
    /// What it takes.
    pub kind: SettingKind,
    /// What it means, with unit and default: one or two sentences.
    pub doc: &'static str,
}

/// What a backend says of itself before any instance of it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BackendInfo {
    /// The word on the command line: `aws`.
    pub id: &'static str,
    /// The service's name: `Amazon SQS`.
    pub service: &'static str,
    /// The keys of its entry under `clouds`.
    pub settings: &'static [SettingInfo],
    /// Native attributes that `overrides` may state, in the service's words.
    pub native: &'static [SettingInfo],
    /// Which of the `names` keys mean something here.
    pub names: &'static [&'static str],
    /// The setting that states whose account this is, where [`ControlPlane::identify`] compares it
    /// with the real one.
    pub identity: Option<&'static str>,
    /// The most that one request costs, in billionths of a US dollar, at list price and beyond
    /// what is free: for an estimate before a run on the service itself.
    pub request_price: Fact<u32>,
}

/// Where settings that are not in the file come from.
///
/// A backend reads the environment through this and nowhere else, except where its vendor's own
/// credential chain does. For the emulator the environment is exactly what
/// `mq emulator status --output env` prints, and [`Access::emulated`] is set: then credentials are
/// dummies and an endpoint that is not loopback is refused.
#[derive(Clone, Default)]
pub struct Access {
    variables: BTreeMap<String, String>,
    emulated: bool,
    insists_on_identity: bool,
}

impl Access {
    /// The vendor's own services, with these environment variables.
    pub fn vendor(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Access {
            variables: variables.into_iter().collect(),
            ..Access::default()
        }
    }

    /// An emulator, with the variables that it prints.
    pub fn emulator(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Access {
            variables: variables.into_iter().collect(),
            emulated: true,
            ..Access::default()
        }
    }

    /// The same, but an emulator's account too must be the one that the entry states: by itself an
    /// emulator stands in for whatever account a file names.
    #[must_use]
    pub fn insisting_on_identity(&self) -> Self {
        Access {
            insists_on_identity: true,
            ..self.clone()
        }
    }

    /// Whether what the entry states about the account counts.
    #[must_use]
    pub fn insists_on_identity(&self) -> bool {
        self.insists_on_identity || !self.emulated
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Whether an emulator stands in for the cloud.
    #[must_use]
    pub fn emulated(&self) -> bool {
        self.emulated
    }
}

impl Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Names only: values may be credentials.
        f.debug_struct("Access")
            .field("emulated", &self.emulated)
            .field("insists_on_identity", &self.insists_on_identity)
            .field("variables", &self.variables.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// Which account, project or namespace a target is, and the facts of it that decide how queues
/// are lowered (the tier of a Service Bus namespace, the number of a Google project).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Scope {
    /// For headings: `111122223333/eu-west-1`, `acme-prod (standard)`. Empty offline where nothing
    /// needs to be told apart.
    pub label: String,
    /// The backend's own facts, by names of its own.
    pub facts: BTreeMap<String, String>,
}

/// Makes backends of one kind. The registry of the command line is a list of these.
pub trait BackendFactory: Send + Sync + Debug {
    /// What it says of itself.
    fn info(&self) -> &'static BackendInfo;

    /// A backend for one entry under `clouds`.
    ///
    /// Makes no call and reads no file, and succeeds where a setting is missing that only calls
    /// need: `mq check` works on a machine without credentials. What is missing is an error of
    /// [`ControlPlane::identify`].
    ///
    /// # Errors
    /// `ConfigInvalid` for settings that contradict each other or the environment.
    fn create(&self, target: &Target, access: &Access) -> Result<Arc<dyn QueueBackend>>;
}

/// One target: one cloud, with one entry under `clouds`.
pub trait QueueBackend: Send + Sync + Debug + 'static {
    /// What this kind of backend says of itself.
    fn info(&self) -> &'static BackendInfo;

    /// What the service can do in this scope.
    fn capability(&self, scope: &Scope) -> Capability;

    /// The scopes that verdicts are given for when no call may be made: one, or one for each
    /// value of a fact that the file does not state.
    fn offline_scopes(&self) -> Vec<Scope>;

    /// Creating, reading, changing and removing queues.
    fn control(&self) -> &dyn ControlPlane;
}

/// Creating, reading, changing and removing queues.
///
/// No method retries: [`crate::layers::Layered`] does, by the [`crate::error::Retry`] of the
/// error. All methods may run concurrently, with themselves too, except that two changes with the
/// same [`Resource::serial`] never do.
#[async_trait]
pub trait ControlPlane: Send + Sync + Debug {
    /// Proves the credentials, compares a stated account, project or subscription with the real
    /// one, and reads the facts that lowering depends on. The first call of every command.
    ///
    /// # Errors
    /// `Unauthenticated`, `PermissionDenied`; `Refused` when the account is another than stated;
    /// `ConfigInvalid` when a setting is missing; `NotFound` when the namespace or project is.
    async fn identify(&self) -> Result<Scope>;

    /// The queue's native resources and one verdict for each attribute. Pure.
    fn lower(&self, queue: &ResolvedQueue, scope: &Scope) -> Lowered;

    /// What is there in place of each of these resources, in the same order, absent ones included.
    ///
    /// Lists pages where the service returns whole descriptions and that takes fewer calls.
    ///
    /// # Errors
    /// Of the first read that fails; a resource that is not there is no error.
    async fn observe(&self, resources: &[&Resource]) -> Result<Vec<Observed>>;

    /// Every resource that carries this owner's marker, with the dependencies that can be read
    /// from it; with `None` every resource that carries
    /// any marker of `mq`. Only prune, destroy and gc need it, and its permission.
    ///
    /// # Errors
    /// Of the first page that fails.
    async fn list_owned(&self, owner: Option<&Owner>) -> Result<Vec<OwnedResource>>;

    /// How many messages an existing resource holds.
    ///
    /// # Errors
    /// Of the read; a service that does not tell is no error.
    async fn counts(&self, observed: &Observed) -> Result<Counts>;

    /// Makes one change: create, update (also adopt), or delete.
    ///
    /// Updates keep whatever the change does not name. Deleting what is absent succeeds. Creating
    /// what is there is `AlreadyExists`: whether it is ours decides the caller. Whether the service
    /// did what it was told, its answer does not prove: the caller reads the resource.
    ///
    /// # Errors
    /// With an [`crate::error::Effect`] that says whether the change may have been made.
    async fn apply(&self, change: &Change) -> Result<()>;

    /// The endpoints of a queue whose resources were observed. Pure.
    fn endpoints(&self, queue: &str, parts: &[(&Resource, &Observed)]) -> Vec<Endpoint>;
}
