//! Backends to check files against, and the files.

use std::path::{Path, PathBuf};

use mq_config::{Loaded, load, render};
use mq_core::BackendInfo;
use mq_core::backend::{SettingInfo, SettingKind};
use mq_core::capability::fact;

const fn setting(name: &'static str, kind: SettingKind) -> SettingInfo {
    SettingInfo {
        name,
        kind,
        doc: "A setting.",
    }
}

pub(crate) static AWS: BackendInfo = BackendInfo {
    id: "aws",
    service: "Amazon SQS",
    settings: &[
        setting("region", SettingKind::Text),
        setting("account", SettingKind::Digits),
        setting("profile", SettingKind::Text),
        setting("endpoint", SettingKind::Text),
    ],
    native: &[
        setting("KmsDataKeyReusePeriodSeconds", SettingKind::Integer),
        setting(
            "FifoThroughputLimit",
            SettingKind::OneOf(&["perQueue", "perMessageGroupId"]),
        ),
    ],
    names: &["queue", "dead_letter"],
    identity: None,
    request_price: fact(0, ""),
};

pub(crate) static AZURE: BackendInfo = BackendInfo {
    id: "azure",
    service: "Azure Service Bus",
    settings: &[
        setting("namespace", SettingKind::Text),
        setting(
            "tier",
            SettingKind::OneOf(&["basic", "standard", "premium"]),
        ),
        setting("connection_string_env", SettingKind::Text),
    ],
    native: &[
        setting("EnableBatchedOperations", SettingKind::Bool),
        setting("AutoDeleteOnIdle", SettingKind::Duration),
    ],
    names: &["queue", "dead_letter"],
    identity: None,
    request_price: fact(0, ""),
};

pub(crate) static GCP: BackendInfo = BackendInfo {
    id: "gcp",
    service: "Google Cloud Pub/Sub",
    settings: &[
        setting("project", SettingKind::Text),
        setting("project_number", SettingKind::Digits),
        setting("grants", SettingKind::OneOf(&["manage", "check", "skip"])),
        setting("service_agent", SettingKind::Text),
    ],
    native: &[setting("enableExactlyOnceDelivery", SettingKind::Bool)],
    names: &["topic", "subscription", "dead_letter"],
    identity: None,
    request_price: fact(0, ""),
};

pub(crate) static BACKENDS: [&BackendInfo; 3] = [&AWS, &AZURE, &GCP];

/// Loads a text with two variables set.
pub(crate) fn loaded(text: &str) -> Loaded {
    load(
        text,
        &|name| match name {
            "REGION" => Some("eu-west-1".to_owned()),
            "TOKEN" => Some("hush-hush".to_owned()),
            _ => None,
        },
        &BACKENDS,
    )
}

/// What is wrong with a text, as the command line says it.
pub(crate) fn complaints(text: &str) -> String {
    let text = text.trim_start_matches('\n');
    render(&loaded(text).diagnostics, text, "mq.yaml", false)
}

/// A file around these queues.
pub(crate) fn with_queues(queues: &str) -> String {
    format!(
        "version: 1\nstack: test\nqueues:\n{}",
        queues.trim_start_matches('\n')
    )
}

/// The shipped files, with their names.
pub(crate) fn shipped() -> Vec<(String, String)> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs"))
}

/// The files of the corpus, with their names.
pub(crate) fn corpus() -> Vec<(String, String)> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus"))
}

fn files(folder: &Path) -> Vec<(String, String)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder of this repository")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let bytes = std::fs::read(&path).expect("a file");
            (
                path.file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                String::from_utf8_lossy(&bytes).into_owned(),
            )
        })
        .collect()
}
