//! Servers that do wrong, met through the real SDK over a real socket.

use std::collections::BTreeMap;
use std::time::Duration;

use mq_core::queue::DeadLetterTarget;
use mq_core::{Access, Action, Change, Effect, Error, ErrorKind, Observed, Retry, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::config::{Clients, Settings, TimeLimits};
use crate::lower::lower;
use crate::samples::{dead_letter, queue, scope};
use crate::{apply, identity, observe};

/// What a server does once it has read a request.
#[derive(Clone)]
enum Fault {
    Answer(String),
    Cut,
    Silence,
}

fn http(status: &str, headers: &str, body: &str) -> Fault {
    Fault::Answer(format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}connection: close\r\n\r\n{body}",
        body.len()
    ))
}

fn coded(status: &str, code: &str, query_code: &str, message: &str) -> Fault {
    http(
        status,
        &format!("x-amzn-query-error: {query_code};Sender\r\nx-amzn-requestid: request-7\r\n"),
        &format!(r#"{{"__type":"com.amazonaws.sqs#{code}","message":"{message}"}}"#),
    )
}

async fn serve(fault: Fault) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let fault = fault.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 16 * 1024];
                let _ = socket.read(&mut request).await;
                match fault {
                    Fault::Answer(text) => {
                        let _ = socket.write_all(text.as_bytes()).await;
                    }
                    Fault::Cut => {}
                    Fault::Silence => std::future::pending().await,
                }
            });
        }
    });
    endpoint
}

