//! A fourth cloud is one crate, one registry line and one Cargo line: here a backend in this
//! file, registered by one entry, and every command knows it. The portability suite proves it
//! without even that.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something cannot be set up"
)]

use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mq_cli::{Environment, Exit, Streams};
use mq_core::backend::{SettingInfo, SettingKind};
use mq_core::capability::{DeadLetterModel, LabelModel, Limit, NameRule, OrderingModel, fact};
use mq_core::queue::{Marker, Owner};
use mq_core::resource::{Counts, Endpoint, Lifecycle, OwnedResource, Part, Present, Role};
use mq_core::{
    Access, Action, BackendFactory, BackendInfo, Capability, Change, ControlPlane, Error,
    ErrorKind, Lowered, NativeAttribute, Observed, QueueBackend, ResolvedQueue, Resource,
    ResourceId, Result, Scope, Target, Value,
};
use mq_suite::report::Outcome;
use mq_suite::{Options, Selection, Silent, Subject, Surroundings, cases, run};

const PAGE: &str = "https://nimbus.example/queues";

static INFO: BackendInfo = BackendInfo {
    id: "nimbus",
    service: "Nimbus Queues",
    settings: &[SettingInfo {
        name: "zone",
        kind: SettingKind::Text,
        doc: "The zone.",
    }],
    native: &[],
    names: &["queue"],
    identity: None,
    request_price: fact(0, ""),
};

/// The whole cloud: what is there, by name.
type Sky = Arc<Mutex<BTreeMap<ResourceId, Present>>>;

#[derive(Debug, Default)]
struct NimbusFactory(Sky);

#[derive(Debug)]
struct Nimbus(Sky);

impl BackendFactory for NimbusFactory {
    fn info(&self) -> &'static BackendInfo {
        &INFO
    }

    fn create(&self, _: &Target, _: &Access) -> Result<Arc<dyn QueueBackend>> {
        Ok(Arc::new(Nimbus(Arc::clone(&self.0))))
    }
}

const LEASE: Limit<Duration> = Limit {
    min: Duration::from_secs(1),
    max: Duration::from_secs(60),
    default: Duration::from_secs(10),
    source: PAGE,
};

