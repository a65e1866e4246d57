//! An emulator, and `mq`'s backends pointed at it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mq_cli::EmulatorClock;
use mq_core::layers::{Layered, RetryPolicy, Surroundings, WaitListener};
use mq_core::provisioner::{self, ApplyOptions, Outcome, Request, Silent};
use mq_core::timing::{Clock, Jitter, SkippingClock, SystemClock};
use mq_core::{
    Access, BackendFactory, ControlPlane, Owner, Plan, PlanOptions, ResolvedQueue, Result, Scope,
    Target,
};
use mq_emulator::{ClockMode, Config, Emulator, Ports, Quirks};
use tokio_util::sync::CancellationToken;

use crate::proxy::Proxy;

/// An emulator on free ports, with a proxy in front of each service.
#[derive(Debug)]
pub struct World {
    emulator: Emulator,
    proxies: BTreeMap<&'static str, Proxy>,
    upstreams: BTreeMap<&'static str, SocketAddr>,
    variables: BTreeMap<String, String>,
}

impl World {
    /// An emulator with these quirks, as `--quirk` takes them, and this seed.
    pub async fn start(quirks: &[&str], seed: u64) -> World {
        World::start_in(ClockMode::System, quirks, seed).await
    }

    /// The same where time stands still, and moves by what its sessions wait for.
    pub async fn start_standing(quirks: &[&str], seed: u64) -> World {
        World::start_in(ClockMode::Manual, quirks, seed).await
    }

    async fn start_in(clock: ClockMode, quirks: &[&str], seed: u64) -> World {
        let mut switched = Quirks::default();
        for quirk in quirks {
            switched.parse(quirk).unwrap();
        }
        let config = Config {
            ports: Ports::free(),
            quirks: switched,
            seed,
            clock,
            ..Config::default()
        };
        let emulator = Emulator::start(config).await.unwrap();
        let mut variables: BTreeMap<String, String> = emulator.env().into_iter().collect();
        let addresses = emulator.addresses();
        let mut proxies = BTreeMap::new();
        let upstreams = BTreeMap::from([
            ("aws", addresses.sqs),
            ("azure", addresses.servicebus_admin),
            ("gcp", addresses.pubsub),
        ]);
        for (&id, &upstream) in &upstreams {
            let proxy = Proxy::start(upstream).await;
            redirect(&mut variables, upstream, proxy.address());
            proxies.insert(id, proxy);
        }
        World {
            emulator,
            proxies,
            upstreams,
            variables,
        }
    }

    /// The variables that lead through the proxies.
    #[must_use]
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The emulator itself.
    #[must_use]
    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// The proxy in front of a backend's service.
    #[must_use]
    pub fn proxy(&self, backend: &str) -> &Proxy {
        &self.proxies[backend]
    }

    /// A clock on which waiting takes no time: the emulator's own, where that can be moved.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        match EmulatorClock::of(&self.emulator) {
            Some(clock) => Arc::new(clock),
            None => Arc::new(SkippingClock::default()),
        }
    }

    /// A backend of the registry, pointed at the emulator, with everything around it and a clock
    /// on which waiting takes no time.
    pub async fn session(&self, backend: &str) -> Result<Session> {
        self.session_at(&Target::implied(backend)).await
    }

    /// The same for an entry with settings of its own.
    pub async fn session_at(&self, target: &Target) -> Result<Session> {
        let access = Access::emulator(self.variables.clone());
        Session::open(factory(&target.backend), target, &access, self.clock()).await
    }

    /// A backend that goes past the proxy, on the machine's own clock: for measuring.
    pub async fn direct_session(&self, backend: &str, parallelism: usize) -> Result<Session> {
        let access = Access::emulator(self.emulator.env());
        let clock = Arc::new(SystemClock::default());
        let session =
            Session::open(factory(backend), &Target::implied(backend), &access, clock).await?;
        Ok(Session {
            parallelism,
            ..session
        })
    }

    /// Where a backend's service itself listens.
    #[must_use]
    pub fn upstream(&self, backend: &str) -> SocketAddr {
        self.upstreams[backend]
    }

    /// The same on a clock that runs a hundred times as fast as the emulator's: a wait of five
    /// seconds takes 50 ms, in which the emulator can come to an end with something.
    pub async fn hurried_session(&self, backend: &str) -> Result<Session> {
        let access = Access::emulator(self.variables.clone());
        Session::open(
            factory(backend),
            &Target::implied(backend),
            &access,
            Arc::new(HurriedClock::default()),
        )
        .await
    }
}

