//! Google's own emulator, where its jar and a Java runtime are found.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Arguments;

/// Where packages and installers of the Google Cloud CLI put it.
const FOLDERS: &[&str] = &[
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/snap/google-cloud-cli/current",
    "/opt/homebrew/share/google-cloud-sdk",
];

/// A JVM takes its time.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A running emulator of Google's; it ends with this value.
#[derive(Debug)]
pub(crate) struct GoogleEmulator {
    child: Child,
    host: String,
}

impl GoogleEmulator {
    /// Starts it, or says why not. A listing of tests starts nothing.
    pub(crate) fn find(arguments: &Arguments) -> Result<Self, String> {
        let jar = jar().ok_or("Google's emulator is not installed")?;
        if arguments.list {
            return Err("not started for a listing".to_owned());
        }
        let java = Command::new("java")
            .arg("-version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !java.is_ok_and(|status| status.success()) {
            return Err("no Java runtime for Google's emulator".to_owned());
        }
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(|error| error.to_string())?
            .port();
        let child = Command::new("java")
            .arg("-jar")
            .arg(jar)
            .arg("--host=127.0.0.1")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut emulator = GoogleEmulator {
            child,
            host: format!("127.0.0.1:{port}"),
        };
        emulator.await_listening()?;
        Ok(emulator)
    }

    /// Its host and port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    fn await_listening(&mut self) -> Result<(), String> {
        let start = Instant::now();
        while start.elapsed() < START_TIMEOUT {
            if TcpStream::connect(&self.host).is_ok() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("Google's emulator ended with {status}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err("Google's emulator did not listen in time".to_owned())
    }
}

impl Drop for GoogleEmulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn jar() -> Option<PathBuf> {
    let named = std::env::var_os("CLOUDSDK_ROOT_DIR").map(PathBuf::from);
    let folders = named
        .into_iter()
        .chain(FOLDERS.iter().map(|folder| PathBuf::from(*folder)));
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder.join("platform/pubsub-emulator/lib")) else {
            continue;
        };
        let found = entries.flatten().map(|entry| entry.path()).find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("cloud-pubsub-emulator") && name.ends_with(".jar")
        });
        if found.is_some() {
            return found;
        }
    }
    None
}
