//! Where the emulator of this user is: a folder with a lock, a discovery file and a log.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use mq_emulator::{ClockMode, Token};
use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// Names another folder than the user's own, for tests and for several emulators at once.
pub(crate) const STATE_VARIABLE: &str = "MQ_EMULATOR_STATE";

/// What a running emulator tells of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Discovery {
    /// The form of this file.
    pub(crate) schema_version: u32,
    /// The process.
    pub(crate) pid: u32,
    /// The version of `mq` that runs it.
    pub(crate) version: String,
    /// Tells builds of one version apart.
    pub(crate) build: String,
    /// The seed of all chance.
    pub(crate) seed: u64,
    /// How time passes in it; builds without this field know the machine's clock only.
    #[serde(default)]
    pub(crate) clock: ClockMode,
    /// What was switched on by name.
    pub(crate) quirks: Vec<String>,
    /// After how many seconds without a request it ends.
    pub(crate) idle_exit_seconds: Option<u64>,
    /// Where each service listens, by the name that `--port` uses.
    pub(crate) addresses: BTreeMap<String, SocketAddr>,
    /// What the vendors' SDKs read.
    pub(crate) env: BTreeMap<String, String>,
    /// Its log, where it runs in the background.
    pub(crate) log: Option<PathBuf>,
    /// Lets its reader stop it, and move its clock.
    #[serde(with = "token_text")]
    pub(crate) token: Token,
}

impl Discovery {
    /// The version of the form.
    pub(crate) const SCHEMA_VERSION: u32 = 1;

    /// Where it takes the requests of its token's holder.
    pub(crate) fn console(&self) -> Option<SocketAddr> {
        self.addresses.get("console").copied()
    }

    /// Whether this very build of `mq` runs it: another one may speak another language.
    pub(crate) fn is_this_build(&self) -> bool {
        self.version == env!("CARGO_PKG_VERSION") && self.build == build()
    }
}

/// This executable's length and time of change: enough to tell two builds apart, and read at once.
pub(crate) fn build() -> String {
    let metadata = std::env::current_exe().and_then(fs::metadata);
    let Ok(metadata) = metadata else {
        return "unknown".to_owned();
    };
    let changed = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .map_or(0, |since| since.as_nanos());
    format!("{:x}-{changed:x}", metadata.len())
}

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct StateFolder(PathBuf);

impl StateFolder {
    /// The user's, made where it is not there, and closed to others.
    pub(crate) fn open(environment: &Environment) -> Result<Self> {
        let path = folder(environment).ok_or_else(|| {
            Failure::new(Exit::Failed, "there is no folder for the emulator's state")
                .because("neither a home folder nor the system's own variable for it is set")
                .with_hint(format!("set {STATE_VARIABLE} to a folder of your own"))
        })?;
        Ok(Self::at(path)?)
    }

    /// This one, made where it is not there, and closed to others.
    pub(crate) fn at(path: PathBuf) -> anyhow::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&path)
            .with_context(|| format!("failed to make the folder {}", path.display()))?;
        Ok(StateFolder(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Where an emulator in the background logs.
    pub(crate) fn log(&self) -> PathBuf {
        self.0.join("emulator.log")
    }

    /// Where the certificates of its TLS ports are kept from run to run.
    pub(crate) fn certificates(&self) -> PathBuf {
        self.0.join("certificates")
    }

    fn discovery(&self) -> PathBuf {
        self.0.join("emulator.json")
    }

    /// The lock that one start holds, so that two at once yield one process.
    pub(crate) fn try_lock_start(&self) -> anyhow::Result<Option<File>> {
        self.try_lock("start.lock")
    }

    /// The lock that a running emulator holds as long as it lives.
    pub(crate) fn try_lock_life(&self) -> anyhow::Result<Option<File>> {
        self.try_lock("life.lock")
    }

    fn try_lock(&self, name: &str) -> anyhow::Result<Option<File>> {
        let path = self.0.join(name);
        let file = private()
            .open(&path)
            .with_context(|| format!("failed to open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("failed to lock {}", path.display()))
            }
        }
    }

    /// What the emulator of this folder wrote; `None` where it has not, or where another version
    /// wrote what this one cannot read.
    pub(crate) fn read(&self) -> Option<Discovery> {
        let text = fs::read_to_string(self.discovery()).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Writes it whole or not at all, readable by its owner alone: it holds the token.
    pub(crate) fn write(&self, discovery: &Discovery) -> anyhow::Result<()> {
        let target = self.discovery();
        let draft = self.0.join(format!("emulator.json.{}", std::process::id()));
        let text =
            serde_json::to_string_pretty(discovery).context("failed to write down the emulator")?;
        let written = private()
            .truncate(true)
            .open(&draft)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&draft, &target));
        written.with_context(|| format!("failed to write {}", target.display()))
    }

    /// Forgets what an emulator wrote.
    pub(crate) fn clear(&self) {
        // What is not there need not go, and a folder that cannot be written to fails elsewhere.
        let _ = fs::remove_file(self.discovery());
    }
}