/// A clock on which a hundred seconds take one.
#[derive(Debug, Default)]
struct HurriedClock(SystemClock);

#[async_trait]
impl Clock for HurriedClock {
    fn elapsed(&self) -> Duration {
        self.0.elapsed() * 100
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration / 100).await;
    }
}

/// The registry's factory of this id.
#[must_use]
pub fn factory(backend: &str) -> &'static dyn BackendFactory {
    mq_cli::registry::backends()
        .into_iter()
        .find(|factory| factory.info().id == backend)
        .unwrap()
}

/// The ids of the registry.
#[must_use]
pub fn backend_ids() -> Vec<&'static str> {
    mq_cli::registry::backends()
        .into_iter()
        .map(|factory| factory.info().id)
        .collect()
}

/// Points whatever led to `from` at `to`.
fn redirect(variables: &mut BTreeMap<String, String>, from: SocketAddr, to: SocketAddr) {
    for value in variables.values_mut() {
        for host in ["localhost", "127.0.0.1"] {
            *value = value.replace(
                &format!("{host}:{}", from.port()),
                &format!("{host}:{}", to.port()),
            );
        }
    }
}

/// One target, identified.
#[derive(Debug)]
pub struct Session {
    /// Its control plane.
    pub control: Layered,
    /// What identify found.
    pub scope: Scope,
    target: Target,
    clock: Arc<dyn Clock>,
    parallelism: usize,
    /// Cancelled, it stops.
    pub cancel: CancellationToken,
}

#[derive(Debug)]
struct Unheard;

impl WaitListener for Unheard {
    fn waiting(&self, _: &str, _: &str, _: Duration) {}
}

impl Session {
    /// A backend with everything around it.
    pub async fn open(
        factory: &dyn BackendFactory,
        target: &Target,
        access: &Access,
        clock: Arc<dyn Clock>,
    ) -> Result<Session> {
        let cancel = CancellationToken::new();
        let around = Surroundings {
            retry: RetryPolicy::default(),
            clock: Arc::clone(&clock),
            jitter: Arc::new(Jitter::seeded(1)),
            cancel: cancel.clone(),
            deadline: None,
            listener: Arc::new(Unheard),
        };
        let control = Layered::new(factory.create(target, access)?, &target.name, around);
        let scope = control.identify().await?;
        Ok(Session {
            control,
            scope,
            target: target.clone(),
            clock,
            parallelism: 4,
            cancel,
        })
    }

    fn request<'a>(&'a self, queues: &'a [ResolvedQueue], owner: &'a Owner) -> Request<'a> {
        Request {
            target: &self.target.name,
            backend: &self.target.backend,
            scope: &self.scope,
            owner,
            queues,
            whole_file: true,
        }
    }

    /// The plan for these queues, which are all of one file.
    pub async fn plan(&self, queues: &[ResolvedQueue], options: &PlanOptions) -> Result<Plan> {
        let owner = owner(queues);
        provisioner::plan(&self.control, &self.request(queues, &owner), options).await
    }

    /// Plans and applies.
    pub async fn provision(
        &self,
        queues: &[ResolvedQueue],
        options: &PlanOptions,
    ) -> Result<Outcome> {
        let plan = self.plan(queues, options).await?;
        Ok(self.apply(&plan).await)
    }

    /// The plan that removes these queues.
    pub async fn plan_destroy(
        &self,
        queues: &[ResolvedQueue],
        options: &PlanOptions,
    ) -> Result<Plan> {
        let owner = owner(queues);
        let planned =
            provisioner::plan_destroy(&self.control, &self.request(queues, &owner), options).await;
        planned.map(|(plan, _)| plan)
    }

    /// The plan that removes what has expired.
    pub async fn plan_collection(
        &self,
        owner: &Owner,
        now: u64,
        options: &PlanOptions,
    ) -> Result<Plan> {
        provisioner::plan_collection(&self.control, &self.request(&[], owner), now, options).await
    }

    /// Applies a plan.
    pub async fn apply(&self, plan: &Plan) -> Outcome {
        let options = ApplyOptions {
            parallelism: self.parallelism,
            cancel: self.cancel.clone(),
            clock: Arc::clone(&self.clock),
        };
        provisioner::apply(&self.control, plan, &options, &Silent).await
    }
}

/// Whose these queues are.
fn owner(queues: &[ResolvedQueue]) -> Owner {
    queues.first().map_or_else(
        || Owner {
            stack: "none".to_owned(),
            stage: None,
            origin: None,
        },
        |queue| queue.owner.clone(),
    )
}
