//! A cloud in memory that keeps a record of everything done to it, misbehaves as it is told, and
//! notes whatever no correct run may do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use mq_core::backend::{BackendInfo, ControlPlane, QueueBackend, Scope};
use mq_core::capability::{Capability, DeadLetterModel, LabelModel, NameRule, OrderingModel, fact};
use mq_core::plan::{Action, Change};
use mq_core::queue::{Marker, Owner, ResolvedQueue};
use mq_core::resource::{
    Counts, Endpoint, Lifecycle, Lowered, Observed, OwnedResource, Part, Present, Resource,
    ResourceId, Role,
};
use mq_core::timing::{Clock, SkippingClock};
use mq_core::{Effect, Error, ErrorKind, Result, Retry, Value};
use tokio_util::sync::CancellationToken;

use crate::lowering::{self, GRANT, LINK, QUEUE};

/// What the toy holds in place of one resource.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) attributes: BTreeMap<String, Value>,
    pub(crate) marker: Option<Marker>,
    /// `None` where the toy does not tell.
    pub(crate) messages: Option<u64>,
    /// The number of the creation that made it: another number is another resource.
    pub(crate) generation: usize,
    /// What reads show in place of an attribute, and until when.
    stale: BTreeMap<String, (Option<Value>, Duration)>,
    /// Reads show nothing before this.
    shows_from: Duration,
}

impl Held {
    /// A resource that was made by hand.
    pub(crate) fn new(marker: Option<Marker>) -> Self {
        Held {
            attributes: BTreeMap::new(),
            marker,
            messages: Some(0),
            generation: 0,
            stale: BTreeMap::new(),
            shows_from: Duration::ZERO,
        }
    }

    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.attributes.insert(name.to_owned(), value);
        self
    }

    fn present(&self, id: &ResourceId, now: Duration) -> Option<Present> {
        if now < self.shows_from {
            return None;
        }
        let mut attributes = self.attributes.clone();
        for (name, (old, until)) in &self.stale {
            if now < *until {
                match old {
                    Some(old) => attributes.insert(name.clone(), old.clone()),
                    None => attributes.remove(name),
                };
            }
        }
        Some(Present {
            attributes,
            marker: self.marker.clone(),
            address: BTreeMap::from([("url".to_owned(), format!("toy://{}", id.name))]),
        })
    }
}

/// What happens to one call, by its number.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It fails with this, and has happened all the same where the effect is unknown.
    Fails(ErrorKind, Retry, Effect),
    /// The user interrupts while it is under way.
    Interrupts(CancellationToken),
}

/// How the toy misbehaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// Single calls.
    pub(crate) at: BTreeMap<usize, Fault>,
    /// From this call on nothing succeeds, as for a process that is killed; whether that call
    /// itself still happens.
    pub(crate) killed_at: Option<(usize, Effect)>,
    /// So many calls in a hundred fail, every other one of them after it has happened.
    pub(crate) flaky_percent: u64,
    /// Written, and kept as it was.
    pub(crate) swallows: BTreeSet<String>,
    /// Resources come without their marker.
    pub(crate) drops_markers: bool,
    /// How long an update stays unseen.
    pub(crate) lag: Duration,
    /// How long a new resource stays unseen.
    pub(crate) appears_after: Duration,
    /// Someone else makes this just before we do.
    pub(crate) races: BTreeMap<ResourceId, Held>,
    /// Every answer comes at once, so that a clock that skips cannot overtake it.
    pub(crate) prompt: bool,
    /// The credentials may not list.
    pub(crate) listing_denied: bool,
}

#[derive(Debug, Default)]
struct State {
    held: BTreeMap<ResourceId, Held>,
    faults: Faults,
    calls: Vec<String>,
    creations: usize,
    dice: u64,
    serials: BTreeSet<String>,
    under_way: usize,
    most_at_once: usize,
    violations: Vec<String>,
    /// What was removed while another resource sent its dead letters there, and has not been made
    /// anew since.
    removed_early: BTreeMap<ResourceId, String>,
}

/// The cloud.
#[derive(Debug)]
pub(crate) struct Toy {
    clock: Arc<SkippingClock>,
    state: Mutex<State>,
}

