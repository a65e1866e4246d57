//! An emulator's start, its environment, its console and its end.

mod common;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, TcpListener};

use common::{call, started};
use mq_emulator::{Config, Emulator, Ports, Quirks, StartError, Token};

#[tokio::test]
async fn the_environment_leads_to_the_emulator() {
    let emulator = started(Quirks::default()).await;
    let env: BTreeMap<String, String> = emulator.env().into_iter().collect();
    let addresses = emulator.addresses();
    assert_eq!(
        env["AWS_ENDPOINT_URL_SQS"],
        format!("http://{}", addresses.sqs)
    );
    assert_eq!(env["AWS_ENDPOINT_URL_STS"], env["AWS_ENDPOINT_URL_SQS"]);
    assert_eq!(env["AWS_REGION"], env["AWS_DEFAULT_REGION"]);
    assert_eq!(env["PUBSUB_EMULATOR_HOST"], addresses.pubsub.to_string());
    assert_eq!(env["PUBSUB_PROJECT_ID"], env["GOOGLE_CLOUD_PROJECT"]);
    assert_eq!(
        env["MQ_EMULATOR_CONSOLE"],
        format!("http://{}", addresses.console)
    );
    let connection = &env["SERVICEBUS_ADMIN_CONNECTION_STRING"];
    let endpoint = format!(
        "Endpoint=sb://localhost:{};",
        addresses.servicebus_admin.port()
    );
    assert!(connection.starts_with(&endpoint), "{connection}");
    assert!(
        connection.ends_with("UseDevelopmentEmulator=true;"),
        "{connection}"
    );

    let ca = std::fs::read_to_string(&env["MQ_EMULATOR_CA"]).unwrap();
    assert!(ca.contains("BEGIN CERTIFICATE") && !ca.contains("PRIVATE KEY"));
    assert_eq!(env["NODE_EXTRA_CA_CERTS"], env["MQ_EMULATOR_CA"]);
    if let Some(bundle) = env.get("REQUESTS_CA_BUNDLE") {
        let bundle = std::fs::read_to_string(bundle).unwrap();
        assert!(bundle.ends_with(&ca) && bundle.len() > ca.len() + 1);
    }
    assert!(
        !env.contains_key("SERVICEBUS_CONNECTION_STRING"),
        "there is no AMQP to connect to"
    );
    emulator.stop().await;
    assert!(
        !std::path::Path::new(&env["MQ_EMULATOR_CA"]).exists(),
        "the fresh CA stayed"
    );
}

#[tokio::test]
async fn a_chosen_ca_folder_keeps_its_ca() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let config = Config {
            ports: Ports::free(),
            ca_dir: Some(folder.path().to_owned()),
            ..Config::default()
        };
        let emulator = Emulator::start(config).await.unwrap();
        let env: BTreeMap<String, String> = emulator.env().into_iter().collect();
        seen.push(std::fs::read_to_string(&env["MQ_EMULATOR_CA"]).unwrap());
        emulator.stop().await;
    }
    assert_eq!(seen[0], seen[1]);
}

/// The message names the service, the port and the way out; nothing is left listening.
#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for name in Ports::NAMES {
        let mut ports = Ports::free();
        ports.parse(&format!("{name}={port}")).unwrap();
        let error = Emulator::start(Config {
            ports,
            ..Config::default()
        })
        .await
        .unwrap_err();
        assert!(matches!(error, StartError::PortTaken { .. }), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains(&port.to_string()) && text.contains(&format!("`--port {name}=0`")),
            "{text}"
        );
    }
}

#[tokio::test]
async fn remote_listening_must_be_allowed() {
    let everywhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let config = Config {
        listen: everywhere,
        ports: Ports::free(),
        ..Config::default()
    };
    let error = Emulator::start(config.clone()).await.unwrap_err();
    assert!(matches!(error, StartError::Remote(_)) && error.to_string().contains("--allow-remote"));

    let emulator = Emulator::start(Config {
        allow_remote: true,
        ..config
    })
    .await
    .unwrap();
    let env: BTreeMap<String, String> = emulator.env().into_iter().collect();
    assert!(
        env["AWS_ENDPOINT_URL_SQS"].starts_with("http://127.0.0.1:"),
        "no client can reach 0.0.0.0"
    );
    emulator.stop().await;
}

#[tokio::test]
async fn the_console_tells_health_readiness_and_counts() {
    let emulator = started(Quirks::default()).await;
    let console = emulator.addresses().console;
    assert_eq!(
        emulator.requests(),
        0,
        "the probes of the start were counted"
    );
    let health = call(console, "GET /health HTTP/1.1", &[], "").await;
    assert_eq!(health.status, 200);

    let ready = call(console, "GET /ready HTTP/1.1", &[], "").await;
    let report: serde_json::Value = serde_json::from_str(&ready.body).unwrap();
    assert_eq!(
        (ready.status, &report["ready"]),
        (200, &serde_json::json!(true))
    );
    let protocols = report["protocols"].as_object().unwrap();
    assert_eq!(protocols.len(), 5);
    assert!(
        protocols.values().all(|outcome| outcome["ready"] == true),
        "{report}"
    );

    let sqs = emulator.addresses().sqs;
    call(sqs, "GET /?Action=ListQueues HTTP/1.1", &[], "").await;
    call(sqs, "GET /?Action=ListQueues HTTP/1.1", &[], "").await;
    call(
        emulator.addresses().pubsub,
        "GET /v1/projects/p/topics HTTP/1.1",
        &[],
        "",
    )
    .await;
    let metrics = call(console, "GET /metrics HTTP/1.1", &[], "").await.body;
    for line in [
        "# TYPE mq_emulator_requests_total counter",
        "mq_emulator_requests_total{service=\"sqs\"} 2",
        "mq_emulator_requests_total{service=\"pubsub\"} 1",
        "mq_emulator_requests_total{service=\"servicebus\"} 0",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line}\n{metrics}"
        );
    }
    assert_eq!(emulator.requests(), 3);
    emulator.stop().await;
}

