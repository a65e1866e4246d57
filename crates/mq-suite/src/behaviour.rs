//! What a behaviour is.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use futures::future::BoxFuture;
use mq_core::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use crate::probe::Probe;
use crate::trial::Trial;

/// One promise that an application may rely on, and the proof of it.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// Its name in the group, in kebab case: `destroy-twice`.
    pub name: &'static str,
    /// What it is about.
    pub group: Group,
    /// The promise, as one sentence.
    pub promise: &'static str,
    /// What a cloud must hold for it to be asked for at all.
    pub needs: &'static [Need],
    /// Which queues it is proved with.
    pub applies: Applies,
    /// The attribute of the file that it is about, where it is proved for each of them.
    pub probe: Option<&'static Probe>,
    /// The longest that it may take on a real service; past it, it has failed.
    pub limit: Duration,
    /// The most calls that it makes on any one service, its own cleaning up included: for the
    /// estimate before a run on real clouds.
    pub requests_max: u32,
    /// The proof.
    pub check: Check,
}

/// A behaviour's proof: it returns, or stops and says why.
pub type Check = for<'a> fn(&'a Trial) -> BoxFuture<'a, Result<(), Stop>>;

impl Behaviour {
    /// What selects it and what reports call it: `control/update-in-place[retention]`.
    #[must_use]
    pub fn id(&self) -> String {
        let group = self.group.name();
        match self.probe {
            None => format!("{group}/{}", self.name),
            Some(probe) => format!("{group}/{}[{}]", self.name, probe.attribute),
        }
    }
}

/// What behaviours are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Creating, reading, changing and removing queues.
    Control,
}

impl Group {
    /// Every group, in the order of the reports.
    pub const ALL: [Group; 1] = [Group::Control];

    /// Its word on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Group::Control => "control",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a cloud must hold for a behaviour to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The service itself holds this attribute of the queue, exactly or nearly.
    Held(&'static str),
    /// The queue states this attribute.
    Stated(&'static str),
    /// The backend's entry can state whose account it is.
    StatedIdentity,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Held(attribute) => write!(f, "the service itself holds `{attribute}`"),
            Need::Stated(attribute) => write!(f, "the queue states `{attribute}`"),
            Need::StatedIdentity => f.write_str("the cloud's entry can state the account"),
        }
    }
}

/// Which queues a behaviour is proved with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Applies {
    /// A queue of the suite's own that states whatever every cloud can hold.
    Sample,
    /// That one, and a copy of every queue of the user's file.
    EveryQueue,
}

/// Why a proof ended before its end.
#[derive(Debug)]
pub enum Stop {
    /// The promise was not kept: what was seen.
    Failed(String),
    /// It cannot be asked of this cloud, or of this queue: why.
    Skipped(Cow<'static, str>),
    /// A call failed, so that nothing is known about the promise.
    Broken(Error),
    /// The run was interrupted.
    Interrupted,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Cancelled => Stop::Interrupted,
            _ => Stop::Broken(error),
        }
    }
}
