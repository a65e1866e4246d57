//! Acks, nacks and extensions, by request.

use std::time::Duration;

use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
    AcknowledgeRequest, ModifyAckDeadlineRequest,
};
use mq_engine::{EntityId, Operation, Outcome, Place, Receipt, Settle, Settled};
use tonic::Status;

use super::exactly_once::refusal;
use super::pull::{Subscribed, subscribed};
use super::status::{denied, shown};
use super::{PubSub, ack_id, names};

/// The longest extension, in seconds.
const DEADLINE_SECONDS_MAX: i32 = 600;

/// What came of the ack IDs of one request, with which the caller may do what it must.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    pub(super) done: Vec<String>,
    /// Malformed, expired or superseded, where the subscription tells so.
    pub(super) invalid: Vec<String>,
}

impl Verdicts {
    pub(super) fn is_empty(&self) -> bool {
        self.done.is_empty() && self.invalid.is_empty()
    }
}

impl PubSub {
    pub(super) fn acknowledge(&self, request: AcknowledgeRequest) -> Result<(), Status> {
        let id = names::subscription(&request.subscription)?;
        self.by_request(&id, request.ack_ids, &Settle::Ack)
    }

    pub(super) fn modify_ack_deadline(
        &self,
        request: ModifyAckDeadlineRequest,
    ) -> Result<(), Status> {
        let id = names::subscription(&request.subscription)?;
        let how = extension(request.ack_deadline_seconds)?;
        self.by_request(&id, request.ack_ids, &how)
    }

    fn by_request(&self, id: &EntityId, ack_ids: Vec<String>, how: &Settle) -> Result<(), Status> {
        if ack_ids.is_empty() {
            return Err(Status::invalid_argument(
                "At least one ack ID must be specified.",
            ));
        }
        let subscribed = subscribed(&self.shared.engine(), id)?;
        let verdicts = self.settle(id, subscribed, ack_ids, how)?;
        refusal(&verdicts.invalid).map_or(Ok(()), Err)
    }

    /// Settles what the ack IDs stand for. Where the subscription does not say which of them are
    /// invalid, a malformed one refuses them all.
    pub(super) fn settle(
        &self,
        id: &EntityId,
        subscribed: Subscribed,
        ack_ids: Vec<String>,
        how: &Settle,
    ) -> Result<Verdicts, Status> {
        let mut verdicts = Verdicts::default();
        let mut known = Vec::with_capacity(ack_ids.len());
        let mut receipts: Vec<Receipt> = Vec::with_capacity(ack_ids.len());
        for text in ack_ids {
            match ack_id::read(&text) {
                Some(receipt) => {
                    receipts.push(receipt);
                    known.push(text);
                }
                None if subscribed.exactly_once => verdicts.invalid.push(text),
                None => return Err(malformed(&text)),
            }
        }
        let settled = self.settle_receipts(id, receipts, how)?;
        for (text, settled) in known.into_iter().zip(settled) {
            match settled {
                Settled::Refused(_) => verdicts.invalid.push(text),
                Settled::Done(_) | Settled::Ignored(_) => verdicts.done.push(text),
            }
        }
        Ok(verdicts)
    }

    fn settle_receipts(
        &self,
        id: &EntityId,
        receipts: Vec<Receipt>,
        how: &Settle,
    ) -> Result<Vec<Settled>, Status> {
        let operation = Operation::Settle {
            at: Place::from(id.clone()),
            receipts: receipts.clone(),
            how: how.clone(),
        };
        let outcome = self.shared.perform(operation);
        match outcome.map_err(|why| denied(&why, &names::full(id)))? {
            Outcome::Settled(settled) => {
                self.windows.settled(&receipts, &settled, how);
                Ok(settled)
            }
            _ => Err(Status::internal("A settlement brought something else.")),
        }
    }
}

/// What so many seconds from now mean: none is a nack.
pub(super) fn extension(seconds: i32) -> Result<Settle, Status> {
    if !(0..=DEADLINE_SECONDS_MAX).contains(&seconds) {
        return Err(Status::invalid_argument(format!(
            "An ack deadline must be from 0 to {DEADLINE_SECONDS_MAX} seconds; it is {seconds}."
        )));
    }
    if seconds == 0 {
        return Ok(Settle::Nack {
            delay: None,
            properties: None,
        });
    }
    let lease = Duration::from_secs(seconds.unsigned_abs().into());
    Ok(Settle::Extend { lease: Some(lease) })
}

fn malformed(text: &str) -> Status {
    Status::invalid_argument(format!(
        "The request has an ack ID that is malformed: \"{}\".",
        shown(text)
    ))
}
