//! One proof under way: the queues that it makes, and the verbs that it makes them with.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mq_core::layers::Layered;
use mq_core::plan::{PlanOptions, removal};
use mq_core::provisioner::{self, ApplyOptions, Outcome, Request, Silent};
use mq_core::resource::{Lifecycle, Lowered, OwnedResource};
use mq_core::spec::{DeadLetterPatch, QueuePatch, QueueSpec, Selection, Setting, Spec, Stage};
use mq_core::timing::Clock;
use mq_core::verdict::Hold;
use mq_core::{
    Action, Change, ControlPlane, Error, ErrorKind, Observed, Owner, Plan, ResolvedQueue, Resource,
    Target, Verdict,
};
use tokio_util::sync::CancellationToken;

use crate::behaviour::{Need, Stop};
use crate::probe::Probe;
use crate::subject::Subject;

/// How many calls one proof makes at a time.
const PARALLELISM: usize = 4;

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

/// One proof under way.
///
/// Whatever it makes, it makes through this, so that all of it can be removed at the end.
#[derive(Debug)]
pub struct Trial {
    subject: Subject,
    control: Layered,
    cancel: CancellationToken,
    pub(crate) place: Place,
    probe: Option<&'static Probe>,
    /// The queues in question: copies of the file's, or the suite's own.
    queues: Vec<ResolvedQueue>,
    /// Everything that may have been made.
    made: Mutex<BTreeMap<String, Resource>>,
}

/// How long a change may take to show: what SQS documents, and a little more.
const SHOWN_WITHIN: Duration = Duration::from_secs(70);
/// The key of the suite's own queue.
const SAMPLE: &str = "sample";

impl Trial {
    pub(crate) fn new(
        subject: &Subject,
        place: Place,
        probe: Option<&'static Probe>,
        file_queue: Option<&str>,
        cancel: CancellationToken,
    ) -> Trial {
        let mut trial = Trial {
            subject: subject.clone(),
            control: subject.control(cancel.clone()),
            cancel,
            place,
            probe,
            queues: Vec::new(),
            made: Mutex::default(),
        };
        trial.queues = match file_queue {
            Some(logical) => crate::copies::copy(&subject.queues, logical, &trial.place),
            None => vec![trial.sample(|_| {})],
        };
        trial
    }

    /// The queues in question, those that they depend on included.
    #[must_use]
    pub fn queues(&self) -> Vec<ResolvedQueue> {
        self.queues.clone()
    }

