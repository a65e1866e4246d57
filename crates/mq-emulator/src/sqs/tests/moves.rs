//! Dead letters, and moving them back.

use super::*;

/// A queue whose messages are dead letters after one receive, and where those go.
fn pair(client: &Client) -> (String, String) {
    let dead = client.create("dlq", &json!({}));
    let policy = json!({ "deadLetterTargetArn": arn("dlq"), "maxReceiveCount": 1 });
    let url = client.create("q", &json!({ "RedrivePolicy": policy.to_string() }));
    (url, dead)
}

/// Sends this many and lets them become dead letters.
fn bury(client: &Client, url: &str, count: usize) {
    for number in 0..count {
        client.post(url, &format!("m{number}"));
    }
    while client.counts(url)[0] > 0 {
        client.take(url, 10, &json!({ "VisibilityTimeout": 0 }));
    }
}

fn tasks(client: &Client, max: u32) -> Vec<Value> {
    let request = json!({ "SourceArn": arn("dlq"), "MaxResults": max });
    let listed = client.ok("ListMessageMoveTasks", &request);
    listed["Results"].as_array().cloned().unwrap_or_default()
}

#[test]
fn dead_letters_come_after_the_last_receive_and_keep_their_age() {
    let client = Client::new();
    let (url, dead) = pair(&client);
    let sent = client.post(&url, "poison");
    assert_eq!(
        client
            .take(&url, 1, &json!({ "VisibilityTimeout": 1 }))
            .len(),
        1
    );
    client.pass(Duration::from_secs(1));
    // It goes when somebody would receive it once more.
    assert_eq!(
        (client.counts(&url), client.counts(&dead)),
        ([1, 0, 0], [0, 0, 0])
    );
    assert!(client.bodies(&url).is_empty());
    let [letter] = &client.take(&dead, 1, &json!({}))[..] else {
        panic!("no dead letter");
    };
    assert_eq!(letter["MessageId"], sent["MessageId"]);
    assert_eq!(letter["Attributes"]["SentTimestamp"], "1700000000000");
    assert_eq!(letter["Attributes"]["DeadLetterQueueSourceArn"], arn("q"));
}

