//! The other emulators: those that are installed, and those that their registries have.
//!
//! What a registry has is installed once, pinned, into a folder beside this program's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Absent;
use super::process::Program;

const FAUXQS: &str = "2.4.1";
/// What fauxqs needs at least; where `node` is older, one comes from npm too.
const NODE_MAJOR_MIN: u32 = 23;
const NODE: &str = "24";
const MINISTACK: &str = "1.5.33";
const ROTO: &str = "0.10.1";

/// Every emulator of SQS, or why it is absent.
pub(crate) fn sqs() -> Vec<Result<Program, Absent>> {
    vec![moto(), fauxqs(), ministack(), roto()]
}

/// Every other emulator of Pub/Sub, or why it is absent.
pub(crate) fn pubsub() -> Vec<Result<Program, Absent>> {
    vec![google()]
}

/// The interpreter that has moto.
fn python() -> String {
    std::env::var("MQ_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

fn moto() -> Result<Program, Absent> {
    let python = python();
    let version =
        "import importlib.metadata, moto.server; print(importlib.metadata.version('moto'))";
    let version = said(Command::new(&python).args(["-c", version])).map_err(|_| {
        Absent::new(
            "moto",
            format!("{python} has no moto: `pip install 'moto[server]'`"),
        )
    })?;
    Ok(Program {
        name: format!("moto {version}"),
        path: python,
        arguments: words("-m moto.server -p PORT"),
        environment: Vec::new(),
    })
}

fn fauxqs() -> Result<Program, Absent> {
    let name = format!("fauxqs {FAUXQS}");
    let absent = |why| Absent::new(&name, why);
    let folder = folder(&name);
    let main = folder.join("node_modules/fauxqs/dist/server.js");
    if !main.is_file() {
        npm(&folder, &format!("fauxqs@{FAUXQS}")).map_err(absent)?;
    }
    let node = node(&folder).map_err(absent)?;
    Ok(Program {
        path: node,
        arguments: vec![text(&main)],
        environment: vec![
            ("FAUXQS_PORT", "PORT".to_owned()),
            ("FAUXQS_HOST", "127.0.0.1".to_owned()),
            ("FAUXQS_LOGGER", "false".to_owned()),
        ],
        name,
    })
}

/// The Node.js that is installed, or one beside fauxqs.
fn node(folder: &Path) -> Result<String, String> {
    let version = said(Command::new("node").arg("--version"))?;
    let major = version.trim_start_matches('v').split('.').next();
    if major.and_then(|major| major.parse().ok()).unwrap_or(0) >= NODE_MAJOR_MIN {
        return Ok("node".to_owned());
    }
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let package = format!("node-{system}-{machine}");
    let node = folder.join("node_modules").join(&package).join("bin/node");
    if !node.is_file() {
        npm(folder, &format!("{package}@{NODE}"))?;
    }
    Ok(text(&node))
}

/// Installs a package without running any script of it.
fn npm(folder: &Path, package: &str) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let mut command = Command::new("npm");
    command
        .args(words(
            "install --silent --no-audit --no-fund --ignore-scripts",
        ))
        .args(words("--fetch-retries 1 --fetch-timeout 30000 --prefix ."))
        .arg(package)
        .current_dir(folder);
    said(&mut command).map(drop)
}

fn ministack() -> Result<Program, Absent> {
    let name = format!("ministack {MINISTACK}");
    let path = pip(&name, &format!("ministack=={MINISTACK}"), "ministack")?;
    Ok(Program {
        name,
        path,
        arguments: Vec::new(),
        environment: vec![
            ("GATEWAY_PORT", "PORT".to_owned()),
            ("LOG_LEVEL", "ERROR".to_owned()),
        ],
    })
}

fn roto() -> Result<Program, Absent> {
    let name = format!("roto-aws {ROTO}");
    let path = pip(&name, &format!("roto-aws=={ROTO}"), "roto-server")?;
    Ok(Program {
        name,
        path,
        arguments: words("--ephemeral --port PORT"),
        environment: Vec::new(),
    })
}

/// Installs a Python package into an environment of its own and says where its command is.
fn pip(name: &str, package: &str, command: &str) -> Result<String, Absent> {
    let absent = |why| Absent::new(name, why);
    let folder = folder(name);
    let path = folder.join("bin").join(command);
    if !path.is_file() {
        said(Command::new("python3").args(["-m", "venv"]).arg(&folder)).map_err(absent)?;
        let mut install = Command::new(folder.join("bin/python"));
        install
            .args(words("-m pip install --quiet --disable-pip-version-check"))
            .args(words("--retries 1 --timeout 30"))
            .arg(package);
        said(&mut install).map_err(absent)?;
    }
    Ok(text(&path))
}

/// Where packages and installers of the Google Cloud CLI put it.
const CLOUD_CLI_FOLDERS: &[&str] = &[
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/snap/google-cloud-cli/current",
    "/opt/homebrew/share/google-cloud-sdk",
];

fn google() -> Result<Program, Absent> {
    let absent = |why: String| Absent::new("Google's emulator", why);
    let (jar, version) = jar().ok_or_else(|| absent("its jar is not found".to_owned()))?;
    said(Command::new("java").arg("-version"))
        .map_err(|why| absent(format!("no Java runtime: {why}")))?;
    Ok(Program {
        name: format!("Google's {version}"),
        path: "java".to_owned(),
        arguments: vec![
            "-jar".to_owned(),
            text(&jar),
            "--host=127.0.0.1".to_owned(),
            "--port=PORT".to_owned(),
        ],
        environment: Vec::new(),
    })
}

/// The jar and the version in its name.
fn jar() -> Option<(PathBuf, String)> {
    let named = std::env::var_os("CLOUDSDK_ROOT_DIR").map(PathBuf::from);
    let folders = CLOUD_CLI_FOLDERS.iter().map(PathBuf::from);
    named.into_iter().chain(folders).find_map(|folder| {
        let entries = std::fs::read_dir(folder.join("platform/pubsub-emulator/lib")).ok()?;
        entries.flatten().find_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix("cloud-pubsub-emulator-")?;
            let version = version.strip_suffix(".jar")?.trim_end_matches("-all");
            Some((entry.path(), version.to_owned()))
        })
    })
}

/// A folder of the build's, for what is installed here.
fn folder(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.join("rivals").join(name.replace(' ', "-"))
}

/// Runs a command to its end: what it says, or why it failed.
fn said(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{name}`: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let last = errors.lines().rfind(|line| !line.trim().is_empty());
    Err(format!(
        "`{name}` failed: {}",
        last.unwrap_or_default().trim()
    ))
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
