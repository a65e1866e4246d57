//! What a receipt can do.

use std::time::Duration;

use bytes::Bytes;

use super::{FOREVER, Fate, Model, Spot, millis};
use crate::{NotYours, Reason, Receipt, Service, Settle, Settled, Timestamp};

impl Model {
    pub(in crate::tests) fn standing(&self, spot: Spot, receipt: Receipt) -> Result<(), NotYours> {
        let item = self.item(spot, receipt.sequence).ok_or(NotYours::Gone)?;
        match item.fate {
            _ if item.lease != receipt.lease => Err(NotYours::Superseded),
            Fate::Leased(_) => Ok(()),
            Fate::Settled | Fate::Retained => Err(NotYours::Gone),
            _ => Err(NotYours::Expired),
        }
    }

    pub(in crate::tests) fn settle(
        &mut self,
        spot: Spot,
        receipt: Receipt,
        how: &Settle,
    ) -> Settled {
        let settings = self.known(spot).settings.clone();
        let (ack, other) = match self.service(spot) {
            Service::Sqs => (settings.ordered, true),
            Service::PubSub => (settings.exactly_once, settings.exactly_once),
            Service::ServiceBus => (true, true),
        };
        let is_ack = *how == Settle::Ack;
        match self.standing(spot, receipt) {
            Ok(()) => {}
            Err(NotYours::Expired) if is_ack && !ack => {}
            Err(why) if if is_ack { ack } else { other } => return Settled::Refused(why),
            Err(why) => return Settled::Ignored(why),
        }
        let sequence = receipt.sequence;
        let mut done = Settled::Done(Timestamp(self.now));
        let dead = match how {
            Settle::Ack => {
                self.ack(spot, sequence);
                None
            }
            Settle::Nack { delay, properties } => {
                self.rewrite(spot, sequence, properties.as_ref());
                self.fail(spot, sequence, *delay)
            }
            Settle::Extend { lease } => {
                let lease = lease.unwrap_or(settings.lease);
                if lease.is_zero() {
                    self.fail(spot, sequence, None)
                } else {
                    done = Settled::Done(Timestamp(self.extend(spot, sequence, lease)));
                    None
                }
            }
            Settle::Defer { properties } => {
                self.rewrite(spot, sequence, properties.as_ref());
                let now = self.now;
                let item = self.item_mut(spot, sequence).unwrap();
                item.deferred = true;
                item.fate = Fate::Deferred;
                if item.expires <= now {
                    self.expire(spot, sequence)
                } else {
                    None
                }
            }
            Settle::DeadLetter {
                reason,
                description,
                properties,
            } => {
                self.rewrite(spot, sequence, properties.as_ref());
                self.total(spot).left += 1;
                let (reason, description) = (reason.clone(), description.clone());
                let why = Reason::Asked {
                    reason,
                    description,
                };
                Some((self.remove(spot, sequence), why))
            }
        };
        if let Some((item, reason)) = dead {
            self.bury(item, reason);
        }
        done
    }

    pub(super) fn ack(&mut self, spot: Spot, sequence: u64) {
        let item = self.item(spot, sequence).unwrap();
        let key = self.key(item);
        let leased = matches!(item.fate, Fate::Leased(_));
        if self.groups_of(spot, Service::PubSub) && key.is_some() && leased {
            self.item_mut(spot, sequence).unwrap().fate = Fate::Settled;
            self.finish_settled(spot, key.as_ref());
        } else {
            self.finish(spot, sequence);
        }
    }

    pub(super) fn extend(&mut self, spot: Spot, sequence: u64, lease: Duration) -> u64 {
        let until = self.now + millis(lease);
        let key = self.key(self.item(spot, sequence).unwrap());
        let item = self.item_mut(spot, sequence).unwrap();
        if item.fate != Fate::Leased(FOREVER) {
            item.fate = Fate::Leased(until);
            return until;
        }
        let lock = self
            .locked
            .iter()
            .find(|one| one.spot == spot && Some(&one.key) == key.as_ref());
        lock.and_then(|one| one.lock).unwrap().1
    }

    pub(super) fn rewrite(&mut self, spot: Spot, sequence: u64, properties: Option<&Bytes>) {
        if let Some(properties) = properties {
            let item = self.item_mut(spot, sequence).unwrap();
            item.stuff = item.stuff.with(item.stuff.id, properties);
        }
    }
}