#[test]
fn a_task_moves_dead_letters_back_at_its_rate() {
    let client = Client::new();
    let (url, dead) = pair(&client);
    bury(&client, &url, 4);
    let request = json!({ "SourceArn": arn("dlq"), "MaxNumberOfMessagesPerSecond": 2 });
    let started = client.ok("StartMessageMoveTask", &request);
    let (name, message) = client.fails("StartMessageMoveTask", &request);
    assert_eq!(name, "InvalidParameterValueException");
    assert!(message.contains("already a task running"), "{message}");
    client.pass(Duration::from_secs(1));
    let [task] = &tasks(&client, 10)[..] else {
        panic!("not one task");
    };
    assert_eq!(
        task,
        &json!({
            "TaskHandle": started["TaskHandle"],
            "Status": "RUNNING",
            "SourceArn": arn("dlq"),
            "MaxNumberOfMessagesPerSecond": 2,
            "ApproximateNumberOfMessagesMoved": 2,
            "ApproximateNumberOfMessagesToMove": 4,
            "StartedTimestamp": 1_700_000_000_000_u64,
        })
    );
    client.pass(Duration::from_secs(1));
    assert_eq!(client.counts(&dead), [0, 0, 0]);
    let [task] = &tasks(&client, 10)[..] else {
        panic!("not one task");
    };
    assert_eq!(task["Status"], "COMPLETED");
    assert_eq!(task.get("TaskHandle"), None);
    let moved = client.take(&url, 10, &json!({}));
    assert_eq!(moved.len(), 4);
    // A moved message is a new one.
    assert_eq!(moved[0]["Attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(moved[0]["Attributes"].get("DeadLetterQueueSourceArn"), None);
}

#[test]
fn a_task_can_be_cancelled_while_it_runs() {
    let client = Client::new();
    let (url, dead) = pair(&client);
    let other = client.create("other", &json!({}));
    bury(&client, &url, 3);
    let request = json!({
        "SourceArn": arn("dlq"),
        "DestinationArn": arn("other"),
        "MaxNumberOfMessagesPerSecond": 1,
    });
    let started = client.ok("StartMessageMoveTask", &request);
    client.pass(Duration::from_secs(1));
    let cancelled = client.ok("CancelMessageMoveTask", &started);
    assert_eq!(cancelled, json!({ "ApproximateNumberOfMessagesMoved": 1 }));
    assert_eq!(
        client.fails("CancelMessageMoveTask", &started).0,
        "ResourceNotFoundException"
    );
    client.pass(Duration::from_secs(9));
    assert_eq!((client.counts(&dead)[0], client.counts(&other)[0]), (2, 1));
    let task = &tasks(&client, 1)[0];
    assert_eq!(
        (&task["Status"], &task["DestinationArn"]),
        (&json!("CANCELLED"), &json!(arn("other")))
    );
    // The latest comes first, and one is shown when nobody says how many.
    client.ok("StartMessageMoveTask", &json!({ "SourceArn": arn("dlq") }));
    client.pass(Duration::from_secs(1));
    let listed = client.ok("ListMessageMoveTasks", &json!({ "SourceArn": arn("dlq") }));
    assert_eq!(listed["Results"].as_array().unwrap().len(), 1);
    let latest = &listed["Results"][0];
    assert_eq!(latest["Status"], "COMPLETED");
    assert_eq!(latest.get("MaxNumberOfMessagesPerSecond"), None);
    assert_eq!(tasks(&client, 10).len(), 2);
}

#[test]
fn what_did_not_come_from_a_queue_cannot_go_back() {
    let client = Client::new();
    let (_, dead) = pair(&client);
    client.post(&dead, "by hand");
    client.ok("StartMessageMoveTask", &json!({ "SourceArn": arn("dlq") }));
    client.pass(Duration::from_secs(1));
    let task = &tasks(&client, 1)[0];
    assert_eq!(task["Status"], "FAILED");
    assert_eq!(task["FailureReason"], "CouldNotDetermineMessageSource");
    assert_eq!(client.counts(&dead), [1, 0, 0]);
}

#[test]
fn tasks_that_cannot_be_are_refused_by_name() {
    let client = Client::new();
    pair(&client);
    client.create("other.fifo", &json!({ "FifoQueue": "true" }));
    for (request, name) in [
        (json!({}), "MissingRequiredParameterException"),
        (
            json!({ "SourceArn": "dlq" }),
            "InvalidParameterValueException",
        ),
        (
            json!({ "SourceArn": arn("none") }),
            "ResourceNotFoundException",
        ),
        (
            json!({ "SourceArn": arn("q") }),
            "InvalidParameterValueException",
        ),
        (
            json!({ "SourceArn": arn("dlq"), "DestinationArn": arn("none") }),
            "ResourceNotFoundException",
        ),
        (
            json!({ "SourceArn": arn("dlq"), "DestinationArn": arn("dlq") }),
            "InvalidParameterValueException",
        ),
        (
            json!({ "SourceArn": arn("dlq"), "DestinationArn": arn("other.fifo") }),
            "InvalidParameterValueException",
        ),
        (
            json!({ "SourceArn": arn("dlq"), "MaxNumberOfMessagesPerSecond": 0 }),
            "InvalidParameterValueException",
        ),
        (
            json!({ "SourceArn": arn("dlq"), "MaxNumberOfMessagesPerSecond": 501 }),
            "InvalidParameterValueException",
        ),
    ] {
        assert_eq!(
            client.fails("StartMessageMoveTask", &request).0,
            name,
            "{request}"
        );
    }
    for handle in ["", "x", "e30="] {
        let request = json!({ "TaskHandle": handle });
        assert_eq!(
            client.fails("CancelMessageMoveTask", &request).0,
            "InvalidParameterValueException"
        );
    }
    let reply = client.json("ListMessageMoveTasks", &json!({ "SourceArn": arn("none") }));
    assert_eq!(reply.status, 404, "{}", reply.body);
    let many = json!({ "SourceArn": arn("dlq"), "MaxResults": 11 });
    assert_eq!(
        client.fails("ListMessageMoveTasks", &many).0,
        "InvalidParameterValueException"
    );
    assert!(tasks(&client, 10).is_empty());
}