impl QueueBackend for Nimbus {
    fn info(&self) -> &'static BackendInfo {
        &INFO
    }

    fn capability(&self, _: &Scope) -> Capability {
        Capability {
            visibility_timeout: Some(LEASE),
            retention: None,
            receive_wait: None,
            delivery_delay: None,
            max_message_size: None,
            max_message_size_fixed: fact(65_536, PAGE),
            max_deliveries: None,
            max_deliveries_exact: fact(false, PAGE),
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
                max: 40,
                alphabet: "a to z",
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
impl ControlPlane for Nimbus {
    async fn identify(&self) -> Result<Scope> {
        Ok(Scope {
            label: "cloud nine".to_owned(),
            ..Scope::default()
        })
    }

    fn lower(&self, queue: &ResolvedQueue, _: &Scope) -> Lowered {
        let mut verdicts = Vec::new();
        let mut attributes = Vec::new();
        if let Some(timeout) = &queue.attributes.visibility_timeout {
            verdicts.push(LEASE.judge("visibility_timeout", timeout));
            attributes.push(
                NativeAttribute::new("Lease", Value::Duration(timeout.value))
                    .holding("visibility_timeout")
                    .with_origin(timeout.origin),
            );
        }
        let id = ResourceId::new("nimbus.queue", &queue.base_name);
        let resource = if queue.managed {
            resource(id, &queue.logical, Lifecycle::Managed, Some(queue.marker()))
        } else {
            resource(id, &queue.logical, Lifecycle::External, None)
        };
        Lowered {
            queue: queue.logical.clone(),
            resources: vec![Resource {
                attributes,
                ..resource
            }],
            verdicts,
            problems: Vec::new(),
        }
    }

    async fn observe(&self, resources: &[&Resource]) -> Result<Vec<Observed>> {
        let sky = self.0.lock().unwrap();
        let seen = |resource: &&Resource| Observed {
            id: resource.id.clone(),
            present: sky.get(&resource.id).cloned(),
        };
        Ok(resources.iter().map(seen).collect())
    }

    async fn list_owned(&self, owner: Option<&Owner>) -> Result<Vec<OwnedResource>> {
        let sky = self.0.lock().unwrap();
        let owned = sky.iter().filter_map(|(id, present)| {
            let marker = present.marker.clone()?;
            let ours = owner.is_none_or(|owner| *owner == marker.owner);
            ours.then(|| OwnedResource {
                resource: resource(
                    id.clone(),
                    &marker.queue.clone(),
                    Lifecycle::Managed,
                    Some(marker),
                ),
                observed: Observed {
                    id: id.clone(),
                    present: Some(present.clone()),
                },
            })
        });
        Ok(owned.collect())
    }

    async fn counts(&self, _: &Observed) -> Result<Counts> {
        Ok(Counts {
            visible: Some(0),
            ..Counts::default()
        })
    }

    async fn apply(&self, change: &Change) -> Result<()> {
        let mut sky = self.0.lock().unwrap();
        if change.action == Action::Delete {
            sky.remove(&change.resource.id);
            return Ok(());
        }
        if change.action == Action::Create && sky.contains_key(&change.resource.id) {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                "the sky has one of that name",
            ));
        }
        let present = sky.entry(change.resource.id.clone()).or_default();
        present.marker.clone_from(&change.resource.marker);
        let written = change
            .attributes
            .iter()
            .map(|attribute| (attribute.name.clone(), attribute.to.clone()));
        present.attributes.extend(written);
        Ok(())
    }

    fn endpoints(&self, queue: &str, parts: &[(&Resource, &Observed)]) -> Vec<Endpoint> {
        let endpoint = |(resource, _): &(&Resource, &Observed)| Endpoint {
            queue: queue.to_owned(),
            role: Role::Queue,
            address: format!("nimbus://nine/{}", resource.id.name),
            details: BTreeMap::new(),
        };
        parts.iter().map(endpoint).collect()
    }
}

fn resource(id: ResourceId, queue: &str, lifecycle: Lifecycle, marker: Option<Marker>) -> Resource {
    Resource {
        id,
        queue: queue.to_owned(),
        part: Part::Queue,
        lifecycle,
        depends_on: Vec::new(),
        serial: None,
        attributes: Vec::new(),
        marker,
        holds_messages: true,
        remedy: None,
    }
}

/// What a stream was told.
#[derive(Debug, Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Said {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Runs `mq` with four clouds.
fn mq(fourth: &'static NimbusFactory, arguments: &[&str]) -> (Exit, String, String) {
    let mut registry = mq_cli::registry::backends();
    registry.push(fourth);
    let (stdout, stderr) = (Said::default(), Said::default());
    let streams = Streams {
        stdout: Box::new(stdout.clone()),
        stderr: Box::new(stderr.clone()),
        stdin: Box::new(Cursor::new(Vec::new())),
        stdout_terminal: false,
        stderr_terminal: false,
        stdin_terminal: false,
        stdout_width: None,
    };
    let arguments = std::iter::once("mq")
        .chain(arguments.iter().copied())
        .map(Into::into);
    let exit = mq_cli::run(arguments, registry, streams, Environment::default());
    (exit, stdout.text(), stderr.text())
}

