//! A cloud made of memory, which fails as it is told: the fourth backend of these tests, and as
//! much of one as `mq` needs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use mq_core::backend::{Access, BackendFactory, BackendInfo, ControlPlane, QueueBackend, Scope};
use mq_core::capability::{
    Capability, DeadLetterModel, LabelModel, Limit, NameRule, OrderingModel, fact,
};
use mq_core::plan::{Action, Change};
use mq_core::queue::{Owner, ResolvedQueue};
use mq_core::resource::{
    Counts, Endpoint, Lifecycle, Lowered, NativeAttribute, Observed, OwnedResource, Part, Present,
    Resource, ResourceId, Role,
};
use mq_core::spec::Target;
use mq_core::verdict::{Hold, Verdict};
use mq_core::{Error, ErrorKind, Result, Value};
use tempfile::TempDir;

use crate::capture::{Audience, run};
use crate::process::Ran;

const PAGE: &str = "https://fake.example/limits";

/// What a fake cloud holds, and how it fails.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) resources: BTreeMap<ResourceId, (Resource, Present)>,
    /// The number of messages in every resource.
    pub(crate) messages: u64,
    /// `identify` fails with this.
    pub(crate) unreachable: Option<ErrorKind>,
    /// Making this resource fails with this.
    pub(crate) failing: Option<(String, ErrorKind)>,
    /// So many writes more fail.
    pub(crate) hiccups: u32,
    /// Nothing can be removed.
    pub(crate) keeps_everything: bool,
    /// How long a write takes.
    pub(crate) write_takes: Duration,
    /// Writes are answered well, and another value is kept.
    pub(crate) ignores_writes: bool,
    /// The calls that changed something.
    pub(crate) writes: Vec<String>,
}

/// One kind of fake cloud, with one state for all its targets.
#[derive(Debug)]
pub(crate) struct FakeCloud {
    info: &'static BackendInfo,
    state: Arc<Mutex<State>>,
}

impl FakeCloud {
    /// A cloud of this name that lives as long as the tests do.
    pub(crate) fn new(id: &'static str) -> &'static FakeCloud {
        let info = Box::leak(Box::new(BackendInfo {
            id,
            service: "Fake Queues",
            settings: &[],
            native: &[],
            names: &["queue", "dead_letter"],
            identity: None,
            request_price: fact(0, ""),
        }));
        Box::leak(Box::new(FakeCloud {
            info,
            state: Arc::default(),
        }))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic under the lock")
    }
}

impl BackendFactory for FakeCloud {
    fn info(&self) -> &'static BackendInfo {
        self.info
    }

    fn create(&self, _: &Target, _: &Access) -> Result<Arc<dyn QueueBackend>> {
        Ok(Arc::new(Fake {
            info: self.info,
            state: Arc::clone(&self.state),
        }))
    }
}

#[derive(Debug)]
struct Fake {
    info: &'static BackendInfo,
    state: Arc<Mutex<State>>,
}

impl Fake {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic under the lock")
    }
}

impl QueueBackend for Fake {
    fn info(&self) -> &'static BackendInfo {
        self.info
    }

    fn capability(&self, _: &Scope) -> Capability {
        let day = Duration::from_secs(86_400);
        let limit = |max| Limit {
            min: Duration::ZERO,
            max,
            default: Duration::ZERO,
            source: PAGE,
        };
        Capability {
            visibility_timeout: Some(limit(Duration::from_secs(600))),
            retention: Some(limit(day * 14)),
            receive_wait: None,
            delivery_delay: None,
            max_message_size: None,
            max_message_size_fixed: fact(262_144, PAGE),
            max_deliveries: None,
            max_deliveries_exact: fact(true, PAGE),
            ordering: fact(OrderingModel::None, PAGE),
            deduplication_window: None,
            deduplication_by_content: fact(false, PAGE),
            dead_letter: fact(DeadLetterModel::Queue, PAGE),
            dead_letter_retention: None,
            encryption_key: fact(false, PAGE),
            labels: fact(LabelModel::Tags, PAGE),
            counts: fact(true, PAGE),
            name: NameRule {
                min: 1,
                max: 80,
                alphabet: "letters",
                case_sensitive: true,
                source: PAGE,
            },
        }
    }

    fn offline_scopes(&self) -> Vec<Scope> {
        vec![Scope::default()]
    }

    fn control(&self) -> &dyn ControlPlane {
        self
    }
}