    /// The attribute in question.
    ///
    /// # Errors
    /// Where the behaviour is not listed for each attribute.
    pub fn probe(&self) -> Result<&'static Probe, Stop> {
        self.probe
            .ok_or_else(|| Stop::Failed("the behaviour was listed without an attribute".to_owned()))
    }

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

    /// The cloud's control plane, to do by hand what no command does. What it makes must be
    /// [`remember`](Self::remember)ed first.
    #[must_use]
    pub fn control(&self) -> &Layered {
        &self.control
    }

    /// The cloud under test.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What a queue becomes on this cloud.
    #[must_use]
    pub fn lower(&self, queue: &ResolvedQueue) -> Lowered {
        self.control.lower(queue, &self.subject.scope)
    }

    /// The verdict on an attribute of a queue, where there is one.
    #[must_use]
    pub fn verdict(&self, queue: &ResolvedQueue, attribute: &str) -> Option<Verdict> {
        let mut verdicts = self.lower(queue).verdicts.into_iter();
        verdicts.find(|verdict| verdict.attribute == attribute)
    }

    /// Says why this cloud cannot be asked, where it cannot.
    pub(crate) fn meets(&self, needs: &[Need]) -> Result<(), Stop> {
        needs.iter().try_for_each(|need| self.meets_one(*need))
    }

    fn meets_one(&self, need: Need) -> Result<(), Stop> {
        match need {
            Need::Held(attribute) => self.holds(&self.queues, attribute),
            Need::Stated(attribute) => {
                let stated = self.queues.iter().any(|queue| {
                    let verdicts = self.lower(queue).verdicts;
                    verdicts
                        .iter()
                        .any(|verdict| is_part_of(&verdict.attribute, attribute))
                });
                if stated {
                    Ok(())
                } else {
                    Err(Stop::Skipped(
                        format!("the queue does not state `{attribute}`").into(),
                    ))
                }
            }
            Need::StatedIdentity => match self.subject.backend.info().identity {
                Some(_) => Ok(()),
                None => Err(Stop::Skipped(
                    "the cloud's entry has no setting that states the account".into(),
                )),
            },
        }
    }

    /// Skips where the service itself does not hold this attribute of these queues.
    ///
    /// # Errors
    /// [`Stop::Skipped`], with the verdict's own reason.
    pub fn holds(&self, queues: &[ResolvedQueue], attribute: &str) -> Result<(), Stop> {
        let verdict = queues
            .iter()
            .find_map(|queue| self.verdict(queue, attribute));
        match verdict.map(|verdict| verdict.hold) {
            None => Err(Stop::Skipped(
                format!("nothing is said about `{attribute}` here").into(),
            )),
            Some(hold @ (Hold::Unsupported { .. } | Hold::ClientSide { .. })) => Err(
                Stop::Skipped(format!("{}: {}", hold.name(), hold.reason()).into()),
            ),
            Some(Hold::Exact | Hold::Approximate { .. }) => Ok(()),
        }
    }

    /// Makes sure that these queues, and whatever else they come to, are removed at the end.
    pub fn remember(&self, queues: &[ResolvedQueue]) {
        let resources = queues.iter().flat_map(|queue| self.lower(queue).resources);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.extend(
            resources
                .filter(|resource| resource.lifecycle == Lifecycle::Managed)
                .map(|resource| (resource.id.to_string(), resource)),
        );
    }

    /// What provision would do with these queues, as if they were the whole file.
    ///
    /// # Errors
    /// Where a read fails.
    pub async fn plan(&self, queues: &[ResolvedQueue]) -> Result<Plan, Stop> {
        self.plan_with(queues, &PlanOptions::default()).await
    }

    /// The same with flags.
    ///
    /// # Errors
    /// Where a read fails.
    pub async fn plan_with(
        &self,
        queues: &[ResolvedQueue],
        options: &PlanOptions,
    ) -> Result<Plan, Stop> {
        self.go_on()?;
        let owner = self.owner_of(queues);
        let request = self.request(queues, &owner);
        Ok(provisioner::plan(&self.control, &request, options).await?)
    }

    /// Applies a plan, whatever comes of it.
    ///
    /// # Errors
    /// Where the run was interrupted.
    pub async fn apply(&self, plan: &Plan) -> Result<Outcome, Stop> {
        self.go_on()?;
        let options = ApplyOptions {
            parallelism: PARALLELISM,
            cancel: self.cancel.clone(),
            clock: Arc::clone(&self.subject.surroundings.clock),
        };
        let outcome = provisioner::apply(&self.control, plan, &options, &Silent).await;
        self.go_on()?;
        Ok(outcome)
    }

    /// Provisions these queues, as if they were the whole file, and insists that everything is
    /// made and reads as it was written.
    ///
    /// # Errors
    /// [`Stop::Failed`] where something does not read so, [`Stop::Broken`] where a call failed.
    pub async fn provision(&self, queues: &[ResolvedQueue]) -> Result<Outcome, Stop> {
        self.provision_with(queues, &PlanOptions::default()).await
    }

    /// The same with flags.
    ///
    /// # Errors
    /// As [`provision`](Self::provision).
    pub async fn provision_with(
        &self,
        queues: &[ResolvedQueue],
        options: &PlanOptions,
    ) -> Result<Outcome, Stop> {
        self.remember(queues);
        let plan = self.plan_with(queues, options).await?;
        if let Some((resource, refusal)) = plan.refusals().next() {
            return fail(format!("{} was refused: {}", resource.id, refusal.why));
        }
        done(self.apply(&plan).await?)
    }

    /// What destroy would do with these queues, as if they were the whole file.
    ///
    /// # Errors
    /// Where a read fails.
    pub async fn plan_destroy(&self, queues: &[ResolvedQueue]) -> Result<Plan, Stop> {
        self.go_on()?;
        let owner = self.owner_of(queues);
        let request = self.request(queues, &owner);
        let options = PlanOptions {
            // What was never sent to holds nothing, whatever a service that does not count says.
            drop_messages: true,
            ..PlanOptions::default()
        };
        let (plan, _) = provisioner::plan_destroy(&self.control, &request, &options).await?;
        Ok(plan)
    }

    /// Destroys these queues, as if they were the whole file, and insists that it succeeds.
    ///
    /// # Errors
    /// [`Stop::Failed`] where it is refused, [`Stop::Broken`] where a call failed.
    pub async fn destroy(&self, queues: &[ResolvedQueue]) -> Result<Outcome, Stop> {
        let plan = self.plan_destroy(queues).await?;
        if let Some((resource, refusal)) = plan.refusals().next() {
            return fail(format!("{} was refused: {}", resource.id, refusal.why));
        }
        done(self.apply(&plan).await?)
    }

    /// Makes this change by hand, as someone with the cloud's own tool would.
    ///
    /// # Errors
    /// Where the call fails.
    pub async fn by_hand(&self, change: &Change) -> Result<(), Stop> {
        self.go_on()?;
        Ok(self.control.apply(change).await?)
    }

    /// The resources of these queues, each with what is there in its place.
    ///
    /// # Errors
    /// Where a read fails.
    pub async fn look(&self, queues: &[ResolvedQueue]) -> Result<Vec<(Resource, Observed)>, Stop> {
        self.go_on()?;
        let resources: Vec<Resource> = queues
            .iter()
            .flat_map(|queue| self.lower(queue).resources)
            .collect();
        let references: Vec<&Resource> = resources.iter().collect();
        let observed = self.control.observe(&references).await?;
        Ok(resources.into_iter().zip(observed).collect())
    }

    /// The request of a command over these queues.
    #[must_use]
    pub fn request<'a>(&'a self, queues: &'a [ResolvedQueue], owner: &'a Owner) -> Request<'a> {
        Request {
            target: &self.subject.target.name,
            backend: &self.subject.target.backend,
            scope: &self.subject.scope,
            owner,
            queues,
            whole_file: true,
        }
    }

    /// For as long as a service may take to show what was written.
    pub(crate) fn wait_for_a_change(&self) -> Wait<'_> {
        let clock = &*self.subject.surroundings.clock;
        Wait {
            clock,
            end: clock.elapsed() + SHOWN_WITHIN,
            pause: Duration::from_millis(500),
        }
    }

    fn owner_of(&self, queues: &[ResolvedQueue]) -> Owner {
        queues
            .first()
            .map_or_else(|| self.place.owner.clone(), |queue| queue.owner.clone())
    }

    fn go_on(&self) -> Result<(), Stop> {
        if self.cancel.is_cancelled() {
            return Err(Stop::Interrupted);
        }
        Ok(())
    }

    /// Removes whatever the trial may have made, whoever it seems to belong to: the names are the
    /// run's own. Says what it could not remove.
    pub(crate) async fn clean_up(&self) -> Vec<(String, Error)> {
        // Not ended by the interrupt that may have brought us here.
        let control = self.subject.control(CancellationToken::new());
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        let resources: Vec<Resource> = made.into_values().collect();
        if resources.is_empty() {
            return Vec::new();
        }
        let references: Vec<&Resource> = resources.iter().collect();
        let observed = match control.observe(&references).await {
            Ok(observed) => observed,
            Err(error) => return vec![(self.place.base_name("*"), error)],
        };
        let plan = self.removal_of(resources, observed);
        let options = ApplyOptions {
            parallelism: PARALLELISM,
            cancel: CancellationToken::new(),
            clock: Arc::clone(&self.subject.surroundings.clock),
        };
        let outcome = provisioner::apply(&control, &plan, &options, &Silent).await;
        outcome
            .results
            .into_iter()
            .filter_map(|result| match result.state {
                provisioner::ChangeState::Applied => None,
                provisioner::ChangeState::Failed(error) => {
                    Some((result.resource.to_string(), error))
                }
                provisioner::ChangeState::NotAttempted(why) => Some((
                    result.resource.to_string(),
                    Error::new(ErrorKind::Unexpected, why),
                )),
            })
            .collect()
    }

    fn removal_of(&self, resources: Vec<Resource>, observed: Vec<Observed>) -> Plan {
        let changes = resources
            .into_iter()
            .zip(observed)
            .map(|(resource, observed)| {
                let owned = OwnedResource { resource, observed };
                let mut change = removal(owned, &self.place.owner, false);
                change.refusal = None;
                change
            })
            .collect();
        Plan {
            target: self.subject.target.name.clone(),
            backend: self.subject.target.backend.clone(),
            scope: self.subject.scope.clone(),
            owner: self.place.owner.clone(),
            verdicts: BTreeMap::new(),
            changes,
        }
    }
}

