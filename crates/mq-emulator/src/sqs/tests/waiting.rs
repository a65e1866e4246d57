//! Receives that wait.

use std::pin::pin;
use std::task::Poll;

use super::*;

impl Client {
    /// A receive of up to ten that waits up to 20 seconds.
    async fn wait(&self, url: &str) -> Reply {
        let request = Request::post("/")
            .header("x-amz-target", "AmazonSQS.ReceiveMessage")
            .header("host", "localhost:9324")
            .body(Body::empty())
            .unwrap();
        let body = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 20 });
        self.reply(&request.into_parts().0, body.to_string().as_bytes())
            .await
    }
}

fn received(reply: &Reply) -> usize {
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.value()["Messages"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn an_arrival_wakes_who_waits() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    let mut waiting = pin!(client.wait(&url));
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    client.post(&url, "hello");
    let Poll::Ready(reply) = futures::poll!(waiting) else {
        panic!("still waiting");
    };
    assert_eq!(received(&reply), 1);
}

#[tokio::test]
async fn time_brings_messages_and_the_end() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    client.ok(
        "SendMessage",
        &json!({ "QueueUrl": url, "MessageBody": "x", "DelaySeconds": 5 }),
    );
    let mut waiting = pin!(client.wait(&url));
    client.pass(Duration::from_millis(4_999));
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    client.pass(Duration::from_millis(1));
    assert_eq!(received(&waiting.await), 1);

    // It is out for 30 seconds, and 20 is the longest wait.
    let mut waiting = pin!(client.wait(&url));
    client.pass(Duration::from_millis(1));
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    client.pass(Duration::from_secs(20));
    let reply = waiting.await;
    assert_eq!(reply.body, "{}");
}

#[tokio::test]
async fn the_queue_says_how_long_to_wait_when_the_request_does_not() {
    let client = Client::new();
    let url = client.create("q", &json!({ "ReceiveMessageWaitTimeSeconds": "3" }));
    let form = format!("Action=ReceiveMessage&QueueUrl={url}");
    let head = || {
        Request::post("/")
            .header("host", "localhost")
            .body(Body::empty())
            .unwrap()
            .into_parts()
            .0
    };
    let head_of_waiting = head();
    let mut waiting = pin!(client.reply(&head_of_waiting, form.as_bytes()));
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    client.pass(Duration::from_secs(3));
    assert_eq!(waiting.await.status, 200);
    let form = format!("{form}&WaitTimeSeconds=0");
    let head = head();
    assert!(
        client
            .reply(&head, form.as_bytes())
            .now_or_never()
            .is_some()
    );
}

/// A client that goes away just when something comes for it leaves it to the next.
#[tokio::test]
async fn who_goes_away_passes_it_on() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    let mut first = Box::pin(client.wait(&url));
    let mut second = pin!(client.wait(&url));
    assert!(futures::poll!(first.as_mut()).is_pending());
    assert!(futures::poll!(second.as_mut()).is_pending());
    client.post(&url, "hello");
    drop(first);
    let Poll::Ready(reply) = futures::poll!(second) else {
        panic!("still waiting");
    };
    assert_eq!(received(&reply), 1);
}

#[tokio::test]
async fn a_queue_that_goes_ends_the_wait() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    let mut waiting = pin!(client.wait(&url));
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    client.ok("DeleteQueue", &json!({ "QueueUrl": url }));
    let reply = waiting.await;
    assert!(reply.body.contains("QueueDoesNotExist"), "{}", reply.body);
}

#[tokio::test]
async fn the_emulator_s_end_ends_the_wait() {
    let client = Client::new();
    let url = client.create("q", &json!({}));
    let mut waiting = pin!(client.wait(&url));
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    client.front.stopping.cancel();
    assert_eq!(received(&waiting.await), 0);
}

#[tokio::test]
async fn a_group_that_is_free_again_wakes_who_waits() {
    let client = Client::new();
    let url = client.create(
        "q.fifo",
        &json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true" }),
    );
    for body in ["x", "y"] {
        client.ok(
            "SendMessage",
            &json!({ "QueueUrl": url, "MessageBody": body, "MessageGroupId": "g" }),
        );
    }
    let first = client.take(&url, 1, &json!({}));
    let mut waiting = pin!(client.wait(&url));
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    client.delete(&url, &first[0]);
    assert_eq!(received(&waiting.await), 1);
}

/// One message among many who wait is one answer; the others go on waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_who_wait_exactly_one_gets_it() {
    const WAITING: usize = 200;
    let client = Arc::new(Client::new());
    let url = client.create("q", &json!({}));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..WAITING {
        let (client, url) = (Arc::clone(&client), url.clone());
        tasks.spawn(async move { received(&client.wait(&url).await) });
    }
    client.post(&url, "one");
    assert_eq!(tasks.join_next().await.unwrap().unwrap(), 1);
    assert_eq!(client.counts(&url), [0, 0, 1]);
    client.front.stopping.cancel();
    assert_eq!(tasks.join_all().await, [0; WAITING - 1]);
}
