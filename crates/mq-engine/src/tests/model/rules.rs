//! In what the services differ.

use std::time::Duration;

use super::{FOREVER, Model, Spot, millis};
use crate::{Origin, Part, Reason, Service};

impl Model {
    pub(super) fn dead_letters_go(&self, entity: usize) -> bool {
        let known = &self.entities[entity];
        let target = known.settings.dead_letter.as_ref();
        known.id.service == Service::ServiceBus || target.is_some_and(|id| self.at(id).is_some())
    }

    pub(super) fn max_deliveries(&self, spot: Spot) -> Option<u32> {
        let max = self.known(spot).settings.max_deliveries;
        max.filter(|_| spot.1 == Part::Main && self.dead_letters_go(spot.0))
    }

    pub(super) fn ends(
        &self,
        spot: Spot,
        sent: u64,
        ttl: Option<Duration>,
        origin: Option<&Origin>,
    ) -> u64 {
        let buried_by_time = origin.is_some_and(|origin| origin.reason == Reason::Expired);
        let ttl = if buried_by_time { None } else { ttl };
        if spot.1 == Part::Dead {
            return FOREVER;
        }
        let retention = self.known(spot).settings.retention;
        let life = retention.into_iter().chain(ttl).min();
        life.map_or(FOREVER, |life| sent + millis(life))
    }

    pub(super) fn rank(&self, spot: Spot) -> u64 {
        if self.service(spot) == Service::ServiceBus {
            return 0;
        }
        self.now
    }
}
