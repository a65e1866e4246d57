//! Moving dead letters back, or elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mq_engine::{Denied, Engine, EntityId, MoveStatus, MoveTask, Operation, Outcome, Service};
use serde::{Deserialize, Serialize};

use super::call::Call;
use super::error::{Code, SqsError};
use super::params::{Given, Member, Output, Params};

const PER_SECOND_MAX: i64 = 500;
/// The rate of a task that was given none. Above every rate that can be given, so that it is
/// known as what it is.
const PER_SECOND_USUAL: u32 = 1_000;
const RESULTS_MAX: i64 = 10;

/// What a task's handle holds, as base64 of JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TaskHandle {
    task_id: String,
    source_arn: String,
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html>
pub(super) fn start(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let per_second = params.integer("MaxNumberOfMessagesPerSecond");
    let rate = match per_second {
        None => PER_SECOND_USUAL,
        Some(rate) => u32::try_from(rate)
            .ok()
            .filter(|_| (1..=PER_SECOND_MAX).contains(&rate))
            .ok_or_else(|| {
                SqsError::parameter(
                    "MaxNumberOfMessagesPerSecond",
                    &rate.to_string(),
                    &format!("Must be between 1 and {PER_SECOND_MAX}, if provided."),
                )
            })?,
    };
    let mut engine = call.shared.engine();
    let source_arn = params.text("SourceArn");
    let source = queue_of(call, &engine, "SourceArn", source_arn)?;
    let to = match params.optional_text("DestinationArn") {
        None => None,
        Some(arn) => Some(destination(call, &engine, &source, arn)?),
    };
    if !is_dead_letter_queue(&engine, &source) {
        return Err(SqsError::new(
            Code::InvalidParameterValue,
            "Source queue must be configured as a Dead Letter Queue.",
        ));
    }
    let operation = Operation::StartMove {
        from: source.into(),
        to,
        per_second: rate,
    };
    let started = engine.perform(call.shared.now(), operation);
    match started {
        Ok(Outcome::MoveStarted(task)) => Ok(Output::Members(vec![Member::text(
            "TaskHandle",
            handle(call, task, source_arn)?,
        )])),
        Err(Denied::MoveRunning(_)) => Err(SqsError::new(
            Code::InvalidParameterValue,
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
        )),
        Err(denied) => Err(denied.into()),
        Ok(_) => Err(SqsError::unexpected()),
    }
}

fn destination(
    call: &Call<'_>,
    engine: &Engine,
    source: &EntityId,
    arn: &str,
) -> Result<EntityId, SqsError> {
    let target = queue_of(call, engine, "DestinationArn", arn)?;
    if target == *source {
        return Err(SqsError::new(
            Code::InvalidParameterValue,
            "Source queue arn and destination queue arn cannot be the same.",
        ));
    }
    let fifo = |id: &EntityId| id.name.ends_with(".fifo");
    if fifo(&target) != fifo(source) {
        return Err(SqsError::new(
            Code::InvalidParameterValue,
            "Source queue and destination queue must be of the same type.",
        ));
    }
    Ok(target)
}

fn queue_of(
    call: &Call<'_>,
    engine: &Engine,
    parameter: &str,
    arn: &str,
) -> Result<EntityId, SqsError> {
    if arn.split(':').count() != 6 || !arn.starts_with("arn:") {
        return Err(SqsError::parameter(parameter, arn, "It is no queue's ARN."));
    }
    call.id_of_arn(arn)
        .filter(|id| engine.get(id).is_some())
        .ok_or_else(|| {
            SqsError::new(
                Code::ResourceNotFound,
                format!(
                    "The resource that you specified for the {parameter} parameter doesn't exist."
                ),
            )
        })
}