/// Looks further and further apart.
pub(crate) struct Wait<'a> {
    clock: &'a dyn Clock,
    end: Duration,
    pause: Duration,
}

impl Wait<'_> {
    /// Waits for the next look; `false` when there is to be none.
    pub(crate) async fn again(&mut self) -> bool {
        let left = self.end.saturating_sub(self.clock.elapsed());
        if left.is_zero() {
            return false;
        }
        self.clock.sleep(self.pause.min(left)).await;
        self.pause = (self.pause * 2).min(Duration::from_secs(8));
        true
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

/// `dead_letter.retention` is part of `dead_letter`.
fn is_part_of(attribute: &str, whole: &str) -> bool {
    attribute
        .strip_prefix(whole)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Ends the proof: the promise was not kept.
pub(crate) fn fail<T>(seen: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Failed(seen.into()))
}

/// Insists that everything was made and reads as it was written.
pub(crate) fn done(outcome: Outcome) -> Result<Outcome, Stop> {
    if outcome.partial() {
        return Err(first_failure(outcome));
    }
    if let Some(error) = outcome.unproved {
        return Err(error.into());
    }
    if let Some(finding) = outcome.findings.first() {
        let show = |value: &Option<mq_core::Value>| {
            value
                .as_ref()
                .map_or_else(|| "nothing".to_owned(), ToString::to_string)
        };
        return fail(format!(
            "{}: {} was written as {} and reads as {}",
            finding.resource,
            finding.attribute.as_deref().unwrap_or("the resource"),
            show(&finding.wanted),
            show(&finding.seen),
        ));
    }
    Ok(outcome)
}

fn first_failure(outcome: Outcome) -> Stop {
    let mut states = outcome.results.into_iter().map(|result| result.state);
    let failed = states.find_map(|state| match state {
        provisioner::ChangeState::Failed(error) => Some(error),
        provisioner::ChangeState::Applied | provisioner::ChangeState::NotAttempted(_) => None,
    });
    failed.map_or_else(
        || Stop::Failed("not every change was made".to_owned()),
        Stop::from,
    )
}

/// Whether a plan would do this to any resource.
pub(crate) fn plans(plan: &Plan, action: Action) -> bool {
    plan.changes.iter().any(|change| change.action == action)
}
