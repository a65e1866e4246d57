//! What a cloud makes of a queue, and whether it can be asked for a behaviour at all.

use mq_core::resource::Lowered;
use mq_core::verdict::Hold;
use mq_core::{ControlPlane, ResolvedQueue, Verdict, judge};

use super::Trial;
use crate::behaviour::{Need, Stop};

impl Trial {
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
                        .any(|verdict| judge::covers(attribute, &verdict.attribute))
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
}