/// What is there, without what only the toy knows.
pub(crate) type Snapshot = BTreeMap<ResourceId, (BTreeMap<String, Value>, Option<Marker>)>;

impl Toy {
    pub(crate) fn new(clock: Arc<SkippingClock>) -> Self {
        Toy {
            clock,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic under the lock")
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// Other turns and other failures, the same ones for the same seed.
    pub(crate) fn seed(&self, seed: u64) {
        self.state().dice = seed;
    }

    pub(crate) fn put(&self, id: ResourceId, held: Held) {
        self.state().held.insert(id, held);
    }

    pub(crate) fn remove(&self, id: &ResourceId) {
        self.state().held.remove(id);
    }

    pub(crate) fn held(&self) -> BTreeMap<ResourceId, Held> {
        self.state().held.clone()
    }

    /// Everything back as it was, with an empty record.
    pub(crate) fn restore(&self, held: BTreeMap<ResourceId, Held>) {
        let mut state = self.state();
        let creations = state.creations;
        *state = State {
            held,
            creations,
            ..State::default()
        };
    }

    pub(crate) fn set_messages(&self, id: &ResourceId, messages: Option<u64>) {
        if let Some(held) = self.state().held.get_mut(id) {
            held.messages = messages;
        }
    }

    pub(crate) fn change(&self, id: &ResourceId, name: &str, value: Value) {
        let mut state = self.state();
        let held = state.held.get_mut(id).expect("it is there");
        held.attributes.insert(name.to_owned(), value);
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let held = self.held().into_iter();
        held.map(|(id, held)| (id, (held.attributes, held.marker)))
            .collect()
    }

    /// All calls so far, such as `create toy.queue "orders"`.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    /// The calls that write.
    pub(crate) fn writes(&self) -> Vec<String> {
        let reads = ["identify", "observe", "list", "count"];
        let is_read = |call: &String| reads.iter().any(|read| call.starts_with(read));
        let calls = self.calls().into_iter();
        calls.filter(|call| !is_read(call)).collect()
    }

    pub(crate) fn forget_calls(&self) {
        self.state().calls.clear();
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.state().most_at_once
    }

    /// Fails where something was done that no correct run does, cut short or not.
    pub(crate) fn assert_spared(&self) {
        let violations = &self.state().violations;
        assert!(violations.is_empty(), "{violations:#?}");
    }

    /// Fails where something was done that no correct run does, or was left half-done.
    pub(crate) fn assert_well_treated(&self) {
        self.assert_spared();
        let removed = &self.state().removed_early;
        assert!(removed.is_empty(), "{removed:#?}");
    }

    /// Notes a call and gives others a chance to run; the error with which it shall end, if any.
    async fn enter(&self, call: String) -> Option<Error> {
        let (fault, yields) = {
            let mut state = self.state();
            let number = state.calls.len();
            state.calls.push(call);
            let prompt = state.faults.prompt;
            let yields = state.roll(4);
            (state.fault(number), if prompt { 0 } else { yields })
        };
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        match fault? {
            Fault::Interrupts(token) => {
                token.cancel();
                None
            }
            Fault::Fails(kind, retry, effect) => Some(
                Error::new(kind, "the toy was told to fail")
                    .with_retry(retry)
                    .with_effect(effect),
            ),
        }
    }

    async fn read(&self, call: String) -> Result<()> {
        self.enter(call).await.map_or(Ok(()), Err)
    }
}

impl State {
    /// A number below `sides`, the same ones in each run.
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % sides
    }

    fn fault(&mut self, number: usize) -> Option<Fault> {
        if let Some((from, effect)) = self.faults.killed_at.filter(|(from, _)| number >= *from) {
            let effect = if number == from { effect } else { Effect::None };
            return Some(Fault::Fails(ErrorKind::Unexpected, Retry::Never, effect));
        }
        if self.roll(100) < self.faults.flaky_percent {
            let effect = [Effect::None, Effect::Unknown][usize::from(self.roll(2) == 1)];
            let retry = Retry::After(None);
            return Some(Fault::Fails(ErrorKind::Unavailable, retry, effect));
        }
        self.faults.at.get(&number).cloned()
    }

    fn make(&mut self, change: &Change, now: Duration) -> Result<()> {
        let id = &change.resource.id;
        match change.action {
            Action::Create => self.create(change, now),
            Action::Update | Action::Adopt => self.update(change, now),
            Action::Delete => {
                self.delete(id);
                Ok(())
            }
            Action::Replace | Action::NoOp => {
                let what = format!("{:?} of {id} came as a change", change.action);
                self.violations.push(what);
                Ok(())
            }
        }
    }

    fn create(&mut self, change: &Change, now: Duration) -> Result<()> {
        let id = &change.resource.id;
        if let Some(other) = self.faults.races.remove(id) {
            self.held.insert(id.clone(), other);
        }
        if self.held.contains_key(id) {
            return Err(Error::new(ErrorKind::AlreadyExists, "it is there already"));
        }
        for needed in &change.resource.depends_on {
            if !self.held.contains_key(needed) {
                let what = format!("{id} was made before {needed}, which it needs");
                self.violations.push(what);
            }
        }
        self.removed_early.remove(id);
        self.creations += 1;
        let mut held = Held {
            generation: self.creations,
            shows_from: now + self.faults.appears_after,
            ..Held::new(change.resource.marker.clone())
        };
        held.marker = held.marker.filter(|_| !self.faults.drops_markers);
        self.held.insert(id.clone(), held);
        self.write(change, None);
        Ok(())
    }

    fn update(&mut self, change: &Change, now: Duration) -> Result<()> {
        let id = &change.resource.id;
        let Some(held) = self.held.get_mut(id) else {
            return Err(Error::new(ErrorKind::NotFound, "it is not there"));
        };
        if change.action == Action::Adopt && !self.faults.drops_markers {
            held.marker.clone_from(&change.resource.marker);
        }
        let until = now + self.faults.lag;
        self.write(change, Some(until));
        Ok(())
    }

    fn write(&mut self, change: &Change, stale_until: Option<Duration>) {
        let Some(held) = self.held.get_mut(&change.resource.id) else {
            return;
        };
        for attribute in &change.attributes {
            let name = &attribute.name;
            if self.faults.swallows.contains(name) {
                continue;
            }
            let old = held.attributes.get(name).cloned();
            match (&attribute.to, &old) {
                (Value::Absent, _) => {
                    held.attributes.remove(name);
                }
                (Value::Map(new), Some(Value::Map(old))) => {
                    let mut merged = old.clone();
                    merged.extend(new.clone());
                    held.attributes.insert(name.clone(), Value::Map(merged));
                }
                (new, _) => {
                    held.attributes.insert(name.clone(), new.clone());
                }
            }
            if let Some(until) = stale_until {
                held.stale.insert(name.clone(), (old, until));
            }
        }
    }

    fn delete(&mut self, id: &ResourceId) {
        let name = Value::text(&id.name);
        let sender = self
            .held
            .iter()
            .find(|(other, held)| *other != id && held.attributes.get(LINK) == Some(&name));
        if let Some((sender, _)) = sender {
            let what = format!("{id} was removed while {sender} sends its dead letters there");
            self.removed_early.insert(id.clone(), what);
        }
        if id.kind == QUEUE {
            self.held
                .retain(|other, held| other.kind != GRANT || held.attributes["On"] != name);
        }
        self.held.remove(id);
    }
}

/// A change under way: leaves the record right even where it is dropped half-way.
struct UnderWay<'a>(&'a Toy, Option<String>);

