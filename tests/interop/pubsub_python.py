"""google-cloud-pubsub against the emulator's Pub/Sub: messages."""

import os
import threading
from datetime import datetime, timedelta, timezone

from cases import advance, case, main, refused
from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.protobuf import duration_pb2, field_mask_pb2

# Listing the cases needs no service.
os.environ.setdefault("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")
PROJECT = os.environ.get("PUBSUB_PROJECT_ID", "none")
options = pubsub_v1.types.PublisherOptions(enable_message_ordering=True)
publisher = pubsub_v1.PublisherClient(publisher_options=options)
subscriber = pubsub_v1.SubscriberClient()


def made(name, **settings):
    """A topic and a subscription to it."""
    topic = publisher.topic_path(PROJECT, f"{name}-topic")
    subscription = subscriber.subscription_path(PROJECT, f"{name}-sub")
    publisher.create_topic(name=topic)
    subscriber.create_subscription(
        request={"name": subscription, "topic": topic, "ack_deadline_seconds": 10, **settings}
    )
    return topic, subscription


def publish(topic, *bodies, **attributes):
    return [publisher.publish(topic, body, **attributes).result(10) for body in bodies]


def pull(subscription, most=10):
    request = {"subscription": subscription, "max_messages": most, "return_immediately": True}
    return list(subscriber.pull(request=request).received_messages)


def bodies(subscription):
    return [received.message.data for received in pull(subscription)]


def ack(subscription, *received):
    ids = [it.ack_id for it in received]
    subscriber.acknowledge(subscription=subscription, ack_ids=ids)


def modify(subscription, received, seconds):
    subscriber.modify_ack_deadline(
        subscription=subscription, ack_ids=[received.ack_id], ack_deadline_seconds=seconds
    )


@case
def a_message_comes_back_as_it_was_published_and_goes_when_acked():
    topic, subscription = made("roundtrip")
    (identity,) = publish(topic, b"\x00\xff", colour="blue")
    (received,) = pull(subscription)
    assert received.message.message_id == identity
    assert received.message.data == b"\x00\xff"
    assert dict(received.message.attributes) == {"colour": "blue"}
    ack(subscription, received)
    advance("1m")
    assert pull(subscription) == []


@case
def what_was_published_before_the_subscription_does_not_come():
    topic = publisher.topic_path(PROJECT, "early-topic")
    publisher.create_topic(name=topic)
    publish(topic, b"early")
    subscription = subscriber.subscription_path(PROJECT, "early-sub")
    subscriber.create_subscription(name=subscription, topic=topic)
    publish(topic, b"late")
    assert bodies(subscription) == [b"late"]


@case
def a_deadline_runs_out_is_extended_and_given_back():
    topic, subscription = made("deadline")
    publish(topic, b"x")
    (first,) = pull(subscription)
    modify(subscription, first, 60)
    advance("59s")
    assert pull(subscription) == []
    advance("2s")
    (second,) = pull(subscription)
    modify(subscription, second, 0)
    (third,) = pull(subscription)
    assert third.message.message_id == first.message.message_id
    ack(subscription, third)


@case
def a_stream_delivers_what_comes_and_acks_it():
    topic, subscription = made("stream")
    got, all_came = [], threading.Event()

    def take(message):
        got.append(message.data)
        message.ack()
        if len(got) == 50:
            all_came.set()

    flow = pubsub_v1.types.FlowControl(max_messages=5)
    stream = subscriber.subscribe(subscription, take, flow_control=flow)
    publish(topic, *[b"%d" % index for index in range(50)])
    assert all_came.wait(20), len(got)
    stream.cancel()
    stream.result(10)
    assert sorted(got, key=int) == [b"%d" % index for index in range(50)]
    advance("2m")
    assert pull(subscription) == []


@case
def a_message_that_fails_goes_to_the_dead_letter_topic():
    dead, letters = made("dead")
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    topic, subscription = made("failing", dead_letter_policy=policy)
    publish(topic, b"x", colour="blue")
    for attempt in range(1, 6):
        (received,) = pull(subscription)
        assert received.delivery_attempt == attempt, received
        modify(subscription, received, 0)
    assert pull(subscription) == []
    (lost,) = pull(letters)
    assert lost.message.data == b"x"
    attributes = dict(lost.message.attributes)
    assert attributes.pop("colour") == "blue"
    assert attributes["CloudPubSubDeadLetterSourceSubscription"] == "failing-sub", attributes
    assert attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5", attributes


