//! One proof under way: the queues that it makes, and the verbs that it makes them with.

mod cleaning;
mod needs;
mod queues;
mod waiting;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use mq_core::layers::Layered;
use mq_core::plan::PlanOptions;
use mq_core::provisioner::{self, ApplyOptions, Outcome, Request, Silent};
use mq_core::{
    Action, Change, ControlPlane, Observed, Owner, Plan, ResolvedQueue, Resource, ResourceId,
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::queues::Place;
use crate::behaviour::Stop;
use crate::probe::Probe;
use crate::subject::Subject;

/// How many calls one proof makes at a time.
const PARALLELISM: usize = 4;

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
    made: Mutex<BTreeMap<ResourceId, Resource>>,
}

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
    /// [`Stop::Failed`], before anything is written, where the plan would write to a resource that
    /// was not [`remember`](Self::remember)ed; [`Stop::Interrupted`].
    pub async fn apply(&self, plan: &Plan) -> Result<Outcome, Stop> {
        self.go_on()?;
        plan.changes
            .iter()
            .filter(|change| change.writes())
            .try_for_each(|change| self.is_own(change))?;
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

    /// What destroy would do with these queues when they are named.
    ///
    /// # Errors
    /// Where a read fails.
    pub async fn plan_destroy(&self, queues: &[ResolvedQueue]) -> Result<Plan, Stop> {
        self.plan_destroy_of(queues, false).await
    }

    /// The same, of these queues or of the whole file that they are: then whatever else carries
    /// its marker is looked for, which costs a service without such a search a read for each queue
    /// of the account.
    ///
    /// # Errors
    /// Where a read fails.
    pub async fn plan_destroy_of(
        &self,
        queues: &[ResolvedQueue],
        whole_file: bool,
    ) -> Result<Plan, Stop> {
        self.go_on()?;
        let owner = self.owner_of(queues);
        let request = Request {
            whole_file,
            ..self.request(queues, &owner)
        };
        let options = PlanOptions {
            // What was never sent to holds nothing, whatever a service that does not count says.
            drop_messages: true,
            ..PlanOptions::default()
        };
        let (plan, _) = provisioner::plan_destroy(&self.control, &request, &options).await?;
        Ok(plan)
    }

    /// Destroys these queues, and insists that it succeeds.
    ///
    /// # Errors
    /// [`Stop::Failed`] where it is refused, [`Stop::Broken`] where a call failed.
    pub async fn destroy(&self, queues: &[ResolvedQueue]) -> Result<Outcome, Stop> {
        self.destroy_of(queues, false).await
    }

    /// The same, of these queues or of the whole file that they are.
    ///
    /// # Errors
    /// As [`destroy`](Self::destroy).
    pub async fn destroy_of(
        &self,
        queues: &[ResolvedQueue],
        whole_file: bool,
    ) -> Result<Outcome, Stop> {
        let plan = self.plan_destroy_of(queues, whole_file).await?;
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
        self.is_own(change)?;
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