#[test]
fn every_command_knows_a_fourth_cloud() {
    let fourth: &'static NimbusFactory = Box::leak(Box::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mq.yaml");
    let file = path.to_str().unwrap();
    std::fs::write(
        &path,
        "version: 1\nstack: four\nclouds: { nimbus: { zone: nine } }\nqueues: { jobs: { visibility_timeout: 45s } }\n",
    )
    .unwrap();

    let (exit, matrix, errors) = mq(fourth, &["check", "-f", file]);
    assert_eq!(exit, Exit::Done, "{errors}");
    let heading = matrix
        .lines()
        .find(|line| line.contains("attribute"))
        .unwrap();
    assert!(
        heading.contains("nimbus") && heading.contains("aws"),
        "{matrix}"
    );

    let (exit, endpoints, errors) = mq(fourth, &["provision", "-f", file, "--cloud", "nimbus"]);
    assert_eq!(exit, Exit::Done, "{errors}");
    assert_eq!(endpoints, "nimbus\tjobs\tqueue\tnimbus://nine/jobs\n");
    assert!(errors.contains("visibility_timeout = 45s"), "{errors}");

    let (exit, again, errors) = mq(fourth, &["provision", "-f", file, "--cloud", "nimbus"]);
    assert_eq!((exit, again), (Exit::Done, endpoints), "{errors}");

    let (exit, schema, _) = mq(fourth, &["schema"]);
    assert_eq!(exit, Exit::Done);
    assert!(
        schema.contains("\"zone\""),
        "the schema does not know the fourth cloud's settings"
    );

    let (exit, _, errors) = mq(
        fourth,
        &["destroy", "-f", file, "--cloud", "nimbus", "--yes"],
    );
    assert_eq!(exit, Exit::Done, "{errors}");
    assert!(fourth.0.lock().unwrap().is_empty());
}

#[test]
fn its_limits_and_settings_are_checked_like_the_others() {
    let fourth: &'static NimbusFactory = Box::leak(Box::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mq.yaml");
    let file = path.to_str().unwrap();
    std::fs::write(
        &path,
        "version: 1\nstack: four\nclouds: { nimbus: { zome: nine } }\nqueues: { jobs: { visibility_timeout: 5m } }\n",
    )
    .unwrap();
    let (exit, _, errors) = mq(fourth, &["check", "-f", file]);
    assert_eq!(exit, Exit::Usage);
    assert!(errors.contains("zone"), "no suggestion: {errors}");
    std::fs::write(
        &path,
        "version: 1\nstack: four\nqueues: { jobs: { visibility_timeout: 5m } }\n",
    )
    .unwrap();
    let (exit, _, errors) = mq(fourth, &["check", "-f", file, "--cloud", "nimbus"]);
    assert_eq!(exit, Exit::Usage);
    assert!(errors.contains("1s to 1m"), "{errors}");
}

/// What its author writes, as in the suite's own example; `docs/portability.md` shows it too.
async fn prove(factory: &'static dyn BackendFactory) -> Result<mq_suite::Report> {
    let target = Target::implied(factory.info().id);
    let subject = Subject::open(
        factory,
        &target,
        &Access::default(),
        Surroundings::default(),
    )
    .await?;
    let subjects = [subject];
    let cases = cases(&subjects, &Selection::default());
    Ok(run(&subjects, cases, &Options::default(), &Silent).await)
}

#[tokio::test]
async fn the_portability_suite_proves_it_without_a_registry() {
    let fourth: &'static NimbusFactory = Box::leak(Box::default());
    let report = prove(fourth).await.unwrap();
    assert!(report.passed(), "{}", mq_suite::report::markdown(&report));
    assert!(fourth.0.lock().unwrap().is_empty(), "something was left");
    let outcome = |id: &str| {
        let row = report.rows.iter().find(|row| row.behaviour == id);
        row.unwrap().cells[0].clone().unwrap().outcome
    };
    for id in [
        "control/created-as-stated",
        "control/create-spares-what-is-there",
        "control/update-in-place[visibility_timeout]",
        "control/unmanaged-is-never-written",
        "control/destroy-spares-others",
        "control/collected-when-expired",
    ] {
        assert_eq!(outcome(id), Outcome::Passed, "{id}");
    }
    // What it has nothing for is skipped, and said to be.
    let skipped = outcome("control/update-in-place[retention]");
    assert!(matches!(skipped, Outcome::Skipped { .. }), "{skipped:?}");
}
