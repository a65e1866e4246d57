//! The administration API as its clients see it.

mod bodies;
mod lifecycle;
mod port;
mod refusals;
mod tiers;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt as _;

use super::Settings;
use super::write::SERVICE_BUS;
use crate::quirks::Quirks;
use crate::shared::Shared;

/// Well-formed, of the namespace's rule, and good until the year 2100.
const TOKEN: &str = "SharedAccessSignature sr=https%3A%2F%2Flocalhost%3A5300&sig=v7qXHakeLV6Jsz3mNyE2aZxu3k4TD70Rpa9pm3MmcII%3d&se=4102444800&skn=RootManageSharedAccessKey";
const VERSION: &str = "api-version=2021-05";

/// One namespace, without sockets.
struct Client {
    router: Router,
    shared: Arc<Shared>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Client {
    fn new(quirks: Quirks) -> Self {
        let shared = Arc::new(Shared::new(quirks, 7));
        Client {
            router: super::router(Arc::clone(&shared), Settings::new("mq-emulator")),
            shared,
        }
    }

    fn standard() -> Self {
        Client::new(Quirks::default())
    }

    async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", "localhost:5300");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(
            "GET",
            &format!("/{path}?{VERSION}&enrich=False"),
            &[("authorization", TOKEN)],
            "",
        )
        .await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.send(
            "DELETE",
            &format!("/{path}?{VERSION}"),
            &[("authorization", TOKEN)],
            "",
        )
        .await
    }

    /// Creates a queue with these properties, given as markup.
    async fn create(&self, name: &str, properties: &str) -> Answer {
        let headers = [
            ("authorization", TOKEN),
            (FORWARD, TOKEN),
            (DEAD_LETTER, TOKEN),
        ];
        self.send(
            "PUT",
            &format!("/{name}?{VERSION}"),
            &headers,
            description(properties),
        )
        .await
    }

    async fn update(&self, name: &str, properties: &str) -> Answer {
        let headers = [
            ("authorization", TOKEN),
            ("if-match", "*"),
            (FORWARD, TOKEN),
            (DEAD_LETTER, TOKEN),
        ];
        self.send(
            "PUT",
            &format!("/{name}?{VERSION}"),
            &headers,
            description(properties),
        )
        .await
    }
}

const FORWARD: &str = "ServiceBusSupplementaryAuthorization";
const DEAD_LETTER: &str = "ServiceBusDlqSupplementaryAuthorization";

impl Answer {
    /// The text of the first element of that name.
    fn value(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>"))
            .map(|(value, _)| value)
    }

    fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Asserts an error of that status whose detail contains this.
    fn refused(self, status: u16, detail: &str) {
        let answer = self.expect(status);
        assert_eq!(answer.value("Code"), Some(status.to_string().as_str()));
        let told = answer.value("Detail").unwrap_or_default();
        assert!(told.contains(detail), "{told:?} does not say {detail:?}");
        assert!(
            told.contains("TrackingId:") && told.contains("SystemTracker:localhost:5300:"),
            "{told}"
        );
    }
}

/// An entry as our own client writes it.
fn description(properties: &str) -> String {
    format!(
        "<entry xmlns=\"http://www.w3.org/2005/Atom\"><content type=\"application/xml\">\
         <QueueDescription xmlns=\"{SERVICE_BUS}\">{properties}</QueueDescription></content></entry>"
    )
}