impl<'a> UnderWay<'a> {
    fn begin(toy: &'a Toy, resource: &Resource) -> Self {
        let mut state = toy.state();
        let serial = resource.serial.clone();
        if let Some(serial) = &serial
            && !state.serials.insert(serial.clone())
        {
            state
                .violations
                .push(format!("two changes of `{serial}` at once"));
        }
        state.under_way += 1;
        state.most_at_once = state.most_at_once.max(state.under_way);
        drop(state);
        UnderWay(toy, serial)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.under_way -= 1;
        if let Some(serial) = &self.1 {
            state.serials.remove(serial);
        }
    }
}

const INFO: BackendInfo = BackendInfo {
    id: "toy",
    service: "Toy Queues",
    settings: &[],
    native: &[],
    names: &["queue", "dead_letter"],
    identity: None,
    request_price: fact(0, ""),
};

impl QueueBackend for Toy {
    fn info(&self) -> &'static BackendInfo {
        &INFO
    }

    fn capability(&self, _: &Scope) -> Capability {
        const PAGE: &str = "https://toy.example";
        Capability {
            visibility_timeout: None,
            retention: None,
            receive_wait: None,
            delivery_delay: None,
            max_message_size: None,
            max_message_size_fixed: fact(262_144, PAGE),
            max_deliveries: None,
            max_deliveries_exact: fact(true, PAGE),
            ordering: fact(OrderingModel::Fifo, PAGE),
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
impl ControlPlane for Toy {
    async fn identify(&self) -> Result<Scope> {
        self.read("identify".to_owned()).await?;
        Ok(Scope::default())
    }

    fn lower(&self, queue: &ResolvedQueue, _: &Scope) -> Lowered {
        lowering::lower(queue)
    }

    async fn observe(&self, resources: &[&Resource]) -> Result<Vec<Observed>> {
        self.read(format!("observe {}", resources.len())).await?;
        let now = self.clock.elapsed();
        let state = self.state();
        let observed = |wanted: &&Resource| Observed {
            id: wanted.id.clone(),
            present: state
                .held
                .get(&wanted.id)
                .and_then(|held| held.present(&wanted.id, now)),
        };
        Ok(resources.iter().map(observed).collect())
    }

    async fn list_owned(&self, owner: Option<&Owner>) -> Result<Vec<OwnedResource>> {
        self.read("list".to_owned()).await?;
        let now = self.clock.elapsed();
        let state = self.state();
        if state.faults.listing_denied {
            return Err(Error::new(
                ErrorKind::PermissionDenied,
                "the right to list is missing",
            ));
        }
        Ok(state
            .held
            .iter()
            .filter_map(|(id, held)| {
                let marker = held.marker.clone()?;
                if owner.is_some_and(|owner| marker.owner != *owner) {
                    return None;
                }
                let link = match held.attributes.get(LINK) {
                    Some(Value::Text(name)) => Some(ResourceId::new(QUEUE, name)),
                    _ => None,
                };
                let present = held.present(id, now)?;
                Some(OwnedResource {
                    resource: Resource {
                        id: id.clone(),
                        queue: marker.queue.clone(),
                        part: Part::Queue,
                        lifecycle: Lifecycle::Managed,
                        depends_on: link.into_iter().collect(),
                        serial: None,
                        attributes: Vec::new(),
                        marker: Some(marker),
                        holds_messages: true,
                        remedy: None,
                    },
                    observed: Observed {
                        id: id.clone(),
                        present: Some(present),
                    },
                })
            })
            .collect())
    }

    async fn counts(&self, observed: &Observed) -> Result<Counts> {
        self.read(format!("count {}", observed.id)).await?;
        let state = self.state();
        let messages = state
            .held
            .get(&observed.id)
            .map_or(Some(0), |held| held.messages);
        Ok(Counts {
            visible: messages,
            unknown_because: messages.is_none().then(|| "the toy does not tell".into()),
            ..Counts::default()
        })
    }

    async fn apply(&self, change: &Change) -> Result<()> {
        let verb = match change.action {
            Action::Create => "create",
            Action::Update => "update",
            Action::Adopt => "adopt",
            Action::Delete => "delete",
            Action::Replace => "replace",
            Action::NoOp => "leave",
        };
        let under_way = UnderWay::begin(self, &change.resource);
        let failure = self.enter(format!("{verb} {}", change.resource.id)).await;
        let now = self.clock.elapsed();
        let happens = failure
            .as_ref()
            .is_none_or(|error| error.effect() == Effect::Unknown);
        let made = if happens {
            self.state().make(change, now)
        } else {
            Ok(())
        };
        drop(under_way);
        match failure {
            Some(error) => Err(error),
            None => made,
        }
    }

    fn endpoints(&self, queue: &str, parts: &[(&Resource, &Observed)]) -> Vec<Endpoint> {
        let main = parts
            .iter()
            .filter(|(resource, _)| resource.part == Part::Queue);
        let endpoint = |(resource, _): &(&Resource, &Observed)| Endpoint {
            queue: queue.to_owned(),
            role: Role::Queue,
            address: format!("toy://{}", resource.id.name),
            details: BTreeMap::new(),
        };
        main.map(endpoint).collect()
    }
}