@case
def a_key_keeps_its_order_and_comes_again_from_what_failed():
    topic, subscription = made("order", enable_message_ordering=True)
    publish(topic, b"a1", b"a2", b"a3", ordering_key="a")
    first = pull(subscription)
    assert [it.message.data for it in first] == [b"a1", b"a2", b"a3"], first
    ack(subscription, first[0])
    modify(subscription, first[1], 0)
    again = pull(subscription)
    assert [it.message.data for it in again] == [b"a2", b"a3"], again


@case
def only_what_a_filter_takes_comes():
    text = 'attributes.colour = "blue" AND NOT hasPrefix(attributes.size, "x")'
    topic, subscription = made("filter", filter=text)
    publish(topic, b"1", colour="blue")
    publish(topic, b"2", colour="red")
    publish(topic, b"3", colour="blue", size="xl")
    assert bodies(subscription) == [b"1"]
    wrong = refused(exceptions.InvalidArgument, made, name="wrong", filter="attributes.colour =")
    assert "filter" in str(wrong).lower(), wrong


@case
def a_failed_message_waits_as_the_retry_policy_says():
    backoff = lambda seconds: duration_pb2.Duration(seconds=seconds)
    policy = {"minimum_backoff": backoff(30), "maximum_backoff": backoff(600)}
    topic, subscription = made("retry", retry_policy=policy)
    publish(topic, b"x")
    modify(subscription, pull(subscription)[0], 0)
    advance("29s")
    assert pull(subscription) == []
    advance("40s")
    assert bodies(subscription) == [b"x"]


@case
def a_seek_brings_back_what_was_acked():
    topic, subscription = made("seek", retain_acked_messages=True)
    publish(topic, b"one", b"two")
    ack(subscription, *pull(subscription))
    assert pull(subscription) == []
    long_ago = datetime.now(timezone.utc) - timedelta(hours=1)
    subscriber.seek(request={"subscription": subscription, "time": long_ago})
    assert sorted(bodies(subscription)) == [b"one", b"two"]


@case
def a_snapshot_is_gone_back_to():
    topic, subscription = made("snap")
    publish(topic, b"one")
    snapshot = subscriber.snapshot_path(PROJECT, "snap-shot")
    subscriber.create_snapshot(name=snapshot, subscription=subscription)
    ack(subscription, *pull(subscription))
    publish(topic, b"two")
    ack(subscription, *pull(subscription))
    subscriber.seek(request={"subscription": subscription, "snapshot": snapshot})
    assert sorted(bodies(subscription)) == [b"one", b"two"]
    subscriber.delete_snapshot(snapshot=snapshot)
    refused(exceptions.NotFound, subscriber.get_snapshot, snapshot=snapshot)


@case
def a_subscription_changes_and_is_detached():
    topic, subscription = made("change")
    changed = {"name": subscription, "ack_deadline_seconds": 42}
    mask = field_mask_pb2.FieldMask(paths=["ack_deadline_seconds"])
    answer = subscriber.update_subscription(
        request={"subscription": changed, "update_mask": mask}
    )
    assert answer.ack_deadline_seconds == 42
    publisher.detach_subscription(request={"subscription": subscription})
    assert subscriber.get_subscription(subscription=subscription).detached
    refused(exceptions.FailedPrecondition, pull, subscription=subscription)


@case
def a_topic_that_goes_leaves_its_subscription():
    topic, subscription = made("leaving")
    publish(topic, b"x")
    publisher.delete_topic(topic=topic)
    assert subscriber.get_subscription(subscription=subscription).topic == "_deleted-topic_"
    assert bodies(subscription) == [b"x"]


@case
def what_is_wrong_is_said_by_its_type():
    topic, subscription = made("errors")
    refused(exceptions.AlreadyExists, publisher.create_topic, name=topic)
    nowhere = publisher.topic_path(PROJECT, "nowhere")
    refused(exceptions.NotFound, publisher.get_topic, topic=nowhere)
    refused(
        exceptions.InvalidArgument,
        subscriber.create_subscription,
        name=subscriber.subscription_path(PROJECT, "short-sub"),
        topic=topic,
        ack_deadline_seconds=5,
    )
    refused(exceptions.NotFound, pull, subscription=subscriber.subscription_path(PROJECT, "nowhere"))


if __name__ == "__main__":
    main()
