"""boto3 against the emulator's SQS: messages."""

import json
import threading

import boto3
from botocore.exceptions import ClientError
from cases import advance, case, main, refused

sqs = boto3.client("sqs")


def queue(name, **attributes):
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def receive(url, **arguments):
    return sqs.receive_message(
        QueueUrl=url,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
        **{"MaxNumberOfMessages": 10, **arguments},
    ).get("Messages", [])


def one(url, **arguments):
    messages = receive(url, **arguments)
    assert len(messages) == 1, messages
    return messages[0]


def bodies(url, **arguments):
    return [message["Body"] for message in receive(url, **arguments)]


def delete(url, message):
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def count(message):
    return int(message["Attributes"]["ApproximateReceiveCount"])


def code(call, **arguments):
    return refused(ClientError, call, **arguments).response["Error"]["Code"].split(".")[-1]


@case
def a_message_comes_back_as_it_was_sent_and_goes_when_deleted():
    url = queue("roundtrip")
    attributes = {
        "text": {"DataType": "String", "StringValue": "héllo"},
        "number": {"DataType": "Number.int", "StringValue": "42"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\x01\xff"},
    }
    sent = sqs.send_message(QueueUrl=url, MessageBody="grüße 🎉", MessageAttributes=attributes)
    message = one(url)
    assert message["MessageId"] == sent["MessageId"]
    assert message["Body"] == "grüße 🎉", message
    assert message["MessageAttributes"]["bytes"]["BinaryValue"] == b"\x00\x01\xff"
    assert message["MessageAttributes"]["number"]["DataType"] == "Number.int"
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    delete(url, message)
    advance("1m")
    assert receive(url) == []


@case
def a_batch_answers_for_each_entry():
    url = queue("batch")
    entries = [{"Id": str(index), "MessageBody": f"m{index}"} for index in range(9)]
    entries.append({"Id": "bad", "MessageBody": "late", "DelaySeconds": 901})
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [it["Id"] for it in answer["Successful"]] == [str(index) for index in range(9)], answer
    assert [(it["Id"], it["SenderFault"]) for it in answer["Failed"]] == [("bad", True)], answer
    messages = receive(url)
    assert sorted(it["Body"] for it in messages) == [f"m{index}" for index in range(9)]
    gone = sqs.delete_message_batch(
        QueueUrl=url,
        Entries=[
            {"Id": str(index), "ReceiptHandle": it["ReceiptHandle"]}
            for index, it in enumerate(messages)
        ],
    )
    assert len(gone["Successful"]) == 9 and "Failed" not in gone, gone


@case
def a_lease_hides_runs_out_is_extended_and_given_back():
    url = queue("lease", VisibilityTimeout="30")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    first = one(url)
    advance("29s")
    assert receive(url) == []
    sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=60
    )
    advance("59s")
    assert receive(url) == []
    advance("1s")
    second = one(url)
    assert (count(first), count(second)) == (1, 2)
    sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=second["ReceiptHandle"], VisibilityTimeout=0
    )
    third = one(url)
    assert count(third) == 3
    assert third["ReceiptHandle"] != second["ReceiptHandle"]
    delete(url, third)


@case
def a_long_poll_wakes_when_something_is_sent():
    url = queue("poll")
    sender = threading.Timer(0.2, lambda: sqs.send_message(QueueUrl=url, MessageBody="now"))
    sender.start()
    assert bodies(url, WaitTimeSeconds=20) == ["now"]
    sender.join()


@case
def a_delay_holds_a_message_back():
    url = queue("delay", DelaySeconds="60")
    sqs.send_message(QueueUrl=url, MessageBody="queue's")
    sqs.send_message(QueueUrl=url, MessageBody="own", DelaySeconds=5)
    assert receive(url) == []
    advance("5s")
    assert bodies(url) == ["own"]
    advance("54s")
    assert "queue's" not in bodies(url)
    advance("1s")
    assert "queue's" in bodies(url)


@case
def retention_ends():
    url = queue("retention", MessageRetentionPeriod="60")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    advance("61s")
    assert receive(url) == []


