//! The variables that lead the vendors' SDKs, and their samples, to an emulator.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use crate::ca::CaFolder;
use crate::server::{Addresses, Config, reachable};

/// The access key that the emulator's environment names. The emulator checks no signature.
const ACCESS_KEY_ID: &str = "mq-emulator";
/// Its secret, which protects nothing.
const SECRET_ACCESS_KEY: &str = "mq-emulator";
/// The key of the SAS rule, 32 bytes in Base64 as the SDKs expect; it protects nothing either.
const SHARED_ACCESS_KEY: &str = "bXEtZW11bGF0b3Itc2hhcmVkLWFjY2Vzcy1rZXktMzI=";

/// The files by which clients trust the TLS ports.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    /// The CA alone.
    ca_file: String,
    /// The machine's roots and the CA, where the machine's roots were found.
    bundle: Option<String>,
}

impl Trust {
    /// Writes the bundle for the CA of this file.
    pub(crate) fn prepare(folder: &CaFolder, ca_file: &Path) -> io::Result<Self> {
        let bundle = folder.bundle(&fs::read_to_string(ca_file)?)?;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        Ok(Trust {
            ca_file: text(ca_file),
            bundle: bundle.as_deref().map(text),
        })
    }
}

/// Every variable of what is served today.
pub(crate) fn variables(
    config: &Config,
    addresses: Addresses,
    trust: &Trust,
) -> Vec<(String, String)> {
    let addresses = reachable(addresses);
    let sqs = format!("http://{}", addresses.sqs);
    let admin_host = match addresses.servicebus_admin.ip() {
        // The name that the certificate is for, and that the vendor's own examples use.
        ip if ip.is_loopback() => "localhost".to_owned(),
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let admin_port = addresses.servicebus_admin.port();
    let mut variables = vec![
        ("AWS_ENDPOINT_URL_SQS", sqs.clone()),
        ("AWS_ENDPOINT_URL_STS", sqs),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.to_owned()),
        ("AWS_REGION", config.region.clone()),
        ("AWS_DEFAULT_REGION", config.region.clone()),
        ("PUBSUB_EMULATOR_HOST", addresses.pubsub.to_string()),
        ("PUBSUB_PROJECT_ID", config.project.clone()),
        ("GOOGLE_CLOUD_PROJECT", config.project.clone()),
        (
            "SERVICEBUS_ADMIN_CONNECTION_STRING",
            format!(
                "Endpoint=sb://{admin_host}:{admin_port};SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey={SHARED_ACCESS_KEY};UseDevelopmentEmulator=true;"
            ),
        ),
        (
            "MQ_EMULATOR_CONSOLE",
            format!("http://{}", addresses.console),
        ),
        ("MQ_EMULATOR_CA", trust.ca_file.clone()),
        ("NODE_EXTRA_CA_CERTS", trust.ca_file.clone()),
    ];
    if let Some(bundle) = &trust.bundle {
        variables.push(("REQUESTS_CA_BUNDLE", bundle.clone()));
    }
    variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
