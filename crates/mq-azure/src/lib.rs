//! The Azure Service Bus backend: one queue of the file is one queue of a namespace.
//!
//! Administration goes through the Atom API, which no crate has; tokens come from the vendor's
//! `azure_identity`. The page docs/backends/azure.md says what is created, which verdicts are
//! given and which permissions are needed.
//!
//! - `config`: the `clouds` entry and the environment, before any call.
//! - `facts`: every number once, tier by tier, with the vendor page it was read from.
//! - `elements`, `native`, `iso`, `metadata`: the service's own words and how they compare.
//! - `lower`: a queue becomes a description. Pure.
//! - `client`, `auth`, `entra`, `atom`: one call, its credentials, its documents.
//! - `observe`: what is there.
//! - `apply`: one change.
//! - `error`: one table from what the service answers.

mod apply;
mod atom;
mod auth;
mod client;
mod config;
mod elements;
mod endpoints;
mod entra;
mod error;
mod facts;
mod iso;
mod lower;
mod metadata;
mod native;
mod observe;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use mq_core::backend::{
    Access, BackendFactory, BackendInfo, ControlPlane, QueueBackend, Scope, SettingInfo,
    SettingKind,
};
use mq_core::capability::{Capability, fact};
use mq_core::error::{Error, Result};
use mq_core::plan::Change;
use mq_core::queue::{Owner, ResolvedQueue};
use mq_core::resource::{Counts, Endpoint, Lowered, Observed, OwnedResource, Resource};
use mq_core::spec::Target;
use tokio::sync::OnceCell;

use crate::client::Client;
use crate::config::Config;
use crate::facts::Tier;
use crate::observe::fact;

static INFO: BackendInfo = BackendInfo {
    id: "azure",
    service: "Azure Service Bus",
    settings: &[
        SettingInfo {
            name: "namespace",
            kind: SettingKind::Text,
            doc: "The namespace, by its short name or its full host name. It must exist: `mq` never creates, changes or removes one. Default: that of the connection string.",
        },
        SettingInfo {
            name: "tier",
            kind: SettingKind::OneOf(Tier::NAMES),
            doc: "The namespace's pricing tier, which decides what its queues can be. Online it is read from the namespace, and another one than stated is an error. Default: offline, verdicts are given for each tier.",
        },
        SettingInfo {
            name: "connection_string_env",
            kind: SettingKind::Text,
            doc: "The environment variable that holds a connection string of the namespace, with the right Manage. Default: MQ_AZURE_CONNECTION_STRING where it is set, else Microsoft Entra ID.",
        },
    ],
    native: native::NATIVE,
    names: &["queue", "dead_letter"],
    identity: None,
    // Standard, beyond the operations that its base charge includes; Premium charges none.
    request_price: fact(
        800,
        "https://azure.microsoft.com/pricing/details/service-bus/",
    ),
};

/// What makes Service Bus backends: the registry's entry.
#[must_use]
pub fn factory() -> &'static dyn BackendFactory {
    &Factory
}

#[derive(Debug)]
struct Factory;

impl BackendFactory for Factory {
    fn info(&self) -> &'static BackendInfo {
        &INFO
    }

    fn create(&self, target: &Target, access: &Access) -> Result<Arc<dyn QueueBackend>> {
        Ok(Arc::new(ServiceBus {
            config: Config::read(target)?,
            access: access.clone(),
            client: OnceCell::new(),
            identity: OnceCell::new(),
        }))
    }
}

/// One namespace.
#[derive(Debug)]
struct ServiceBus {
    config: Config,
    access: Access,
    /// Made at the first call: what is missing for it is no error before.
    client: OnceCell<Client>,
    /// Read once: a namespace's tier does not change under a command.
    identity: OnceCell<(Tier, Scope)>,
}

impl ServiceBus {
    async fn client(&self) -> Result<&Client> {
        self.client
            .get_or_try_init(|| async {
                let site = self.config.site(&self.access)?;
                Client::new(&site, &self.access)
            })
            .await
    }

    async fn identity(&self) -> Result<(&Client, &(Tier, Scope))> {
        let client = self.client().await?;
        let identity = self
            .identity
            .get_or_try_init(|| observe::identify(client, &self.config, self.access.emulated()))
            .await?;
        Ok((client, identity))
    }

    /// The client, and the tier that decides what an answer means.
    async fn ready(&self) -> Result<(&Client, Tier)> {
        let (client, (tier, _)) = self.identity().await?;
        Ok((client, *tier))
    }
}

/// The tier of a scope; of one that states none the one that most namespaces have.
fn tier(scope: &Scope) -> Tier {
    scope
        .facts
        .get(fact::TIER)
        .and_then(|name| Tier::named(name))
        .unwrap_or(Tier::Standard)
}

impl QueueBackend for ServiceBus {
    fn info(&self) -> &'static BackendInfo {
        &INFO
    }

    fn capability(&self, scope: &Scope) -> Capability {
        facts::capability(tier(scope))
    }

    fn offline_scopes(&self) -> Vec<Scope> {
        let tiers = self
            .config
            .tier
            .map_or(Tier::ALL.to_vec(), |tier| vec![tier]);
        let scope = |tier: Tier| {
            let mut facts = BTreeMap::from([(fact::TIER.to_owned(), tier.name().to_owned())]);
            let mut label = tier.name().to_owned();
            if let Some(namespace) = &self.config.namespace {
                let namespace = config::short_name(namespace);
                facts.insert(fact::NAMESPACE.to_owned(), namespace.to_owned());
                label = format!("{namespace} ({label})");
            }
            Scope { label, facts }
        };
        tiers.into_iter().map(scope).collect()
    }

    fn control(&self) -> &dyn ControlPlane {
        self
    }
}

#[async_trait]
impl ControlPlane for ServiceBus {
    async fn identify(&self) -> Result<Scope> {
        let (_, (_, scope)) = self.identity().await?;
        Ok(scope.clone())
    }

    fn lower(&self, queue: &ResolvedQueue, scope: &Scope) -> Lowered {
        let namespace = scope.facts.get(fact::NAMESPACE);
        let namespace = namespace.map_or("NAMESPACE", String::as_str);
        lower::lower(queue, tier(scope), namespace)
    }

    async fn observe(&self, resources: &[&Resource]) -> Result<Vec<Observed>> {
        let (client, tier) = self.ready().await?;
        observe::observe(client, tier, resources).await
    }

    async fn list_owned(&self, owner: Option<&Owner>) -> Result<Vec<OwnedResource>> {
        let (client, tier) = self.ready().await?;
        observe::list_owned(client, tier, owner).await
    }

    async fn counts(&self, observed: &Observed) -> Result<Counts> {
        let client = self.client().await?;
        observe::counts(client, &observed.id)
            .await
            .map_err(|error: Error| error.with_context("queue", observed.id.name.clone()))
    }

    async fn apply(&self, change: &Change) -> Result<()> {
        let (client, tier) = self.ready().await?;
        apply::apply(client, tier, change).await
    }

    fn endpoints(&self, queue: &str, parts: &[(&Resource, &Observed)]) -> Vec<Endpoint> {
        // Parts that were observed were reached, so there is a site.
        match self.config.site(&self.access) {
            Ok(site) => endpoints::endpoints(&site, queue, parts),
            Err(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