fn settings(endpoint: &str) -> Settings {
    let variables = [
        ("AWS_ENDPOINT_URL_SQS", endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "secret-7"),
        ("AWS_REGION", "eu-west-1"),
    ];
    let access =
        Access::emulator(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    Settings::read(&Target::implied("aws"), &access).expect("settings")
}

async fn clients(endpoint: &str) -> Clients {
    let limits = TimeLimits {
        connect: Duration::from_secs(5),
        attempt: Duration::from_millis(300),
    };
    Clients::load(&settings(endpoint), limits).await
}

fn creation() -> Change {
    let mut queue = queue("orders");
    queue.attributes.dead_letter = Some(dead_letter(5, DeadLetterTarget::Own));
    let resource = lower(&queue, &scope()).resources.remove(0);
    Change {
        action: Action::Create,
        observed: Observed::absent(resource.id.clone()),
        resource,
        attributes: Vec::new(),
        unmanaged: BTreeMap::new(),
        refusal: None,
        counts: None,
    }
}

async fn creating(fault: Fault) -> Error {
    let endpoint = serve(fault).await;
    let error = apply::apply(&clients(&endpoint).await, &creation()).await;
    let error = error.expect_err("a fault");
    assert_eq!(error.operation(), "CreateQueue");
    let said = format!("{error} {error:?} {:?}", error.hint());
    assert!(!said.contains("secret-7"), "{said}");
    error
}

fn meaning(error: &Error) -> (ErrorKind, Retry, Effect) {
    (error.kind(), error.retry(), error.effect())
}

const AGAIN: Retry = Retry::After(None);

#[tokio::test]
async fn a_server_that_answers_500_may_have_done_it() {
    let error = creating(http("500 Internal Server Error", "", "<html>oops</html>")).await;
    assert_eq!(
        meaning(&error),
        (ErrorKind::Unavailable, AGAIN, Effect::Unknown)
    );
    let coded = coded(
        "500 Internal Server Error",
        "InternalFailure",
        "InternalFailure",
        "x",
    );
    let error = creating(coded).await;
    assert_eq!(
        meaning(&error),
        (ErrorKind::Unavailable, AGAIN, Effect::Unknown)
    );
}

#[tokio::test]
async fn a_throttled_call_did_nothing_and_its_wait_is_kept() {
    let throttled = coded(
        "400 Bad Request",
        "RequestThrottled",
        "RequestThrottled",
        "slow",
    );
    let error = creating(throttled).await;
    assert_eq!(
        meaning(&error),
        (ErrorKind::RateLimited, AGAIN, Effect::None)
    );
    let error = creating(http("429 Too Many Requests", "retry-after: 3\r\n", "")).await;
    let after = Retry::After(Some(Duration::from_secs(3)));
    assert_eq!(
        meaning(&error),
        (ErrorKind::RateLimited, after, Effect::None)
    );
}

#[tokio::test]
async fn garbage_is_not_taken_for_an_answer() {
    let error = creating(http("200 OK", "", "<html>a proxy says hello</html>")).await;
    assert_eq!(
        meaning(&error),
        (ErrorKind::Unexpected, Retry::Never, Effect::Unknown)
    );
    assert!(error.message().contains("endpoint"), "{error}");
    let error = creating(Fault::Answer(
        "\u{0}\u{1}\u{2} not http at all\r\n\r\n".to_owned(),
    ))
    .await;
    assert_eq!(error.effect(), Effect::Unknown);
}

#[tokio::test]
async fn a_server_that_says_nothing_or_hangs_up_may_have_done_it() {
    for fault in [Fault::Silence, Fault::Cut] {
        let error = creating(fault).await;
        assert_eq!(
            meaning(&error),
            (ErrorKind::Unavailable, AGAIN, Effect::Unknown)
        );
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_did_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let error = apply::apply(&clients(&endpoint).await, &creation()).await;
    let error = error.expect_err("nobody listens");
    assert_eq!(
        meaning(&error),
        (ErrorKind::Unavailable, AGAIN, Effect::None)
    );
    assert!(error.message().contains("refused"), "{error}");
}

#[tokio::test]
async fn the_services_codes_come_through_the_sdk() {
    let recently = coded(
        "400 Bad Request",
        "QueueDeletedRecently",
        "AWS.SimpleQueueService.QueueDeletedRecently",
        "You must wait 60 seconds",
    );
    let error = creating(recently).await;
    let poll = Retry::Poll {
        every: Duration::from_secs(5),
        within: Duration::from_secs(75),
    };
    assert_eq!(meaning(&error), (ErrorKind::Conflict, poll, Effect::None));
    assert!(error.message().contains("60 seconds"));
    let denied = coded(
        "403 Forbidden",
        "AccessDeniedException",
        "AccessDenied",
        "no",
    );
    let error = creating(denied).await;
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(
        error
            .context()
            .contains(&("request", "request-7".to_owned()))
    );
    assert!(
        error
            .context()
            .contains(&("region", "eu-west-1".to_owned()))
    );
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_absent_and_gone() {
    let missing = coded(
        "400 Bad Request",
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        "no",
    );
    let endpoint = serve(missing).await;
    let clients = clients(&endpoint).await;
    let change = creation();
    let observed = observe::observe(&clients, &[&change.resource]).await;
    assert_eq!(
        observed.expect("absent"),
        [Observed::absent(change.resource.id.clone())]
    );
    let mut removal = change;
    removal.action = Action::Delete;
    let address = BTreeMap::from([("url".to_owned(), format!("{endpoint}/1/orders-dlq"))]);
    removal.observed.present = Some(mq_core::resource::Present {
        address,
        ..Default::default()
    });
    apply::apply(&clients, &removal)
        .await
        .expect("gone already");
    let counts = observe::counts(&clients, &removal.observed).await;
    assert_eq!(counts.expect("nothing").total(), Some(0));
}

#[tokio::test]
async fn an_answer_of_sts_that_names_no_account_is_not_taken() {
    let body = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult></GetCallerIdentityResult></GetCallerIdentityResponse>"#;
    let endpoint = serve(http("200 OK", "content-type: text/xml\r\n", body)).await;
    let clients = clients(&endpoint).await;
    let error = identity::identify(&clients, &settings(&endpoint)).await;
    assert_eq!(error.expect_err("no account").kind(), ErrorKind::Unexpected);
}

#[tokio::test]
async fn clients_and_settings_print_without_the_secret() {
    let endpoint = serve(Fault::Cut).await;
    let clients = clients(&endpoint).await;
    // A call loads the credentials into the client's cache.
    let failed = identity::identify(&clients, &settings(&endpoint)).await;
    assert!(failed.is_err());
    let printed = format!("{clients:?} {:?}", settings(&endpoint));
    assert!(printed.contains("eu-west-1"), "it prints something");
    assert!(!printed.contains("secret-7"), "{printed}");
}