#[async_trait]
impl ControlPlane for Fake {
    async fn identify(&self) -> Result<Scope> {
        match self.state().unreachable {
            Some(kind) => {
                Err(Error::new(kind, "the fake cloud says no").with_hint("ask it nicely"))
            }
            None => Ok(Scope {
                label: format!("{}-scope", self.info.id),
                facts: BTreeMap::new(),
            }),
        }
    }

    fn lower(&self, queue: &ResolvedQueue, _: &Scope) -> Lowered {
        let wanted = &queue.attributes;
        let mut lowered = Lowered {
            queue: queue.logical.clone(),
            ..Lowered::default()
        };
        let mut attributes = Vec::new();
        if let Some(lease) = &wanted.visibility_timeout {
            let attribute = NativeAttribute::new("Lease", Value::Duration(lease.value));
            attributes.push(
                attribute
                    .holding("visibility_timeout")
                    .with_origin(lease.origin),
            );
            let limit = self
                .capability(&Scope::default())
                .visibility_timeout
                .expect("has one");
            lowered
                .verdicts
                .push(limit.judge("visibility_timeout", lease));
        }
        if let Some(delay) = &wanted.delivery_delay {
            let how = Hold::ClientSide {
                how: "stamped on each message".into(),
            };
            let value = mq_core::units::duration(delay.value);
            lowered
                .verdicts
                .push(Verdict::new("delivery_delay", value, delay.origin, how));
        }
        let name = queue
            .names
            .queue
            .clone()
            .unwrap_or_else(|| queue.base_name.clone());
        let id = ResourceId::new("fake.queue", name);
        let mut depends_on = Vec::new();
        if wanted.dead_letter.is_some() {
            let dead = ResourceId::new("fake.queue", format!("{}-dlq", id.name));
            depends_on.push(dead.clone());
            lowered.resources.push(resource(
                queue,
                dead,
                Part::DeadLetter,
                Vec::new(),
                Vec::new(),
            ));
        }
        lowered
            .resources
            .push(resource(queue, id, Part::Queue, depends_on, attributes));
        lowered
    }

    async fn observe(&self, resources: &[&Resource]) -> Result<Vec<Observed>> {
        let state = self.state();
        let observed = |wanted: &&Resource| Observed {
            id: wanted.id.clone(),
            present: state
                .resources
                .get(&wanted.id)
                .map(|(_, present)| present.clone()),
        };
        Ok(resources.iter().map(observed).collect())
    }

    async fn list_owned(&self, owner: Option<&Owner>) -> Result<Vec<OwnedResource>> {
        let state = self.state();
        let owned = state.resources.values().filter(|(_, present)| {
            present
                .marker
                .as_ref()
                .is_some_and(|marker| owner.is_none_or(|owner| marker.owner == *owner))
        });
        Ok(owned
            .map(|(resource, present)| OwnedResource {
                resource: resource.clone(),
                observed: Observed {
                    id: resource.id.clone(),
                    present: Some(present.clone()),
                },
            })
            .collect())
    }

    async fn counts(&self, _: &Observed) -> Result<Counts> {
        Ok(Counts {
            visible: Some(self.state().messages),
            ..Counts::default()
        })
    }

