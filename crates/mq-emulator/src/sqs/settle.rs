//! Deleting received messages, and changing how long they stay hidden.

use std::time::Duration;

use mq_engine::{Engine, Entity, NotYours, Operation, Outcome, Receipt, Settle, Settled};

use super::batch;
use super::call::Call;
use super::error::{Code, SqsError};
use super::params::{Output, Params};
use super::receipt::{Handle, Seal};

/// The longest time that a message is hidden, from when it was received.
pub(super) const TIMEOUT_SECONDS_MAX: i64 = 43_200;

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html>
pub(super) fn delete(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let mut engine = call.shared.engine();
    delete_one(call, &mut engine, params.text("QueueUrl"), params)?;
    Ok(Output::Nothing)
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html>
pub(super) fn delete_batch(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let mut engine = call.shared.engine();
    let url = params.text("QueueUrl");
    call.find(&engine, url)?;
    let entries = batch::entries(params, "DeleteMessageBatchRequestEntry")?;
    let outcomes = entries.iter().map(|entry| {
        let outcome = delete_one(call, &mut engine, url, entry);
        (entry, outcome.map(|()| Vec::new()))
    });
    Ok(batch::output("DeleteMessageBatchResultEntry", outcomes))
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html>
pub(super) fn extend(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let mut engine = call.shared.engine();
    extend_one(call, &mut engine, params.text("QueueUrl"), params)?;
    Ok(Output::Nothing)
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html>
pub(super) fn extend_batch(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let mut engine = call.shared.engine();
    let url = params.text("QueueUrl");
    call.find(&engine, url)?;
    let entries = batch::entries(params, "ChangeMessageVisibilityBatchRequestEntry")?;
    let outcomes = entries.iter().map(|entry| {
        let outcome = extend_one(call, &mut engine, url, entry);
        (entry, outcome.map(|()| Vec::new()))
    });
    Ok(batch::output(
        "ChangeMessageVisibilityBatchResultEntry",
        outcomes,
    ))
}

/// Deleting what is gone already is no error. In a FIFO queue a handle whose time is over is one.
fn delete_one(
    call: &Call<'_>,
    engine: &mut Engine,
    url: &str,
    params: &Params,
) -> Result<(), SqsError> {
    let queue = call.find(engine, url)?;
    let handle = read(call, queue, params)?;
    match settle(call, engine, url, handle.receipt, Settle::Ack)? {
        Settled::Done(_) | Settled::Ignored(_) | Settled::Refused(NotYours::Gone) => Ok(()),
        Settled::Refused(NotYours::Expired | NotYours::Superseded) => Err(SqsError::parameter(
            "ReceiptHandle",
            params.text("ReceiptHandle"),
            "The receipt handle has expired.",
        )),
    }
}

fn extend_one(
    call: &Call<'_>,
    engine: &mut Engine,
    url: &str,
    params: &Params,
) -> Result<(), SqsError> {
    let queue = call.find(engine, url)?;
    let handle = read(call, queue, params)?;
    let seconds = params
        .integer("VisibilityTimeout")
        .ok_or_else(|| SqsError::missing("VisibilityTimeout"))?;
    let bad = |reason: &str| SqsError::parameter("VisibilityTimeout", &seconds.to_string(), reason);
    if !(0..=TIMEOUT_SECONDS_MAX).contains(&seconds) {
        return Err(bad(&format!(
            "VisibilityTimeout must be an integer between 0 and {TIMEOUT_SECONDS_MAX}."
        )));
    }
    let timeout = Duration::from_secs(seconds.unsigned_abs());
    let longest = Duration::from_secs(TIMEOUT_SECONDS_MAX.unsigned_abs());
    // In whole seconds, so that the whole time can be asked for right after the receive.
    let age = Duration::from_secs(handle.age(call.shared.now()).as_secs());
    if age + timeout > longest && seconds > 0 {
        return Err(bad(&format!(
            "Total VisibilityTimeout for the message is beyond the limit [{TIMEOUT_SECONDS_MAX} seconds]."
        )));
    }
    let how = Settle::Extend {
        lease: Some(timeout),
    };
    match settle(call, engine, url, handle.receipt, how)? {
        Settled::Done(_) | Settled::Ignored(_) => Ok(()),
        Settled::Refused(NotYours::Gone) => Err(SqsError::parameter(
            "ReceiptHandle",
            params.text("ReceiptHandle"),
            "Message does not exist or is not available for visibility timeout change.",
        )),
        Settled::Refused(NotYours::Expired | NotYours::Superseded) => Err(SqsError::new(
            Code::MessageNotInflight,
            "The specified message isn't in flight.",
        )),
    }
}

fn read(call: &Call<'_>, queue: &Entity, params: &Params) -> Result<Handle, SqsError> {
    let text = params.text("ReceiptHandle");
    Handle::read(text, &Seal::of(queue, call.secret)).ok_or_else(|| {
        SqsError::new(
            Code::ReceiptHandleIsInvalid,
            "The input receipt handle is invalid.",
        )
    })
}

fn settle(
    call: &Call<'_>,
    engine: &mut Engine,
    url: &str,
    receipt: Receipt,
    how: Settle,
) -> Result<Settled, SqsError> {
    let operation = Operation::Settle {
        at: call.id_of_url(url)?.into(),
        receipts: vec![receipt],
        how,
    };
    match engine.perform(call.shared.now(), operation)? {
        Outcome::Settled(settled) => settled.first().copied().ok_or_else(SqsError::unexpected),
        _ => Err(SqsError::unexpected()),
    }
}