/// Whether any queue of the same account and region sends its dead letters there.
fn is_dead_letter_queue(engine: &Engine, id: &EntityId) -> bool {
    engine
        .list(Service::Sqs, id.kind, &id.scope, "")
        .any(|queue| queue.settings.dead_letter.as_ref() == Some(id))
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CancelMessageMoveTask.html>
pub(super) fn cancel(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let text = params.text("TaskHandle");
    let read = STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<TaskHandle>(&bytes).ok());
    let Some(wanted) = read else {
        return Err(SqsError::new(
            Code::InvalidParameterValue,
            "Value for parameter TaskHandle is invalid.",
        ));
    };
    let mut engine = call.shared.engine();
    let source = queue_of(call, &engine, "SourceArn", &wanted.source_arn)?;
    let task = engine
        .moves(&source.into())
        .find(|task| call.secret.task_id(task.task) == wanted.task_id)
        .map(|task| task.task);
    let no_task = || SqsError::new(Code::ResourceNotFound, "Task does not exist.");
    let task = task.ok_or_else(no_task)?;
    match engine.perform(call.shared.now(), Operation::CancelMove { task }) {
        Ok(Outcome::MoveCancelled(moved)) => Ok(Output::Members(vec![integer(
            "ApproximateNumberOfMessagesMoved",
            moved,
        )])),
        Err(Denied::NoMove) => Err(SqsError::new(
            Code::ResourceNotFound,
            "Task is not running: only running tasks can be cancelled.",
        )),
        Err(denied) => Err(denied.into()),
        Ok(_) => Err(SqsError::unexpected()),
    }
}

/// The latest first.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasks.html>
pub(super) fn list(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let max = params.integer("MaxResults").unwrap_or(1);
    if !(1..=RESULTS_MAX).contains(&max) {
        return Err(SqsError::parameter(
            "MaxResults",
            &max.to_string(),
            &format!("Value for parameter MaxResults must be between 1 and {RESULTS_MAX}."),
        ));
    }
    let mut engine = call.shared.engine();
    let source_arn = params.text("SourceArn");
    let source = queue_of(call, &engine, "SourceArn", source_arn)?;
    engine.advance(call.shared.now());
    let tasks: Result<Vec<_>, _> = engine
        .moves(&source.into())
        .take(usize::try_from(max).unwrap_or(1))
        .map(|task| described(call, task, source_arn))
        .collect();
    Ok(Output::Members(vec![Member::entries(
        "Results",
        "ListMessageMoveTasksResultEntry",
        tasks?,
    )]))
}

fn described(call: &Call<'_>, task: &MoveTask, source_arn: &str) -> Result<Vec<Member>, SqsError> {
    let status = match task.status {
        MoveStatus::Running => "RUNNING",
        MoveStatus::Completed => "COMPLETED",
        MoveStatus::Cancelled => "CANCELLED",
        MoveStatus::Failed => "FAILED",
    };
    let mut members = vec![
        Member::text("Status", status.to_owned()),
        Member::text("SourceArn", source_arn.to_owned()),
        integer("ApproximateNumberOfMessagesMoved", task.moved),
        integer("ApproximateNumberOfMessagesToMove", task.to_move),
        integer("StartedTimestamp", task.started.0),
    ];
    if task.status == MoveStatus::Running {
        members.push(Member::text(
            "TaskHandle",
            handle(call, task.task, source_arn)?,
        ));
    }
    if let Some(target) = &task.to {
        members.push(Member::text("DestinationArn", call.arn(&target.name)));
    }
    if task.per_second != PER_SECOND_USUAL {
        let rate = u64::from(task.per_second);
        members.push(integer("MaxNumberOfMessagesPerSecond", rate));
    }
    if task.status == MoveStatus::Failed {
        let reason = match task.to {
            Some(_) => "AWS.SimpleQueueService.NonExistentQueue",
            None => "CouldNotDetermineMessageSource",
        };
        members.push(Member::text("FailureReason", reason.to_owned()));
    }
    Ok(members)
}

fn integer(name: &'static str, number: u64) -> Member {
    Member {
        json: name,
        xml: name,
        value: Given::Integer(number),
    }
}

fn handle(call: &Call<'_>, task: u64, source_arn: &str) -> Result<String, SqsError> {
    let handle = TaskHandle {
        task_id: call.secret.task_id(task),
        source_arn: source_arn.to_owned(),
    };
    serde_json::to_vec(&handle)
        .map(|bytes| STANDARD.encode(bytes))
        .map_err(|_| SqsError::unexpected())
}