/// How files that only their owner may read are opened.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The folder for state that outlives a run, by each system's custom.
fn folder(environment: &Environment) -> Option<PathBuf> {
    if let Some(stated) = environment.get(STATE_VARIABLE) {
        return Some(PathBuf::from(stated));
    }
    let home = || environment.get("HOME").map(PathBuf::from);
    let base = if cfg!(windows) {
        environment.get("LOCALAPPDATA").map(PathBuf::from)?
    } else if cfg!(target_os = "macos") {
        home()?.join("Library/Application Support")
    } else {
        // https://specifications.freedesktop.org/basedir-spec/latest/
        match environment.get("XDG_STATE_HOME").map(PathBuf::from) {
            Some(stated) if stated.is_absolute() => stated,
            _ => home()?.join(".local/state"),
        }
    };
    Some(base.join("mq"))
}

/// The token leaves memory here and nowhere else, into a file that only its owner reads.
mod token_text {
    use mq_emulator::Token;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        token: &Token,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(token.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Token, D::Error> {
        String::deserialize(deserializer).map(Token::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discovery() -> Discovery {
        Discovery {
            schema_version: Discovery::SCHEMA_VERSION,
            pid: 7,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build: build(),
            seed: 1,
            clock: ClockMode::Manual,
            quirks: Vec::new(),
            idle_exit_seconds: None,
            addresses: BTreeMap::new(),
            env: BTreeMap::new(),
            log: None,
            token: Token::new("hush-hush"),
        }
    }

    #[test]
    fn what_is_written_is_read_and_only_its_owner_may() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateFolder::at(folder.path().join("deep/mq")).expect("a state folder");
        assert!(state.read().is_none());
        state.write(&discovery()).expect("written");
        let read = state.read().expect("read");
        assert_eq!(read.token.expose(), "hush-hush");
        assert!(read.is_this_build());
        assert_eq!(read.clock, ClockMode::Manual);
        assert!(!format!("{read:?}").contains("hush"), "{read:?}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode();
            assert_eq!(mode(&state.discovery()) & 0o777, 0o600);
            assert_eq!(mode(state.path()) & 0o777, 0o700);
        }
        state.clear();
        assert!(state.read().is_none());
    }

    #[test]
    fn a_lock_is_held_by_one_and_free_when_it_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateFolder::at(folder.path().to_owned()).expect("a state folder");
        let held = state.try_lock_life().expect("a lock").expect("is free");
        assert!(state.try_lock_life().expect("a lock").is_none());
        assert!(state.try_lock_start().expect("a lock").is_some());
        drop(held);
        assert!(state.try_lock_life().expect("a lock").is_some());
    }

    #[test]
    fn the_folder_is_the_stated_one_or_the_systems() {
        let stated: Environment = [(STATE_VARIABLE, "/elsewhere"), ("HOME", "/home/a")]
            .into_iter()
            .collect();
        assert_eq!(folder(&stated), Some(PathBuf::from("/elsewhere")));
        assert_eq!(folder(&Environment::default()), None);
        if cfg!(all(unix, not(target_os = "macos"))) {
            let home: Environment = [("HOME", "/home/a")].into_iter().collect();
            assert_eq!(
                folder(&home),
                Some(PathBuf::from("/home/a/.local/state/mq"))
            );
            let xdg: Environment = [("HOME", "/home/a"), ("XDG_STATE_HOME", "/state")]
                .into_iter()
                .collect();
            assert_eq!(folder(&xdg), Some(PathBuf::from("/state/mq")));
        }
    }
}
