//! The vendor's chain for region, credentials and endpoints reads the environment, which a process
//! cannot safely change for itself: so this program runs itself again, with the vendor's variables.

use std::io::Write;
use std::process::Command;

use mq_core::{Access, ErrorKind, Result, Scope, Target};
use serde_json::json;

use crate::world::World;

/// Says in the other process which part of the case it is.
const PART: &str = "MQ_TEST_VENDOR_CHAIN";

pub(crate) async fn the_vendors_chain_is_honoured(world: &World<'_>) {
    again(world, "everything", &[]);
    again(world, "no region", &["AWS_REGION", "AWS_DEFAULT_REGION"]);
    let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    again(world, "no credentials", &keys);
}

fn again(world: &World<'_>, part: &str, without: &[&str]) {
    let nowhere = "/nonexistent";
    let variables = world.server.variables.iter();
    let variables = variables.filter(|(name, _)| !without.contains(&name.as_str()));
    let output = Command::new(std::env::current_exe().expect("this program"))
        .env_clear()
        .envs(variables.cloned())
        .env(PART, part)
        .env("HOME", nowhere)
        .env("AWS_CONFIG_FILE", nowhere)
        .env("AWS_SHARED_CREDENTIALS_FILE", nowhere)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .expect("another process");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{part}: {said}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("{part}: done\n")
    );
}

/// Whether this process is the other one; then it does its part.
pub(crate) fn is_the_other_process() -> bool {
    let Ok(part) = std::env::var(PART) else {
        return false;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        match part.as_str() {
            "everything" => everything().await,
            "no region" => {
                let error = identify(json!({})).await.expect_err("no region");
                assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
                assert!(error.hint().is_some_and(|hint| hint.contains("AWS_REGION")));
            }
            "no credentials" => {
                let error = identify(json!({})).await.expect_err("no credentials");
                assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
                assert!(
                    error
                        .hint()
                        .is_some_and(|hint| hint.contains("aws sso login"))
                );
            }
            other => panic!("no part of this name: {other}"),
        }
    });
    writeln!(std::io::stdout(), "{part}: done").expect("stdout");
    true
}

async fn everything() {
    let scope = identify(json!({})).await.expect("credentials");
    let account = scope.facts["account"].clone();
    assert_eq!(scope.label, format!("{account}/eu-west-1"));
    let stated = json!({ "region": "us-east-2", "account": account });
    let there = identify(stated).await.expect("our account");
    assert!(there.label.ends_with("/us-east-2"));
    let error = identify(json!({ "account": "999999999999" })).await;
    let error = error.expect_err("another account");
    assert_eq!(error.kind(), ErrorKind::Refused);
    for named in [account.as_str(), "999999999999"] {
        assert!(error.message().contains(named), "{error}");
    }
}

async fn identify(settings: serde_json::Value) -> Result<Scope> {
    let target = Target {
        settings: settings.as_object().cloned().unwrap_or_default(),
        ..Target::implied("aws")
    };
    let backend = mq_aws::factory().create(&target, &Access::vendor(std::env::vars()))?;
    backend.control().identify().await
}
