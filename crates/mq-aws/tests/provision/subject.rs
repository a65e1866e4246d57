//! The servers that the cases run against.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use mq_core::Access;
use mq_emulator::{Config, Emulator, Ports};
use tokio::sync::oneshot;

/// A server that speaks SQS and STS.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    /// Why it is not on this machine, when it is not.
    pub(crate) absent: Option<String>,
    start: fn() -> Result<Server, String>,
    server: OnceLock<Result<Server, String>>,
}

/// One that runs.
pub(crate) struct Server {
    /// The variables that lead an SDK to it.
    pub(crate) variables: Vec<(String, String)>,
    process: Mutex<Process>,
}

enum Process {
    Child(Child),
    /// In this process, until the sender is dropped.
    Here(Option<oneshot::Sender<()>>, Option<JoinHandle<()>>),
}

impl Process {
    fn end(&mut self) {
        match self {
            Process::Child(child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
            Process::Here(running, thread) => {
                drop(running.take());
                let _ = thread.take().map(JoinHandle::join);
            }
        }
    }
}

impl Subject {
    /// The server, started by the first case that asks for it.
    pub(crate) fn server(&self) -> Result<&Server, String> {
        if let Some(reason) = &self.absent {
            return Err(reason.clone());
        }
        self.server
            .get_or_init(self.start)
            .as_ref()
            .map_err(Clone::clone)
    }

    /// Ends what was started.
    pub(crate) fn stop(&self) {
        if let Some(Ok(server)) = self.server.get() {
            let mut process = server
                .process
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            process.end();
        }
    }
}

impl Server {
    pub(crate) fn access(&self) -> Access {
        Access::emulator(self.variables.clone())
    }

    pub(crate) fn variable(&self, name: &str) -> &str {
        let found = self.variables.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }
}

/// Every subject, present or not.
pub(crate) fn all() -> Vec<Subject> {
    vec![
        Subject {
            name: "moto",
            absent: moto_absent(),
            start: start_moto,
            server: OnceLock::new(),
        },
        Subject {
            name: "emulator",
            absent: None,
            start: start_emulator,
            server: OnceLock::new(),
        },
    ]
}

/// The interpreter that has moto.
fn python() -> String {
    std::env::var("MQ_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

fn moto_absent() -> Option<String> {
    let find = "import importlib.util, sys; sys.exit(importlib.util.find_spec('moto') is None)";
    let python = python();
    let found = Command::new(&python)
        .args(["-c", find])
        .stderr(Stdio::null())
        .status();
    match found {
        Ok(status) if status.success() => None,
        Ok(_) => Some(format!(
            "{python} has no moto: `pip install 'moto[server]'`"
        )),
        Err(error) => Some(format!("{python}: {error}")),
    }
}

fn start_moto() -> Result<Server, String> {
    let mut child = Command::new(python())
        .args(["-u", "-m", "moto.server", "-p", "0"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let Some(stderr) = child.stderr.take() else {
        return Err("moto has no stderr".to_owned());
    };
    let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
    let mut said = Vec::new();
    let endpoint = lines.by_ref().find_map(|line| {
        let endpoint = line.split_once("Running on ").map(|(_, rest)| {
            let address = rest.split_whitespace().next().unwrap_or_default();
            address.trim_end_matches('/').to_owned()
        });
        said.push(line);
        endpoint
    });
    let Some(endpoint) = endpoint else {
        let _ = child.kill();
        return Err(format!("moto ended: {}", said.join("; ")));
    };
    // Its log goes on; a full pipe would stop it.
    std::thread::spawn(move || lines.for_each(drop));
    let variables = [
        ("AWS_ENDPOINT_URL_SQS", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "eu-west-1"),
    ];
    Ok(Server {
        variables: variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        process: Mutex::new(Process::Child(child)),
    })
}

fn start_emulator() -> Result<Server, String> {
    let (started, variables) = std::sync::mpsc::channel();
    let (running, stop) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let config = Config {
                ports: Ports::free(),
                region: "eu-west-1".to_owned(),
                ..Config::default()
            };
            match Emulator::start(config).await {
                Err(error) => started.send(Err(error.to_string())).expect("a listener"),
                Ok(emulator) => {
                    started.send(Ok(emulator.env())).expect("a listener");
                    let _ = stop.await;
                    emulator.stop().await;
                }
            }
        });
    });
    let variables = variables.recv().map_err(|error| error.to_string())??;
    Ok(Server {
        variables,
        process: Mutex::new(Process::Here(Some(running), Some(thread))),
    })
}
