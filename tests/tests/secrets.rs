//! No secret is ever printed: not in results, errors, logs, documents or the usage of a wrong flag.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something cannot be set up"
)]

use std::process::Command;

use mq_tests::binary;

const SECRET: &str = "c2VjcmV0LW9mLXRoaXMtdGVzdC0wMTIzNDU2Nzg5YWJjZGVm";

/// Every run has every kind of credential in its environment, and nothing behind the addresses.
fn mq(file: &str, arguments: &[&str]) -> (bool, String) {
    let nowhere = "http://127.0.0.1:9";
    let output = Command::new(binary::mq())
        .args(arguments)
        .args(["-f", file])
        .env("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", SECRET)
        .env("AWS_ENDPOINT_URL", nowhere)
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env(
            "MQ_AZURE_CONNECTION_STRING",
            format!("Endpoint=sb://localhost:9;SharedAccessKeyName=root;SharedAccessKey={SECRET};UseDevelopmentEmulator=true;"),
        )
        .env("AZURE_CLIENT_SECRET", SECRET)
        .env("PUBSUB_EMULATOR_HOST", "127.0.0.1:9")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn no_command_prints_a_secret_however_it_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mq.yaml");
    std::fs::write(
        &path,
        "version: 1\nstack: secrets\nclouds: { aws: {}, azure: {}, gcp: { project: p } }\nqueues: { jobs: { dead_letter: { max_deliveries: 5 } } }\n",
    )
    .unwrap();
    let file = path.to_str().unwrap();
    let runs = |cloud: &'static str| {
        let mut failed = 0;
        for command in ["plan", "provision", "status", "endpoint", "destroy"] {
            for output in ["text", "json"] {
                let arguments = [
                    command,
                    "--cloud",
                    cloud,
                    "--output",
                    output,
                    "-vvv",
                    "--timeout",
                    "1s",
                ];
                let (success, said) = mq(file, &arguments);
                failed += usize::from(!success);
                assert!(
                    !said.contains(SECRET),
                    "{command} {cloud} {output} prints a secret:\n{said}"
                );
                assert!(
                    !said.contains("panicked"),
                    "{command} {cloud} {output}:\n{said}"
                );
            }
        }
        failed
    };
    let failed: usize = std::thread::scope(|scope| {
        let clouds = ["aws", "azure", "gcp"].map(|cloud| scope.spawn(move || runs(cloud)));
        clouds.into_iter().map(|cloud| cloud.join().unwrap()).sum()
    });
    // Nothing listens there: had a run succeeded, it would not have been this test's.
    assert_eq!(failed, 30);
}

#[test]
fn a_secret_in_the_file_is_warned_of_and_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mq.yaml");
    let text = format!(
        "version: 1\nstack: secrets\nqueues: {{ jobs: {{ labels: {{ key: \"Endpoint=sb://x/;SharedAccessKeyName=root;SharedAccessKey={SECRET}\" }}, retentoin: 4d }} }}\n"
    );
    std::fs::write(&path, text).unwrap();
    let (success, said) = mq(path.to_str().unwrap(), &["check"]);
    assert!(!success);
    assert!(said.contains("retention"), "{said}");
    assert!(!said.contains(SECRET), "{said}");
}
