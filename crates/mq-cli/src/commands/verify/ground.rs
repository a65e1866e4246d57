//! Where a run happens: on an emulator of its own, or on the clouds themselves.

use std::sync::Arc;

use mq_core::Access;
use mq_core::layers::RetryPolicy;
use mq_core::timing::{Clock, Jitter, SystemClock};
use mq_emulator::{ClockMode, Emulator, Ports};
use mq_suite::Surroundings;

use crate::app::App;
use crate::args::{BehaviourArgs, PlaceArgs};
use crate::emulator::{EmulatorClock, config, not_started};
use crate::failure::Result;

/// Where a run happens.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) access: Access,
    clock: Arc<dyn Clock>,
    /// Lives as long as the run, and nobody else sees it.
    emulator: Option<Emulator>,
}

impl Ground {
    pub(super) async fn prepare(app: &App, place: &PlaceArgs) -> Result<Ground> {
        if place.live {
            return Ok(Ground {
                access: Access::vendor(app.environment.to_map()),
                clock: Arc::new(SystemClock::default()),
                emulator: None,
            });
        }
        let behaviour = BehaviourArgs {
            quirks: place.quirks.clone(),
            seed: place.seed,
            ..BehaviourArgs::default()
        };
        let mut config = config(&behaviour, Ports::free())?;
        // Who waits moves the emulator's time: a window of ten minutes is over at once.
        config.clock = ClockMode::Manual;
        app.printer
            .note(format_args!("emulator with the seed {}", config.seed));
        let emulator = Emulator::start(config)
            .await
            .map_err(|error| not_started(&error))?;
        let clock: Arc<dyn Clock> = match EmulatorClock::of(&emulator) {
            Some(clock) => Arc::new(clock),
            None => Arc::new(SystemClock::default()),
        };
        Ok(Ground {
            access: Access::emulator(emulator.env()),
            clock,
            emulator: Some(emulator),
        })
    }

    /// What surrounds the backends here.
    pub(super) fn surroundings(&self) -> Surroundings {
        Surroundings {
            retry: RetryPolicy::default(),
            clock: Arc::clone(&self.clock),
            jitter: Arc::new(Jitter::seeded(rand::random())),
        }
    }

    /// Ends the emulator, where there is one.
    pub(super) async fn leave(self) {
        if let Some(emulator) = self.emulator {
            emulator.stop().await;
        }
    }
}