    async fn apply(&self, change: &Change) -> Result<()> {
        let takes = self.state().write_takes;
        tokio::time::sleep(takes).await;
        let mut state = self.state();
        let id = &change.resource.id;
        let refused = |kind, why| Err(Error::new(kind, why).with_operation("MakeQueue"));
        if state.hiccups > 0 {
            state.hiccups -= 1;
            return refused(ErrorKind::Unexpected, "the fake cloud has a hiccup");
        }
        if state.keeps_everything && change.action == Action::Delete {
            return refused(
                ErrorKind::PermissionDenied,
                "the fake cloud keeps what it has",
            );
        }
        if let Some((_, kind)) = state.failing.as_ref().filter(|(name, _)| *name == id.name) {
            return refused(*kind, "the fake cloud fails");
        }
        state
            .writes
            .push(format!("{:?} {}", change.action, id.name));
        if change.action == Action::Delete {
            state.resources.remove(id);
            return Ok(());
        }
        let mut present = change.observed.present.clone().unwrap_or_default();
        present.marker = change.resource.marker.clone();
        if !state.ignores_writes {
            let written = change
                .attributes
                .iter()
                .map(|attribute| (attribute.name.clone(), attribute.to.clone()));
            present.attributes.extend(written);
        } else {
            present
                .attributes
                .insert("Lease".into(), Value::Duration(Duration::from_secs(1)));
        }
        state
            .resources
            .insert(id.clone(), (change.resource.clone(), present));
        Ok(())
    }

    fn endpoints(&self, queue: &str, parts: &[(&Resource, &Observed)]) -> Vec<Endpoint> {
        let endpoint = |(resource, _): &(&Resource, &Observed)| Endpoint {
            queue: queue.to_owned(),
            role: if resource.part == Part::DeadLetter {
                Role::DeadLetter
            } else {
                Role::Queue
            },
            address: format!("fake://{}/{}", self.info.id, resource.id.name),
            details: BTreeMap::from([("name".to_owned(), resource.id.name.clone())]),
        };
        parts.iter().map(endpoint).collect()
    }
}

fn resource(
    queue: &ResolvedQueue,
    id: ResourceId,
    part: Part,
    depends_on: Vec<ResourceId>,
    attributes: Vec<NativeAttribute>,
) -> Resource {
    Resource {
        id,
        queue: queue.logical.clone(),
        part,
        lifecycle: if queue.managed {
            Lifecycle::Managed
        } else {
            Lifecycle::External
        },
        depends_on,
        serial: None,
        attributes,
        marker: queue.managed.then(|| queue.marker()),
        holds_messages: true,
        remedy: None,
    }
}

/// A file and the fake clouds that it goes to.
pub(crate) struct World {
    folder: TempDir,
    clouds: Vec<&'static FakeCloud>,
}

impl World {
    /// A file with these queues, as YAML under `queues:`, for these clouds.
    pub(crate) fn new(clouds: &[&'static str], queues: &str) -> World {
        let world = World {
            folder: tempfile::tempdir().expect("a folder"),
            clouds: clouds.iter().map(|id| FakeCloud::new(id)).collect(),
        };
        world.write(queues);
        world
    }

    /// The file again, with other queues.
    pub(crate) fn write(&self, queues: &str) {
        let text = format!("version: 1\nstack: demo\nqueues:\n{queues}\n");
        std::fs::write(self.path("mq.yaml"), text).expect("written");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn cloud(&self, index: usize) -> MutexGuard<'static, State> {
        self.clouds[index].state()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_as(arguments, &[], Audience::Program)
    }

    pub(crate) fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        self.run_as(arguments, variables, Audience::Program)
    }

    /// A command on this world's file.
    pub(crate) fn run_as(
        &self,
        arguments: &[&str],
        variables: &[(&str, &str)],
        audience: Audience,
    ) -> Ran {
        let file = self.path("mq.yaml");
        let mut all = arguments.to_vec();
        all.extend(["--file", file.to_str().expect("Unicode")]);
        let registry: Vec<&'static dyn BackendFactory> = self
            .clouds
            .iter()
            .map(|cloud| *cloud as &'static dyn BackendFactory)
            .collect();
        let mut ran = run(&registry, &all, variables, audience);
        let folder = self.folder.path().to_str().expect("Unicode");
        ran.stdout = ran.stdout.replace(folder, "[DIR]");
        ran.stderr = ran.stderr.replace(folder, "[DIR]");
        ran
    }
}