@case
def a_message_that_fails_goes_to_the_dead_letter_queue_and_comes_back():
    dead = queue("failing-dlq")
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    url = queue("failing", RedrivePolicy=policy, VisibilityTimeout="10")
    attributes = {"k": {"DataType": "String", "StringValue": "v"}}
    sqs.send_message(QueueUrl=url, MessageBody="x", MessageAttributes=attributes)
    assert count(one(url)) == 1
    advance("10s")
    assert count(one(url)) == 2
    advance("10s")
    assert receive(url) == []
    lost = one(dead, VisibilityTimeout=0)
    assert lost["Body"] == "x" and lost["MessageAttributes"]["k"]["StringValue"] == "v"
    assert lost["Attributes"]["DeadLetterQueueSourceArn"].endswith(":failing")
    sources = sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"]
    assert [it.rsplit("/", 1)[1] for it in sources] == ["failing"], sources
    sqs.start_message_move_task(SourceArn=arn)
    advance("5s")
    assert bodies(url) == ["x"]
    (task,) = sqs.list_message_move_tasks(SourceArn=arn)["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1), task


@case
def a_group_keeps_its_order_and_blocks_while_in_flight():
    url = queue("order.fifo", FifoQueue="true", ContentBasedDeduplication="true", VisibilityTimeout="30")
    for group, body in [("a", "a1"), ("a", "a2"), ("b", "b1"), ("a", "a3")]:
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group)
    first = one(url, MaxNumberOfMessages=1)
    assert first["Body"] == "a1"
    assert bodies(url) == ["b1"]
    sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0
    )
    again = receive(url)
    assert [it["Body"] for it in again] == ["a1", "a2", "a3"], again
    numbers = [int(it["Attributes"]["SequenceNumber"]) for it in again]
    assert numbers == sorted(numbers) and len(set(numbers)) == 3


@case
def a_duplicate_is_taken_once_within_five_minutes():
    url = queue("twice.fifo", FifoQueue="true")
    send = lambda: sqs.send_message(
        QueueUrl=url, MessageBody="x", MessageGroupId="g", MessageDeduplicationId="d"
    )
    first, second = send(), send()
    assert first["MessageId"] == second["MessageId"]
    delete(url, one(url))
    advance("299s")
    send()
    assert receive(url) == []
    advance("2s")
    send()
    assert bodies(url) == ["x"]


@case
def a_receipt_that_has_run_out_deletes_nothing_of_a_fifo_queue():
    url = queue("stale.fifo", FifoQueue="true", ContentBasedDeduplication="true", VisibilityTimeout="10")
    sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId="g")
    stale = one(url)
    advance("11s")
    fresh = one(url)
    assert fresh["Body"] == "x"
    assert code(sqs.delete_message, QueueUrl=url, ReceiptHandle=stale["ReceiptHandle"]) in (
        "InvalidParameterValue",
        "ReceiptHandleIsInvalid",
    )
    delete(url, fresh)


@case
def a_purge_empties_a_queue_once_a_minute():
    url = queue("purge")
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody="x")
    names = ["ApproximateNumberOfMessages"]
    shown = lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert shown() == {"ApproximateNumberOfMessages": "3"}
    sqs.purge_queue(QueueUrl=url)
    assert code(sqs.purge_queue, QueueUrl=url) == "PurgeQueueInProgress"
    advance("61s")
    assert receive(url) == []
    assert shown() == {"ApproximateNumberOfMessages": "0"}


@case
def what_is_wrong_is_said_by_its_type():
    url = queue("errors")
    assert code(sqs.get_queue_url, QueueName="nowhere") in ("NonExistentQueue", "QueueDoesNotExist")
    assert code(sqs.delete_message, QueueUrl=url, ReceiptHandle="nonsense") == "ReceiptHandleIsInvalid"
    assert code(sqs.send_message, QueueUrl=url, MessageBody="\x00") == "InvalidMessageContents"
    twice = [{"Id": "a", "MessageBody": "x"}, {"Id": "a", "MessageBody": "y"}]
    assert code(sqs.send_message_batch, QueueUrl=url, Entries=twice) == "BatchEntryIdsNotDistinct"
    many = [{"Id": str(index), "MessageBody": "x"} for index in range(11)]
    assert code(sqs.send_message_batch, QueueUrl=url, Entries=many) == "TooManyEntriesInBatchRequest"
    assert code(sqs.send_message_batch, QueueUrl=url, Entries=[]) == "EmptyBatchRequest"


@case
def a_message_has_one_mebibyte_and_not_a_byte_more():
    url = queue("large")
    sqs.send_message(QueueUrl=url, MessageBody="x" * 1_048_576)
    assert len(one(url)["Body"]) == 1_048_576
    assert code(sqs.send_message, QueueUrl=url, MessageBody="x" * 1_048_577) == "InvalidParameterValue"


if __name__ == "__main__":
    main()
