//! Real backends with one fault planted in each: what a portability suite must catch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mq_core::resource::{
    Authority, Counts, Endpoint, Lifecycle, Mutability, OwnedResource, Present,
};
use mq_core::{
    Access, Action, BackendFactory, BackendInfo, Capability, Change, ControlPlane, Error,
    ErrorKind, Lowered, Observed, Owner, QueueBackend, ResolvedQueue, Resource, ResourceId, Result,
    Scope, Target, Value,
};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Creating leaves this attribute out.
    SwallowsAttribute(&'static str),
    /// Lowering says nothing of this attribute to the service.
    LowersWithout(&'static str),
    /// A switch of this attribute is turned the wrong way.
    Inverts(&'static str),
    /// A change of this attribute is answered and not made.
    IgnoresUpdate(&'static str),
    /// Reading shows what is asked for, whatever is there.
    EchoesTheWish,
    /// Reading shows another value after a while.
    Wavers,
    /// Creating replaces what is there.
    CreateOverwrites,
    /// A part whose dependency is there already cannot be made.
    CannotComplete,
    /// An update takes away what it does not name.
    UpdateForgets,
    /// What is fixed at creation is taken for changeable.
    FixedTakenForChangeable,
    /// Creating leaves the marker out.
    MarkerDropped,
    /// The marker says nothing of its end.
    MarkerWithoutExpiry,
    /// Every marker is taken for ours.
    MarkerOfAnyoneIsOurs,
    /// What carries no marker is taken for ours.
    UnmarkedIsOurs,
    /// Adopting writes no marker.
    AdoptsWithoutMarker,
    /// Adopting takes away what the file does not state.
    AdoptForgets,
    /// What someone else manages is taken for ours to make.
    UnmanagedIsOurs,
    /// Resources are filed under the service's names, not under the file's.
    FiledUnderNativeName,
    /// The stated account is not compared.
    AnyAccountWillDo,
    /// A right is answered and not given.
    GrantMissing,
    /// A link that was taken out of the file is answered and not taken away.
    UnlinkIgnored,
    /// Removing a queue removes what its dead letters go to.
    DeleteCascades,
    /// Removing is answered and not done.
    DeleteAnswersEarly,
    /// Removing what is gone is an error.
    DeleteOfTheAbsentFails,
    /// Removing takes whatever has a name that begins alike.
    DeleteTakesNamesakes,
    /// A queue that is made again has the old one's values.
    RecreateRevives,
    /// What carries our marker is not found by it.
    ListsNothing,
    /// Everything that carries a marker is listed as expired.
    ListsAllAsExpired,
    /// A queue has no address.
    NoEndpoint,
}

impl Fault {
    /// Every fault; those of one attribute once for each that is named.
    #[must_use]
    pub fn all(attributes: &[&'static str]) -> Vec<Fault> {
        use Fault::*;
        let mut all = vec![
            EchoesTheWish,
            Wavers,
            CreateOverwrites,
            CannotComplete,
            UpdateForgets,
            FixedTakenForChangeable,
            MarkerDropped,
            MarkerWithoutExpiry,
            MarkerOfAnyoneIsOurs,
            UnmarkedIsOurs,
            AdoptsWithoutMarker,
            AdoptForgets,
            UnmanagedIsOurs,
            FiledUnderNativeName,
            AnyAccountWillDo,
            GrantMissing,
            UnlinkIgnored,
            DeleteCascades,
            DeleteAnswersEarly,
            DeleteOfTheAbsentFails,
            DeleteTakesNamesakes,
            RecreateRevives,
            ListsNothing,
            ListsAllAsExpired,
            NoEndpoint,
        ];
        for &attribute in attributes {
            // A queue is encrypted whether that is asked for or not, and has no other value.
            if attribute == "encryption" {
                all.push(Inverts(attribute));
                continue;
            }
            all.extend([SwallowsAttribute(attribute), LowersWithout(attribute)]);
            if attribute != "ordering" {
                all.push(IgnoresUpdate(attribute));
            }
        }
        all
    }

    /// Why a cloud cannot have this fault, where it cannot.
    #[must_use]
    pub fn spares(self, backend: &str) -> Option<&'static str> {
        match (self, backend) {
            (Fault::CannotComplete, "azure") => Some("its queue has a single part"),
            (Fault::FixedTakenForChangeable, "aws") => Some("nothing of its queues is fixed"),
            (Fault::AnyAccountWillDo, "azure" | "gcp") => Some("its address is its identity"),
            (Fault::GrantMissing, "aws" | "azure") => Some("dead letters need no grant there"),
            _ => None,
        }
    }

    /// The attribute that it is about, where it is about one.
    #[must_use]
    pub fn attribute(self) -> Option<&'static str> {
        match self {
            Fault::SwallowsAttribute(attribute)
            | Fault::LowersWithout(attribute)
            | Fault::Inverts(attribute)
            | Fault::IgnoresUpdate(attribute) => Some(attribute),
            _ => None,
        }
    }
}

/// A factory of backends with this fault.
#[derive(Debug)]
pub struct FaultyFactory {
    real: &'static dyn BackendFactory,
    fault: Fault,
}

impl FaultyFactory {
    /// Plants the fault; the factory lives as long as the test.
    #[must_use]
    pub fn plant(real: &'static dyn BackendFactory, fault: Fault) -> &'static FaultyFactory {
        Box::leak(Box::new(FaultyFactory { real, fault }))
    }
}

impl BackendFactory for FaultyFactory {
    fn info(&self) -> &'static BackendInfo {
        self.real.info()
    }

    fn create(&self, target: &Target, access: &Access) -> Result<Arc<dyn QueueBackend>> {
        let mut target = target.clone();
        if self.fault == Fault::AnyAccountWillDo
            && let Some(identity) = self.info().identity
        {
            target.settings.remove(identity);
        }
        Ok(Arc::new(Faulty {
            real: self.real.create(&target, access)?,
            fault: self.fault,
            memory: Mutex::default(),
        }))
    }
}

/// What some faults remember.
#[derive(Debug, Default)]
struct Memory {
    /// How often each resource was seen there.
    seen: BTreeMap<ResourceId, u32>,
    /// Settings that an update forgot.
    forgotten: BTreeMap<ResourceId, BTreeSet<String>>,
    /// What was removed.
    removed: BTreeMap<ResourceId, Present>,
}

#[derive(Debug)]
struct Faulty {
    real: Arc<dyn QueueBackend>,
    fault: Fault,
    memory: Mutex<Memory>,
}

impl QueueBackend for Faulty {
    fn info(&self) -> &'static BackendInfo {
        self.real.info()
    }

    fn capability(&self, scope: &Scope) -> Capability {
        self.real.capability(scope)
    }

    fn offline_scopes(&self) -> Vec<Scope> {
        self.real.offline_scopes()
    }

    fn control(&self) -> &dyn ControlPlane {
        self
    }
}

fn is_about(attribute: Option<&str>, whole: &str) -> bool {
    attribute.is_some_and(|attribute| mq_core::judge::covers(whole, attribute))
}

impl Faulty {
    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    /// A change with what the fault leaves out.
    fn spoilt(&self, change: &Change) -> Change {
        let mut change = change.clone();
        match (self.fault, change.action) {
            (Fault::SwallowsAttribute(attribute), Action::Create) => {
                change
                    .attributes
                    .retain(|it| !is_about(it.attribute.as_deref(), attribute));
                change
                    .resource
                    .attributes
                    .retain(|it| !is_about(it.attribute.as_deref(), attribute));
            }
            (Fault::IgnoresUpdate(attribute), Action::Update) => change
                .attributes
                .retain(|it| !is_about(it.attribute.as_deref(), attribute)),
            (Fault::UnlinkIgnored, Action::Update) => {
                let unlinks = |name: &str| {
                    let mut settings = change.resource.attributes.iter();
                    settings
                        .any(|it| it.name == name && matches!(it.authority, Authority::Unlink(_)))
                };
                let kept = change.attributes.iter().filter(|it| !unlinks(&it.name));
                change.attributes = kept.cloned().collect();
            }
            (Fault::MarkerDropped, Action::Create)
            | (Fault::AdoptsWithoutMarker, Action::Adopt) => {
                change.resource.marker = None;
            }
            (Fault::MarkerWithoutExpiry, _) => {
                if let Some(marker) = &mut change.resource.marker {
                    marker.expires_at = None;
                }
            }
            _ => {}
        }
        change
    }

    /// Remembers what an update will not show any more.
    fn forget_unnamed(&self, change: &Change) {
        let forgets = matches!(
            (self.fault, change.action),
            (Fault::UpdateForgets, Action::Update) | (Fault::AdoptForgets, Action::Adopt)
        );
        let Some(present) = change.observed.present.as_ref().filter(|_| forgets) else {
            return;
        };
        let is_named = |name: &&String| {
            let mut settings = change.resource.attributes.iter();
            let stated = settings.find(|it| it.name == **name);
            change.attributes.iter().any(|it| it.name == **name)
                || stated.is_some_and(|it| it.authority == Authority::File)
        };
        let unnamed = present.attributes.keys().filter(|name| !is_named(name));
        let mut memory = self.memory();
        let forgotten = memory.forgotten.entry(change.resource.id.clone());
        forgotten.or_default().extend(unnamed.cloned());
    }

    /// What reading shows of a resource that is there.
    fn shown(&self, resource: &Resource, mut present: Present) -> Present {
        let mut memory = self.memory();
        let times = memory.seen.entry(resource.id.clone()).or_default();
        *times += 1;
        match self.fault {
            Fault::EchoesTheWish => {
                let wishes = resource.attributes.iter();
                present
                    .attributes
                    .extend(wishes.map(|it| (it.name.clone(), it.value.clone())));
            }
            Fault::Wavers if *times > 1 => {
                for value in present.attributes.values_mut() {
                    if let Value::Duration(length) = value {
                        *length += Duration::from_secs(1);
                    }
                }
            }
            Fault::UpdateForgets | Fault::AdoptForgets => {
                if let Some(forgotten) = memory.forgotten.get(&resource.id) {
                    present
                        .attributes
                        .retain(|name, _| !forgotten.contains(name));
                }
            }
            Fault::MarkerOfAnyoneIsOurs if present.marker.is_some() => {
                present.marker.clone_from(&resource.marker);
            }
            Fault::UnmarkedIsOurs if present.marker.is_none() => {
                present.marker.clone_from(&resource.marker);
            }
            Fault::RecreateRevives => {
                if let Some(old) = memory.removed.get(&resource.id) {
                    present.attributes.clone_from(&old.attributes);
                }
            }
            _ => {}
        }
        present
    }

    async fn create(&self, change: &Change) -> Result<()> {
        let control = self.real.control();
        match self.fault {
            Fault::GrantMissing if change.resource.lifecycle == Lifecycle::Attached => {
                return Ok(());
            }
            Fault::CreateOverwrites => {
                let there = control.observe(&[&change.resource]).await?;
                for observed in there {
                    control
                        .apply(&removal(change, &change.resource, observed))
                        .await?;
                }
            }
            Fault::CannotComplete => {
                let memory = self.memory();
                let mut needed = change.resource.depends_on.iter();
                if needed.any(|id| memory.seen.contains_key(id)) {
                    return Err(Error::new(ErrorKind::Conflict, "it is half made"));
                }
            }
            _ => {}
        }
        control.apply(&self.spoilt(change)).await
    }

    async fn delete(&self, change: &Change) -> Result<()> {
        let control = self.real.control();
        let id = &change.resource.id;
        match self.fault {
            Fault::DeleteAnswersEarly => return Ok(()),
            Fault::DeleteOfTheAbsentFails => {
                let there = control.observe(&[&change.resource]).await?;
                if there.iter().all(|it| it.present.is_none()) {
                    return Err(Error::new(ErrorKind::NotFound, "there is no such queue"));
                }
            }
            Fault::DeleteTakesNamesakes => {
                for owned in control.list_owned(None).await? {
                    if owned.resource.id.kind == id.kind
                        && owned.resource.id.name.starts_with(&id.name)
                    {
                        let removal = removal(change, &owned.resource, owned.observed);
                        control.apply(&removal).await?;
                    }
                }
            }
            Fault::DeleteCascades => {
                let owned = control.list_owned(None).await?;
                let needed = owned.iter().find(|it| it.resource.id == *id);
                let needed = needed
                    .map(|it| it.resource.depends_on.clone())
                    .unwrap_or_default();
                control.apply(change).await?;
                for part in owned
                    .into_iter()
                    .filter(|it| needed.contains(&it.resource.id))
                {
                    let removal = removal(change, &part.resource, part.observed);
                    control.apply(&removal).await?;
                }
                return Ok(());
            }
            Fault::RecreateRevives => {
                if let Some(present) = &change.observed.present {
                    self.memory().removed.insert(id.clone(), present.clone());
                }
            }
            _ => {}
        }
        control.apply(change).await
    }
}

/// The removal of another resource.
fn removal(like: &Change, resource: &Resource, observed: Observed) -> Change {
    Change {
        action: Action::Delete,
        resource: resource.clone(),
        observed,
        ..like.clone()
    }
}

#[async_trait]
impl ControlPlane for Faulty {
    async fn identify(&self) -> Result<Scope> {
        self.real.control().identify().await
    }

    fn lower(&self, queue: &ResolvedQueue, scope: &Scope) -> Lowered {
        let mut lowered = self.real.control().lower(queue, scope);
        for resource in &mut lowered.resources {
            match self.fault {
                Fault::LowersWithout(attribute) => resource
                    .attributes
                    .retain(|it| !is_about(it.attribute.as_deref(), attribute)),
                Fault::Inverts(attribute) => {
                    let settings = resource.attributes.iter_mut();
                    for setting in
                        settings.filter(|it| is_about(it.attribute.as_deref(), attribute))
                    {
                        if let Value::Bool(on) = &mut setting.value {
                            *on = !*on;
                        }
                    }
                }
                Fault::FixedTakenForChangeable => {
                    for setting in &mut resource.attributes {
                        setting.mutability = Mutability::InPlace;
                    }
                }
                Fault::UnmanagedIsOurs if resource.lifecycle == Lifecycle::External => {
                    resource.lifecycle = Lifecycle::Managed;
                    resource.marker = Some(queue.marker());
                }
                Fault::FiledUnderNativeName => resource.queue.clone_from(&resource.id.name),
                _ => {}
            }
        }
        lowered
    }

    async fn observe(&self, resources: &[&Resource]) -> Result<Vec<Observed>> {
        let observed = self.real.control().observe(resources).await?;
        let shown = resources
            .iter()
            .zip(observed)
            .map(|(resource, observed)| Observed {
                present: observed
                    .present
                    .map(|present| self.shown(resource, present)),
                ..observed
            });
        Ok(shown.collect())
    }

    async fn list_owned(&self, owner: Option<&Owner>) -> Result<Vec<OwnedResource>> {
        let mut owned = self.real.control().list_owned(owner).await?;
        match self.fault {
            Fault::ListsNothing => owned.clear(),
            Fault::ListsAllAsExpired => {
                for part in owned
                    .iter_mut()
                    .filter_map(|it| it.observed.present.as_mut())
                {
                    if let Some(marker) = &mut part.marker {
                        marker.expires_at = Some(1);
                    }
                }
            }
            _ => {}
        }
        Ok(owned)
    }

    async fn counts(&self, observed: &Observed) -> Result<Counts> {
        self.real.control().counts(observed).await
    }

    async fn apply(&self, change: &Change) -> Result<()> {
        match change.action {
            Action::Create => self.create(change).await,
            Action::Delete => self.delete(change).await,
            Action::Update | Action::Adopt | Action::Replace | Action::NoOp => {
                self.forget_unnamed(change);
                self.real.control().apply(&self.spoilt(change)).await
            }
        }
    }

    fn endpoints(&self, queue: &str, parts: &[(&Resource, &Observed)]) -> Vec<Endpoint> {
        match self.fault {
            Fault::NoEndpoint => Vec::new(),
            _ => self.real.control().endpoints(queue, parts),
        }
    }
}
