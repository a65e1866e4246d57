//! A server in a process of its own, and what it costs.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::Absent;

/// Interpreters and virtual machines take their time.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How closely the time until ready is seen.
const READY_POLL: Duration = Duration::from_millis(1);
/// The unit of the times in `/proc/*/stat`, the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// How a server is started. `PORT` in an argument or a variable stands for its port.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// As in the tables.
    pub(crate) name: String,
    /// What is run.
    pub(crate) path: String,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Variables of its environment.
    pub(crate) environment: Vec<(&'static str, String)>,
}

/// A running server; it ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From the start of the process to the first request that was answered.
    pub(crate) ready: Duration,
    child: Child,
    _folder: TempDir,
}

impl Server {
    /// Starts it in an empty folder and waits until `answers` says that it does.
    pub(crate) async fn start(
        program: &Program,
        answers: impl AsyncFn(SocketAddr) -> bool,
    ) -> Result<Server, Absent> {
        let absent = |why: String| Absent::new(&program.name, why);
        let port = free_port().map_err(|error| absent(error.to_string()))?;
        let folder = TempDir::new().map_err(|error| absent(error.to_string()))?;
        let filled = |text: &str| text.replace("PORT", &port.to_string());
        let mut command = Command::new(&program.path);
        command
            .args(program.arguments.iter().map(|text| filled(text)))
            .envs(
                program
                    .environment
                    .iter()
                    .map(|(name, value)| (name, filled(value))),
            )
            // Every emulator of ours writes down where it is; these are not to be found.
            .env("MQ_EMULATOR_STATE", folder.path())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let begun = Instant::now();
        let child = command
            .spawn()
            .map_err(|error| absent(format!("`{}`: {error}", program.path)))?;
        let mut server = Server {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            ready: Duration::ZERO,
            child,
            _folder: folder,
        };
        while !answers(server.address).await {
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(absent(format!("it ended at its start, {status}")));
            }
            if begun.elapsed() > START_TIMEOUT {
                return Err(absent("it did not answer in time".to_owned()));
            }
            tokio::time::sleep(READY_POLL).await;
        }
        server.ready = begun.elapsed();
        Ok(server)
    }

    /// What it holds in memory, in bytes; 0 where the system does not tell.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kib.unwrap_or(0) * 1024
    }

    /// The processor time that it has used, in seconds.
    pub(crate) fn processor_seconds(&self) -> f64 {
        processor_seconds(&self.child.id().to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time that this process has used, in seconds.
pub(crate) fn own_processor_seconds() -> f64 {
    processor_seconds("self")
}

/// User and system time together; 0 where the system does not tell.
fn processor_seconds(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name before the last parenthesis may hold anything.
    let Some((_, fields)) = stat.rsplit_once(')') else {
        return 0.0;
    };
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / TICKS_PER_SECOND
}

/// One that nobody listened on a moment ago.
fn free_port() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
