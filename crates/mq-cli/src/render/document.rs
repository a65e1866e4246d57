//! The JSON document of a run. Additive changes only: `schemas/run.schema.json` holds its form.

use std::collections::BTreeMap;

use mq_core::plan::{Plan, Tally};
use mq_core::provisioner::{ChangeResult, ChangeState, Finding};
use mq_core::resource::ResourceId;
use mq_core::{Action, Effect, Scope};
use serde::Serialize;

use super::endpoints::Placed;
use crate::exit::Exit;
use crate::failure::{Failure, FailureDocument, FindingDocument};

/// The version of every document's form.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// A run of a command that goes to clouds.
#[derive(Debug, Serialize)]
pub(crate) struct RunDocument<'a> {
    pub(crate) schema_version: u32,
    pub(crate) command: Option<&'a str>,
    pub(crate) exit_code: u8,
    /// Why nothing could be begun, when nothing could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<FailureDocument<'a>>,
    /// What was found in the file and in the verdicts.
    pub(crate) diagnostics: Vec<FindingDocument<'a>>,
    /// One entry for each cloud.
    pub(crate) clouds: Vec<CloudDocument<'a>>,
}

/// One cloud of a run.
#[derive(Debug, Serialize)]
pub(crate) struct CloudDocument<'a> {
    pub(crate) cloud: &'a str,
    pub(crate) backend: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<&'a Scope>,
    pub(crate) outcome: CloudOutcome,
    pub(crate) exit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<FailureDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<PlanDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) results: Option<Vec<ResultDocument<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) findings: Option<&'a [Finding]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) endpoints: Option<Vec<EndpointDocument<'a>>>,
}

/// How one cloud fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CloudOutcome {
    /// Nothing had to be done, or everything is as the file says.
    Unchanged,
    /// Something would be done, or differs.
    Pending,
    /// Everything was done.
    Applied,
    /// Some of it was done.
    Partial,
    /// All was done, and the cloud has another value.
    Mismatch,
    /// Nothing was done, since something may not be.
    Refused,
    /// It failed.
    Failed,
    /// It was not begun, since another cloud failed.
    NotStarted,
    /// It was interrupted.
    Interrupted,
}

/// A plan, with its numbers.
#[derive(Debug, Serialize)]
pub(crate) struct PlanDocument<'a> {
    pub(crate) pending: bool,
    pub(crate) summary: Tally,
    #[serde(flatten)]
    pub(crate) plan: &'a Plan,
}

impl<'a> From<&'a Plan> for PlanDocument<'a> {
    fn from(plan: &'a Plan) -> Self {
        PlanDocument {
            pending: plan.pending(),
            summary: plan.tally(),
            plan,
        }
    }
}

/// What became of one change.
#[derive(Debug, Serialize)]
pub(crate) struct ResultDocument<'a> {
    resource: &'a ResourceId,
    queue: &'a str,
    action: Action,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    may_have_happened: Option<bool>,
}

impl<'a> From<&'a ChangeResult> for ResultDocument<'a> {
    fn from(result: &'a ChangeResult) -> Self {
        let (state, reason, may_have_happened) = match &result.state {
            ChangeState::Applied => ("applied", None, None),
            ChangeState::Failed(error) => (
                "failed",
                Some(error.to_string()),
                Some(error.effect() == Effect::Unknown),
            ),
            ChangeState::NotAttempted(why) => ("not-attempted", Some(why.clone()), None),
        };
        ResultDocument {
            resource: &result.resource,
            queue: &result.queue,
            action: result.action,
            state,
            reason,
            may_have_happened,
        }
    }
}

/// An endpoint.
#[derive(Debug, Serialize)]
pub(crate) struct EndpointDocument<'a> {
    pub(crate) queue: &'a str,
    pub(crate) role: &'static str,
    pub(crate) endpoint: &'a str,
    pub(crate) details: &'a BTreeMap<String, String>,
}

impl<'a> From<&'a Placed> for EndpointDocument<'a> {
    fn from(placed: &'a Placed) -> Self {
        EndpointDocument {
            queue: &placed.endpoint.queue,
            role: placed.endpoint.role.name(),
            endpoint: &placed.endpoint.address,
            details: &placed.endpoint.details,
        }
    }
}

/// The document of a command that ended before its work began.
pub(crate) fn of_failure<'a>(command: Option<&'a str>, failure: &'a Failure) -> RunDocument<'a> {
    let clouds = failure.clouds.iter().map(|cloud| CloudDocument {
        cloud: &cloud.target,
        backend: &cloud.backend,
        scope: None,
        outcome: match &cloud.failure {
            None => CloudOutcome::NotStarted,
            Some(failure) if failure.exit == Exit::Refused => CloudOutcome::Refused,
            Some(failure) if failure.exit == Exit::Interrupted => CloudOutcome::Interrupted,
            Some(_) => CloudOutcome::Failed,
        },
        exit_code: cloud
            .failure
            .as_ref()
            .map_or(Exit::Done, |failure| failure.exit)
            .code(),
        error: cloud.failure.as_ref().map(Failure::document),
        plan: None,
        results: None,
        findings: None,
        endpoints: None,
    });
    RunDocument {
        schema_version: SCHEMA_VERSION,
        command,
        exit_code: failure.exit.code(),
        error: Some(failure.document()),
        diagnostics: failure.findings.documents(),
        clouds: clouds.collect(),
    }
}
