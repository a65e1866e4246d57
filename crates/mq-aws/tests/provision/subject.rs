//! The servers that the cases run against.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use mq_core::Access;

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
    child: Option<Mutex<Child>>,
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
        if let Some(Ok(Server {
            child: Some(child), ..
        })) = self.server.get()
        {
            let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = child.kill();
            let _ = child.wait();
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
    vec![Subject {
        name: "moto",
        absent: moto_absent(),
        start: start_moto,
        server: OnceLock::new(),
    }]
}

const PYTHON: &str = "python3";

fn moto_absent() -> Option<String> {
    let find = "import importlib.util, sys; sys.exit(importlib.util.find_spec('moto') is None)";
    let found = Command::new(PYTHON)
        .args(["-c", find])
        .stderr(Stdio::null())
        .status();
    match found {
        Ok(status) if status.success() => None,
        Ok(_) => Some("python3 has no moto: `pip install 'moto[server]'`".to_owned()),
        Err(error) => Some(format!("{PYTHON}: {error}")),
    }
}

fn start_moto() -> Result<Server, String> {
    let mut child = Command::new(PYTHON)
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
        child: Some(Mutex::new(child)),
    })
}