/// Readiness is of the emulator, whatever the quirks do to its clients.
#[tokio::test]
async fn quirks_do_not_disturb_readiness() {
    let emulator = started(Quirks {
        error_rate: 1.0,
        ..Quirks::default()
    })
    .await;
    let ready = call(emulator.addresses().console, "GET /ready HTTP/1.1", &[], "").await;
    assert_eq!(ready.status, 200, "{}", ready.body);
    let failed = call(
        emulator.addresses().sqs,
        "GET /?Action=ListQueues HTTP/1.1",
        &[],
        "",
    )
    .await;
    assert_eq!(failed.status, 500);
    assert!(
        failed.body.contains("<Code>InternalFailure</Code><"),
        "{}",
        failed.body
    );
    assert!(
        failed.body.contains("<Type>Receiver</Type>"),
        "{}",
        failed.body
    );
    let header = [("x-amz-target", "AmazonSQS.ListQueues")];
    let failed = call(emulator.addresses().sqs, "POST / HTTP/1.1", &header, "{}").await;
    assert!(
        failed
            .head
            .contains("x-amzn-query-error: InternalFailure;Receiver"),
        "{}",
        failed.head
    );
    let rest = "GET /v1/projects/p/topics HTTP/1.1";
    let failed = call(emulator.addresses().pubsub, rest, &[], "").await;
    assert!(
        failed.status == 500 && failed.body.contains("INTERNAL"),
        "{}",
        failed.body
    );
    let admin = "GET /$namespaceinfo HTTP/1.1";
    let failed = call(emulator.addresses().servicebus_admin, admin, &[], "").await;
    assert!(
        failed.status == 500 && failed.body.contains("<Code>500</Code>"),
        "{}",
        failed.body
    );
    emulator.stop().await;
}

#[tokio::test]
async fn only_the_token_stops_it() {
    let config = Config {
        ports: Ports::free(),
        token: Token::new("swordfish"),
        ..Config::default()
    };
    let emulator = Emulator::start(config).await.unwrap();
    let console = emulator.addresses().console;
    for headers in [
        &[][..],
        &[(Token::HEADER, "")],
        &[(Token::HEADER, "swordfis")],
    ] {
        let refused = call(console, "POST /shutdown HTTP/1.1", headers, "").await;
        assert_eq!(refused.status, 403);
        assert!(!refused.body.contains("swordfish"));
    }
    let asked = call(
        console,
        "GET /shutdown HTTP/1.1",
        &[(Token::HEADER, "swordfish")],
        "",
    )
    .await;
    assert_eq!(asked.status, 405);
    let none = std::time::Duration::ZERO;
    let waited = tokio::time::timeout(none, emulator.stop_requested()).await;
    assert!(waited.is_err(), "a refused caller stopped it");

    let accepted = call(
        console,
        "POST /shutdown HTTP/1.1",
        &[(Token::HEADER, "swordfish")],
        "",
    )
    .await;
    assert_eq!(accepted.status, 202);
    emulator.stop_requested().await;
    let addresses = emulator.addresses();
    emulator.stop().await;
    for address in [
        addresses.sqs,
        addresses.pubsub,
        addresses.servicebus_admin,
        addresses.console,
    ] {
        TcpListener::bind(address).expect("the port is free");
    }
}

/// Each service's guard, through its own socket.
#[tokio::test]
async fn foreign_callers_are_refused_by_every_service() {
    let emulator = started(Quirks::default()).await;
    let addresses = emulator.addresses();
    for address in [
        addresses.sqs,
        addresses.pubsub,
        addresses.servicebus_admin,
        addresses.console,
    ] {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("referer", "https://evil.example/"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let refused = call(address, "GET / HTTP/1.1", &[(name, value)], "").await;
            assert_eq!(refused.status, 403, "{address} {name}: {}", refused.body);
            assert!(refused.body.contains("refused, since"), "{}", refused.body);
        }
        let rebound = common::raw(
            address,
            "GET / HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
        )
        .await;
        assert_eq!(rebound.status, 403, "{address}");
        let length = [("content-length", "100000000")];
        let big = call(address, "POST / HTTP/1.1", &length, "").await;
        assert_eq!(big.status, 413, "{address}");
    }
    assert_eq!(
        emulator.requests(),
        3,
        "a refused caller was counted, or an admitted one was not"
    );
    emulator.stop().await;
}

#[test]
fn the_ledger_has_every_service_and_no_row_twice() {
    let rows: Vec<_> = mq_emulator::ledger().collect();
    let mut names: Vec<_> = rows
        .iter()
        .map(|row| (row.service, row.operation))
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rows.len());
    let mut services: Vec<_> = rows.iter().map(|row| row.service).collect();
    services.sort_unstable();
    services.dedup();
    assert_eq!(services.len(), 3, "{services:?}");
}
