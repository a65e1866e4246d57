"""boto3 judges the SQS data plane: each case is a promise of the service, asked over a socket.

    mq emulator exec --clock manual -- python tests/interop/sqs_boto3.py [--list | CASE...]

Where the service is comes from the variables of `mq emulator exec`. Time is moved through the
console where the clock is manual; elsewhere short times really pass and long ones are a reason to
skip. With MQ_BINARY, which names the `mq` whose background emulator this is, the restart is
judged too. Any other emulator is judged through AWS_ENDPOINT_URL_SQS and credentials alone; what
`moto` is known to do otherwise is under MOTO.
"""

import hashlib
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import threading
import time
import urllib.request
import uuid

import boto3
import botocore.config
import botocore.exceptions

MIB = 1024 * 1024
# What may really pass where the clock cannot be moved.
PATIENCE_SECONDS = 6
# By when an answer that nothing holds back must be there.
SOON_SECONDS = 10
# A request that was begun this long ago has reached the server.
UNDER_WAY_SECONDS = 0.7

# The codes of the Query protocol, by which applications still match, where they are not the
# exception's own name.
QUERY_CODES = {
    "QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    **{
        name: f"AWS.SimpleQueueService.{name}"
        for name in (
            "BatchEntryIdsNotDistinct",
            "BatchRequestTooLong",
            "EmptyBatchRequest",
            "InvalidBatchEntryId",
            "MessageNotInflight",
            "PurgeQueueInProgress",
            "QueueDeletedRecently",
            "TooManyEntriesInBatchRequest",
            "UnsupportedOperation",
        )
    },
}

# Judged against moto 5.2.1, where this is known to be otherwise.
MOTO = {
    "queue_attributes": "CreatedTimestamp has a fraction",
    "list_by_prefix_and_page": "lists have no pages",
    "tags": "a queue without tags lists an empty map",
    "send_system_attributes": "their digest is not answered",
    "send_attributes_that_are_refused": "only their types and the characters of names are checked",
    "send_batch_with_a_bad_entry": "an entry with a wrong attribute fails the whole batch",
    "batches_that_are_refused": "an empty batch is accepted",
    "size_limit": "characters are counted, not bytes",
    "size_limit_counts_attributes": "attributes are not counted",
    "invalid_characters": "they are accepted",
    "missing_parameters": "an empty body is accepted",
    "receive_system_attributes": "unknown names are accepted",
    "concurrent_receivers_share_nothing": "receives that overlap may hand out a message twice",
    "long_poll_is_given_up": "a message goes to the receiver that has left",
    "visibility_that_is_refused": "a negative time is accepted",
    "visibility_of_what_is_not_in_flight": "it is accepted",
    "purge_once_a_minute": "any purge is accepted",
    "dead_letter": "DeadLetterQueueSourceArn is not shown",
    "dead_letter_policies_that_are_refused": "a maxReceiveCount of 0 is accepted",
    "redrive_to_the_source": "StartMessageMoveTask is not there",
    "redrive_to_another_queue": "StartMessageMoveTask is not there",
    "redrive_is_cancelled": "StartMessageMoveTask is not there",
    "redrive_lists_the_last_first": "StartMessageMoveTask is not there",
    "redrive_that_is_refused": "StartMessageMoveTask is not there",
    "fifo_sequence_numbers": "they are random",
    "fifo_order_under_redelivery": "the first of a group that was held does not come back",
    "fifo_stale_receipt": "it is accepted",
    "fifo_duplicate_by_id": "a duplicate gets an id of its own",
    "fifo_duplicate_by_content": "a duplicate gets an id of its own",
    "fifo_duplicates_of_a_group": "DeduplicationScope changes nothing",
    "fifo_receive_attempt": "ReceiveRequestAttemptId changes nothing",
    "fifo_batch": "a duplicate gets an id of its own",
    "fifo_parameters_that_are_refused": "ids are not checked",
}

CASES = {}
made = []


class Skip(Exception):
    """The case cannot be judged here, and why."""


def case(function):
    CASES[function.__name__] = function
    return function


class Clock:
    """The service's time: moved where it is manual, waited for where it is not."""

    def __init__(self):
        self.console = os.environ.get("MQ_EMULATOR_CONSOLE")
        state = os.environ.get("MQ_EMULATOR_STATE")
        file = pathlib.Path(state or ".", "emulator.json")
        discovery = json.loads(file.read_text()) if state and file.is_file() else {}
        self.token = discovery.get("token")
        self.manual = bool(self.console) and discovery.get("clock") == "manual"

    def advance(self, seconds):
        if not self.manual:
            if seconds > PATIENCE_SECONDS:
                raise Skip(f"{seconds} s would really have to pass: the clock is not manual")
            time.sleep(seconds)
            return
        body = json.dumps({"milliseconds": round(seconds * 1000)}).encode()
        request = urllib.request.Request(f"{self.console}/advance", data=body, method="POST")
        request.add_header("x-mq-emulator-token", self.token)
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200, answer.status

    def almost(self, seconds):
        """Until just before a moment that is so far away; `over` passes it."""
        self.advance(seconds - (0.001 if self.manual else 1))

    def over(self):
        self.advance(0.001 if self.manual else 1.2)

    def few(self, seconds):
        """So many seconds where they cost nothing, two where they would really pass."""
        return seconds if self.manual else 2


clock = Clock()


def client():
    config = botocore.config.Config(
        read_timeout=40, max_pool_connections=50, retries={"mode": "standard"}
    )
    return boto3.client("sqs", config=config)


sqs = None  # once a case is to run


# What the cases are made of.


def equal(seen, wanted, what=""):
    assert seen == wanted, f"{what}: {seen!r} instead of {wanted!r}".removeprefix(": ")


def name(word, fifo=False):
    return f"judge-{word}-{uuid.uuid4().hex[:12]}" + (".fifo" if fifo else "")


def queue(word="q", fifo=False, **attributes):
    if fifo:
        attributes["FifoQueue"] = "true"
    url = sqs.create_queue(QueueName=name(word, fifo), Attributes=attributes)["QueueUrl"]
    made.append(url)
    return url


def attributes_of(url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def arn(url):
    return attributes_of(url)["QueueArn"]


def counts(url):
    """Visible, in flight, delayed."""
    seen = attributes_of(url)
    names = ("Messages", "MessagesNotVisible", "MessagesDelayed")
    return tuple(int(seen[f"ApproximateNumberOf{name}"]) for name in names)


def send(url, body="x", **more):
    return sqs.send_message(QueueUrl=url, MessageBody=body, **more)


def receive(url, most=10, using=None, **more):
    answer = (using or sqs).receive_message(QueueUrl=url, MaxNumberOfMessages=most, **more)
    messages = answer.get("Messages", [])
    assert messages or "Messages" not in answer, "an empty receive has a list"
    return messages


def bodies(messages):
    return [message["Body"] for message in messages]


def only(messages):
    equal(len(messages), 1, "messages")
    return messages[0]


def delete(url, message):
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def lease(url, message, seconds):
    sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
    )


def refused(shape, call, *arguments, **more):
    """The call is refused as this exception, and by the code of the older protocol too."""
    try:
        answer = call(*arguments, **more)
    except botocore.exceptions.ClientError as error:
        code = QUERY_CODES.get(shape, shape)
        equal(error.response["Error"]["Code"], code, str(error)[:200])
        assert error.response["Error"]["Message"], "an error without a message"
        modelled = getattr(sqs.exceptions, shape, None) if hasattr(sqs.exceptions, shape) else None
        assert modelled is None or isinstance(error, modelled), f"{type(error)} for {shape}"
        equal(error.response["Error"].get("Type", "Sender"), "Sender", "whose fault")
        return
    raise AssertionError(f"not refused as {shape}: {str(answer)[:300]}")


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def md5_of_attributes(attributes):
    """The vendor's digest of message attributes, worked out from its documentation."""
    digest = hashlib.md5()

    def part(value):
        digest.update(struct.pack(">I", len(value)) + value)

    for key in sorted(attributes):
        value = attributes[key]
        binary = value["DataType"].startswith("Binary")
        part(key.encode())
        part(value["DataType"].encode())
        digest.update(b"\x02" if binary else b"\x01")
        part(value["BinaryValue"] if binary else value["StringValue"].encode())
    return digest.hexdigest()


def text(value, kind="String"):
    return {"DataType": kind, "StringValue": value}


def entry(number, body="x", **more):
    return {"Id": f"e{number}", "MessageBody": body, **more}


class Background(threading.Thread):
    """A call beside the others: what it answered, and that it was not answered yet."""

    def __init__(self, call, *arguments, **more):
        super().__init__(daemon=True)
        self.call, self.answer, self.error = (lambda: call(*arguments, **more)), None, None
        self.start()
        time.sleep(UNDER_WAY_SECONDS)

    def run(self):
        try:
            self.answer = self.call()
        except Exception as error:  # shown where it is asked for
            self.error = error

    def waits(self):
        assert self.is_alive(), f"answered already: {self.answer!r} {self.error!r}"

    def result(self, within=SOON_SECONDS):
        self.join(within)
        assert not self.is_alive(), f"no answer in {within} s"
        if self.error:
            raise self.error
        return self.answer


def dead_letter_pair(receives, word="dead", **attributes):
    dead = queue(f"{word}-dlq")
    policy = json.dumps({"deadLetterTargetArn": arn(dead), "maxReceiveCount": receives})
    return queue(word, RedrivePolicy=policy, **attributes), dead


def kill(url, dead, wanted):
    """Lets messages of a queue with a maxReceiveCount of 1 be dead-lettered."""
    for _ in range(wanted + 2):
        for message in receive(url, VisibilityTimeout=30):
            lease(url, message, 0)
        if counts(dead)[0] == wanted:
            return
    raise AssertionError(f"{counts(dead)} in the dead-letter queue instead of {wanted}")


# Queues.


@case
def create_again():
    own = name("create")
    attributes = {"VisibilityTimeout": "45", "DelaySeconds": "0"}
    url = sqs.create_queue(QueueName=own, Attributes=attributes)["QueueUrl"]
    made.append(url)
    assert url.endswith(f"/{own}"), url
    equal(sqs.create_queue(QueueName=own, Attributes=attributes)["QueueUrl"], url)
    equal(sqs.create_queue(QueueName=own)["QueueUrl"], url, "without attributes")
    equal(sqs.get_queue_url(QueueName=own)["QueueUrl"], url)
    other = {"VisibilityTimeout": "46"}
    refused("QueueNameExists", sqs.create_queue, QueueName=own, Attributes=other)
    refused("InvalidParameterValue", sqs.create_queue, QueueName="not a name")
    refused("InvalidParameterValue", sqs.create_queue, QueueName="x" * 81)


@case
def queue_attributes():
    url = queue("attributes")
    seen = attributes_of(url)
    defaults = {
        "VisibilityTimeout": "30",
        "MaximumMessageSize": str(MIB),
        "MessageRetentionPeriod": "345600",
        "DelaySeconds": "0",
        "ReceiveMessageWaitTimeSeconds": "0",
    }
    equal({key: seen[key] for key in defaults}, defaults)
    assert re.fullmatch(r"arn:aws:sqs:[a-z0-9-]+:\d{12}:judge-.*", seen["QueueArn"]), seen
    assert re.fullmatch(r"\d{10}", seen["CreatedTimestamp"]), seen["CreatedTimestamp"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
    some = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    equal(some["Attributes"], {"VisibilityTimeout": "7"})
    get, change = sqs.get_queue_attributes, sqs.set_queue_attributes
    refused("InvalidAttributeName", get, QueueUrl=url, AttributeNames=["Colour"])
    refused("InvalidAttributeName", change, QueueUrl=url, Attributes={"Colour": "red"})
    wrong = {"VisibilityTimeout": "43201"}
    refused("InvalidAttributeValue", change, QueueUrl=url, Attributes=wrong)


@case
def list_by_prefix_and_page():
    prefix = name("list")
    urls = []
    for number in range(5):
        urls.append(sqs.create_queue(QueueName=f"{prefix}-{number}")["QueueUrl"])
    made.extend(urls)
    equal(sorted(sqs.list_queues(QueueNamePrefix=prefix)["QueueUrls"]), urls)
    pages, token = [], {}
    while token is not None:
        page = sqs.list_queues(QueueNamePrefix=prefix, MaxResults=2, **token)
        pages.append(page["QueueUrls"])
        token = {"NextToken": page["NextToken"]} if page.get("NextToken") else None
    equal([len(page) for page in pages], [2, 2, 1])
    equal(sorted(sum(pages, [])), urls)
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix=name("none"))


@case
def delete_queue():
    url = queue("delete")
    send(url)
    sqs.delete_queue(QueueUrl=url)
    refused("QueueDoesNotExist", send, url)
    refused("QueueDoesNotExist", sqs.get_queue_url, QueueName=url.rsplit("/", 1)[1])


@case
def tags():
    url = sqs.create_queue(QueueName=name("tags"), tags={"team": "a", "größe": "1 m"})["QueueUrl"]
    made.append(url)

    def seen():
        return sqs.list_queue_tags(QueueUrl=url).get("Tags", {})

    equal(seen(), {"team": "a", "größe": "1 m"})
    sqs.tag_queue(QueueUrl=url, Tags={"team": "b", "empty": ""})
    equal(seen(), {"team": "b", "größe": "1 m", "empty": ""})
    sqs.untag_queue(QueueUrl=url, TagKeys=["team", "größe", "absent"])
    equal(seen(), {"empty": ""})
    sqs.untag_queue(QueueUrl=url, TagKeys=["empty"])
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=url), "an empty list of tags is there"


@case
def permissions():
    url = queue("permissions")
    more = {"AWSAccountIds": ["111122223333"], "Actions": ["SendMessage"]}
    sqs.add_permission(QueueUrl=url, Label="senders", **more)
    statement = only(json.loads(attributes_of(url)["Policy"])["Statement"])
    equal(statement["Sid"], "senders")
    equal(statement["Effect"], "Allow")
    assert "111122223333" in json.dumps(statement["Principal"]), statement
    assert "sendmessage" in json.dumps(statement["Action"]).lower(), statement
    refused("InvalidParameterValue", sqs.add_permission, QueueUrl=url, Label="senders", **more)
    sqs.remove_permission(QueueUrl=url, Label="senders")
    left = json.loads(attributes_of(url).get("Policy") or "{}").get("Statement", [])
    equal(left, [])
    refused("InvalidParameterValue", sqs.remove_permission, QueueUrl=url, Label="senders")


# Sending.


@case
def send_and_receive():
    url = queue("send")
    body = 'häßlich 日本 🦀 <a b="c">&amp;\t\r\n{"x": 1}'
    sent = send(url, body)
    equal(sent["MD5OfMessageBody"], md5(body))
    assert "MD5OfMessageAttributes" not in sent, sent
    assert "SequenceNumber" not in sent, sent
    message = only(receive(url))
    equal(message["MessageId"], sent["MessageId"])
    equal(message["Body"], body)
    equal(message["MD5OfBody"], md5(body))
    assert "Attributes" not in message, "attributes that nobody asked for"
    assert "MessageAttributes" not in message, "attributes that nobody asked for"
    equal(receive(url), [], "in its lease")


ATTRIBUTES = {
    "text": text("grüße"),
    "text.own": text("a", "String.own-kind"),
    "count": text("-12.50", "Number"),
    "count.own": text("7", "Number.int"),
    "raw": {"DataType": "Binary", "BinaryValue": bytes(range(256))},
    "raw.own": {"DataType": "Binary.png", "BinaryValue": b"\x89PNG\r\n"},
}


@case
def send_attributes_of_all_types():
    url = queue("types")
    sent = send(url, "hello", MessageAttributes=ATTRIBUTES)
    equal(sent["MD5OfMessageAttributes"], md5_of_attributes(ATTRIBUTES))
    message = only(receive(url, MessageAttributeNames=["All"]))
    equal(message["MessageAttributes"], ATTRIBUTES)
    equal(message["MD5OfMessageAttributes"], md5_of_attributes(ATTRIBUTES))
    # The digest itself, against one that was worked out elsewhere.
    three = {
        "s": text("héllo", "String.custom"),
        "n": text("42", "Number"),
        "b": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    answer = send(url, "hello", MessageAttributes=three)
    equal(answer["MD5OfMessageAttributes"], "2f5b9a220c675b6e14987c5b07014d8b")


@case
def send_system_attributes():
    url = queue("trace")
    trace = text("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
    system = {"AWSTraceHeader": trace}
    sent = send(url, "x", MessageSystemAttributes=system)
    equal(sent["MD5OfMessageSystemAttributes"], md5_of_attributes(system))
    message = only(receive(url, MessageSystemAttributeNames=["AWSTraceHeader"]))
    equal(message["Attributes"], {"AWSTraceHeader": trace["StringValue"]})


@case
def send_attributes_that_are_refused():
    url = queue("refused")
    wrong = {
        "a name that starts with AWS.": {"AWS.x": text("1")},
        "a name that starts with Amazon.": {"Amazon.x": text("1")},
        "a name with two dots in a row": {"a..b": text("1")},
        "a name that ends in a dot": {"a.": text("1")},
        "a name with a space": {"a b": text("1")},
        "a name of 257 characters": {"n" * 257: text("1")},
        "an unknown type": {"a": text("1", "Colour")},
        "a number that is none": {"a": text("twelve", "Number")},
        "eleven of them": {f"a{number}": text("1") for number in range(11)},
    }
    for what, attributes in wrong.items():
        try:
            refused("InvalidParameterValue", send, url, MessageAttributes=attributes)
        except AssertionError as error:
            raise AssertionError(f"{what}: {error}") from None
    equal(counts(url), (0, 0, 0))
    ten = {f"a{number}": text("1") for number in range(10)}
    equal(send(url, MessageAttributes=ten)["MD5OfMessageAttributes"], md5_of_attributes(ten))


@case
def send_batch():
    url = queue("batch")
    entries = [entry(n, f"body {n}", MessageAttributes={"n": text(str(n), "Number")}) for n in range(10)]
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert not answer.get("Failed"), answer["Failed"]
    done = {item["Id"]: item for item in answer["Successful"]}
    equal(sorted(done), sorted(item["Id"] for item in entries))
    for item in entries:
        seen = done[item["Id"]]
        equal(seen["MD5OfMessageBody"], md5(item["MessageBody"]))
        equal(seen["MD5OfMessageAttributes"], md5_of_attributes(item["MessageAttributes"]))
    messages = receive(url)
    equal(sorted(bodies(messages)), [f"body {n}" for n in range(10)])
    equal({m["MessageId"] for m in messages}, {item["MessageId"] for item in done.values()})


@case
def send_batch_with_a_bad_entry():
    url = queue("batch-bad")
    entries = [
        entry(0, "good"),
        entry(1, "bad \ufffe"),
        entry(2, "bad", DelaySeconds=901),
        entry(3, "bad", MessageAttributes={"a": text("1", "Colour")}),
        entry(4, "also good"),
    ]
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    equal([item["Id"] for item in answer["Successful"]], ["e0", "e4"])
    failed = {item["Id"]: item for item in answer["Failed"]}
    codes = {"e1": "InvalidMessageContents", "e2": "InvalidParameterValue", "e3": "InvalidParameterValue"}
    equal({key: item["Code"] for key, item in failed.items()}, codes)
    equal({item["SenderFault"] for item in failed.values()}, {True})
    equal(sorted(bodies(receive(url))), ["also good", "good"])


@case
def batches_that_are_refused():
    url = queue("batch-refused")

    def batch(*entries):
        return sqs.send_message_batch(QueueUrl=url, Entries=list(entries))

    refused("EmptyBatchRequest", batch)
    refused("TooManyEntriesInBatchRequest", batch, *(entry(n) for n in range(11)))
    refused("BatchEntryIdsNotDistinct", batch, entry(1), entry(1))
    refused("InvalidBatchEntryId", batch, {"Id": "not an id", "MessageBody": "x"})
    refused("InvalidBatchEntryId", batch, {"Id": "i" * 81, "MessageBody": "x"})
    refused("BatchRequestTooLong", batch, entry(1, "a" * MIB), entry(2, "b"))
    equal(counts(url), (0, 0, 0), "something of a refused batch is there")
    gone = [{"Id": "a", "ReceiptHandle": "x"}] * 2
    refused("EmptyBatchRequest", sqs.delete_message_batch, QueueUrl=url, Entries=[])
    refused("BatchEntryIdsNotDistinct", sqs.delete_message_batch, QueueUrl=url, Entries=gone)
    change = sqs.change_message_visibility_batch
    refused("EmptyBatchRequest", change, QueueUrl=url, Entries=[])
    many = [{"Id": f"e{n}", "ReceiptHandle": "x", "VisibilityTimeout": 1} for n in range(11)]
    refused("TooManyEntriesInBatchRequest", change, QueueUrl=url, Entries=many)


@case
def size_limit():
    url = queue("size")
    sent = send(url, "a" * MIB)
    equal(only(receive(url))["MD5OfBody"], sent["MD5OfMessageBody"])
    refused("InvalidParameterValue", send, url, "a" * (MIB + 1))
    # Two bytes each.
    send(url, "ä" * (MIB // 2))
    refused("InvalidParameterValue", send, url, "ä" * (MIB // 2) + "a")


@case
def size_limit_counts_attributes():
    url = queue("size-attributes")
    attributes = {"key": text("value")}
    own = len("key" + "String" + "value")
    send(url, "a" * (MIB - own), MessageAttributes=attributes)
    body = "a" * (MIB - own + 1)
    refused("InvalidParameterValue", send, url, body, MessageAttributes=attributes)


@case
def size_limit_of_the_queue():
    url = queue("size-queue", MaximumMessageSize="1024")
    send(url, "a" * 1024)
    refused("InvalidParameterValue", send, url, "a" * 1025)
    equal(counts(url), (1, 0, 0))


@case
def invalid_characters():
    url = queue("characters")
    for body in ("\x00", "\x0b", "a\x1f", "\ufffe", "\uffff"):
        refused("InvalidMessageContents", send, url, body)
    allowed = "\t\n\r \ud7ff\ue000\ufffd\U00010000\U0010ffff\x7f\x85"
    send(url, allowed)
    equal(only(receive(url))["Body"], allowed)


@case
def missing_parameters():
    url = queue("missing")
    refused("MissingParameter", send, url, "")
    fifo = queue("missing", fifo=True)
    refused("MissingParameter", send, fifo, MessageDeduplicationId="d")


# Receiving.


@case
def receive_at_most():
    url = queue("most")
    for start in (0, 10):
        entries = [entry(n, str(n)) for n in range(start, start + 10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    equal(len(sqs.receive_message(QueueUrl=url)["Messages"]), 1, "without a number")
    three = receive(url, 3)
    equal(len(three), 3)
    ten = receive(url, 10)
    equal(len(ten), 10)
    rest = receive(url, 10)
    equal(len(rest), 6)
    equal(len(set(bodies(three + ten + rest))), 19)
    for number in (0, 11):
        refused("InvalidParameterValue", receive, url, number)
    refused("InvalidParameterValue", receive, url, VisibilityTimeout=43201)
    refused("InvalidParameterValue", receive, url, WaitTimeSeconds=21)


@case
def receive_attributes_by_name():
    url = queue("names")
    # Whether `a.*` takes `a` and `ab` too is not documented: neither is here.
    given = {key: text(key) for key in ("a.b", "a.b.c", "b", "z")}
    send(url, "x", MessageAttributes=given)
    wanted = {
        ("z",): ["z"],
        ("b", "absent"): ["b"],
        ("a.*",): ["a.b", "a.b.c"],
        ("a.*", "z"): ["a.b", "a.b.c", "z"],
        ("All",): sorted(given),
        (".*",): sorted(given),
        ("absent",): [],
    }
    for names, keys in wanted.items():
        message = only(receive(url, VisibilityTimeout=0, MessageAttributeNames=list(names)))
        some = {key: given[key] for key in keys}
        equal(message.get("MessageAttributes", {}), some, str(names))
        digest = md5_of_attributes(some) if some else None
        equal(message.get("MD5OfMessageAttributes"), digest, f"digest of {names}")


@case
def receive_system_attributes():
    url = queue("system")
    send(url)
    first = only(receive(url, VisibilityTimeout=0, MessageSystemAttributeNames=["All"]))
    seen = first["Attributes"]
    names = ["ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount", "SenderId", "SentTimestamp"]
    equal(sorted(seen), names)
    equal(seen["ApproximateReceiveCount"], "1")
    for key in ("SentTimestamp", "ApproximateFirstReceiveTimestamp"):
        assert re.fullmatch(r"\d{13}", seen[key]), f"{key} is {seen[key]}"
    assert int(seen["SentTimestamp"]) <= int(seen["ApproximateFirstReceiveTimestamp"]), seen
    # The older name of the parameter still works.
    old = only(receive(url, VisibilityTimeout=0, AttributeNames=["SentTimestamp"]))
    equal(old["Attributes"], {"SentTimestamp": seen["SentTimestamp"]})
    refused("InvalidAttributeName", receive, url, MessageSystemAttributeNames=["Colour"])


@case
def concurrent_receivers_share_nothing():
    url = queue("concurrent")
    for start in range(0, 100, 10):
        sqs.send_message_batch(QueueUrl=url, Entries=[entry(n, str(n)) for n in range(start, start + 10)])
    seen, lock = [], threading.Lock()

    def work():
        while messages := receive(url, 7):
            with lock:
                seen.extend(bodies(messages))

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    equal(sorted(seen, key=int), [str(number) for number in range(100)])
    equal(counts(url), (0, 100, 0))


@case
def group_on_a_standard_queue():
    url = queue("fair")
    send(url, "1", MessageGroupId="tenant")
    send(url, "2", MessageGroupId="tenant")
    messages = receive(url, MessageSystemAttributeNames=["MessageGroupId"])
    equal(sorted(bodies(messages)), ["1", "2"], "a group does not block here")
    equal({m["Attributes"]["MessageGroupId"] for m in messages}, {"tenant"})


# Leases.


@case
def delete_message():
    url = queue("delete-message")
    for body in ("1", "2"):
        send(url, body)
    one, two = receive(url)
    delete(url, one)
    equal(counts(url), (0, 1, 0))
    delete(url, one)
    equal(counts(url), (0, 1, 0), "deleted again")
    lease(url, two, 0)
    equal(bodies(receive(url)), [two["Body"]])


@case
def delete_batch():
    url = queue("delete-batch")
    sqs.send_message_batch(QueueUrl=url, Entries=[entry(n, str(n)) for n in range(4)])
    messages = receive(url)
    entries = [{"Id": f"e{n}", "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages[:3])]
    entries.append({"Id": "bad", "ReceiptHandle": "garbage"})
    answer = sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    equal(sorted(item["Id"] for item in answer["Successful"]), ["e0", "e1", "e2"])
    failed = only(answer["Failed"])
    equal((failed["Id"], failed["Code"], failed["SenderFault"]), ("bad", "ReceiptHandleIsInvalid", True))
    equal(counts(url), (0, 1, 0))


@case
def lease_expires_and_counts():
    seconds = clock.few(30)
    url = queue("lease", VisibilityTimeout=str(seconds))
    send(url)
    handles, firsts = set(), set()
    for count in (1, 2, 3):
        message = only(receive(url, MessageSystemAttributeNames=["All"]))
        equal(message["Attributes"]["ApproximateReceiveCount"], str(count))
        handles.add(message["ReceiptHandle"])
        firsts.add(message["Attributes"]["ApproximateFirstReceiveTimestamp"])
        clock.almost(seconds)
        equal(receive(url), [], f"before the end of lease {count}")
        clock.over()
    equal(len(handles), 3, "a handle for each receive")
    equal(len(firsts), 1, "one first receive")


@case
def lease_of_the_receive():
    seconds = clock.few(100)
    url = queue("lease-own", VisibilityTimeout="1")
    send(url)
    only(receive(url, VisibilityTimeout=seconds))
    clock.almost(seconds)
    equal(receive(url), [], "the queue's time ended another lease")
    clock.over()
    only(receive(url))


@case
def visibility_extended():
    short, long = clock.few(30), clock.few(30) + 1
    url = queue("extend", VisibilityTimeout=str(short))
    send(url)
    message = only(receive(url))
    clock.almost(short)
    lease(url, message, long)
    clock.almost(long)
    equal(receive(url), [], "in the longer lease")
    clock.over()
    equal(only(receive(url))["MessageId"], message["MessageId"])


@case
def visibility_zero():
    url = queue("zero")
    send(url)
    message = only(receive(url))
    lease(url, message, 0)
    equal(counts(url), (1, 0, 0))
    again = only(receive(url, MessageSystemAttributeNames=["ApproximateReceiveCount"]))
    equal(again["MessageId"], message["MessageId"])
    equal(again["Attributes"], {"ApproximateReceiveCount": "2"})


@case
def visibility_batch():
    url = queue("visibility-batch")
    sqs.send_message_batch(QueueUrl=url, Entries=[entry(n, str(n)) for n in range(3)])
    messages = receive(url)
    times = [0, 60, 43201]
    entries = [
        {"Id": f"e{n}", "ReceiptHandle": m["ReceiptHandle"], "VisibilityTimeout": times[n]}
        for n, m in enumerate(messages)
    ]
    entries.append({"Id": "bad", "ReceiptHandle": "garbage", "VisibilityTimeout": 0})
    answer = sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
    equal(sorted(item["Id"] for item in answer["Successful"]), ["e0", "e1"])
    codes = {item["Id"]: item["Code"] for item in answer["Failed"]}
    equal(codes, {"e2": "InvalidParameterValue", "bad": "ReceiptHandleIsInvalid"})
    equal(bodies(receive(url)), [messages[0]["Body"]])


@case
def visibility_that_is_refused():
    url = queue("visibility-refused")
    send(url)
    message = only(receive(url))
    for seconds in (-1, 43201):
        refused("InvalidParameterValue", lease, url, message, seconds)
    refused("ReceiptHandleIsInvalid", lease, url, {"ReceiptHandle": "garbage"}, 1)
    equal(counts(url), (0, 1, 0))


@case
def visibility_at_most_twelve_hours_in_all():
    url = queue("twelve")
    send(url)
    message = only(receive(url, VisibilityTimeout=600))
    clock.advance(60)
    refused("InvalidParameterValue", lease, url, message, 43200)
    lease(url, message, 43200 - 60)
    clock.almost(43200 - 60)
    equal(counts(url), (0, 1, 0))
    clock.over()
    equal(counts(url), (1, 0, 0))


@case
def visibility_of_what_is_not_in_flight():
    seconds = clock.few(30)
    url = queue("not-in-flight", VisibilityTimeout=str(seconds))
    send(url)
    message = only(receive(url))
    clock.almost(seconds)
    clock.over()
    refused("MessageNotInflight", lease, url, message, 10)
    equal(counts(url), (1, 0, 0))


@case
def stale_receipt():
    url = queue("stale", VisibilityTimeout="60")
    send(url)
    old = only(receive(url, VisibilityTimeout=0))
    new = only(receive(url))
    equal(new["MessageId"], old["MessageId"])
    assert new["ReceiptHandle"] != old["ReceiptHandle"], "one handle for two receives"
    # The service answers that it is well; the message is another receiver's by now, or gone.
    delete(url, old)
    delete(url, new)
    equal(counts(url), (0, 0, 0))
    refused("ReceiptHandleIsInvalid", delete, url, {"ReceiptHandle": "garbage"})


# Waiting.


@case
def long_poll_wakes_on_a_send():
    url = queue("wakes")
    poll = Background(receive, url, using=client(), WaitTimeSeconds=20)
    poll.waits()
    begun = time.monotonic()
    send(url, "here")
    equal(bodies(poll.result(within=3)), ["here"])
    assert time.monotonic() - begun < 3


@case
def long_poll_wakes_when_a_lease_ends():
    seconds = clock.few(10)
    url = queue("wakes-lease")
    send(url, "here")
    only(receive(url, VisibilityTimeout=seconds))
    poll = Background(receive, url, using=client(), WaitTimeSeconds=20)
    poll.waits()
    clock.almost(seconds)
    clock.over()
    equal(bodies(poll.result()), ["here"])


@case
def long_poll_wakes_when_a_delay_ends():
    seconds = clock.few(10)
    url = queue("wakes-delay")
    send(url, "here", DelaySeconds=seconds)
    poll = Background(receive, url, using=client(), WaitTimeSeconds=20)
    poll.waits()
    clock.almost(seconds)
    clock.over()
    equal(bodies(poll.result()), ["here"])


def empty_poll(url, seconds, **more):
    begun = time.monotonic()
    poll = Background(receive, url, using=client(), **more)
    poll.waits()
    if clock.manual:
        clock.almost(seconds)
        time.sleep(UNDER_WAY_SECONDS)
        poll.waits()
        clock.over()
        equal(poll.result(), [])
    else:
        equal(poll.result(), [])
        assert time.monotonic() - begun > seconds - 0.1, "it did not wait so long"


@case
def long_poll_without_messages():
    seconds = clock.few(20)
    empty_poll(queue("empty"), seconds, WaitTimeSeconds=seconds)


@case
def long_poll_of_the_queue():
    seconds = clock.few(15)
    url = queue("empty-queue", ReceiveMessageWaitTimeSeconds=str(seconds))
    empty_poll(url, seconds)
    begun = time.monotonic()
    equal(receive(url, WaitTimeSeconds=0), [], "the receive's own time")
    assert time.monotonic() - begun < 1.5, "it waited, asked not to"


@case
def long_poll_is_given_up():
    url = queue("given-up")
    hasty = botocore.config.Config(read_timeout=1, retries={"total_max_attempts": 1})
    try:
        answer = receive(url, using=boto3.client("sqs", config=hasty), WaitTimeSeconds=20)
        raise AssertionError(f"answered already: {answer}")
    except botocore.exceptions.ReadTimeoutError:
        time.sleep(UNDER_WAY_SECONDS)
    # Nobody waits any more: what comes now is not handed to the receiver that has left.
    send(url, "here")
    equal(counts(url), (1, 0, 0))
    equal(bodies(receive(url)), ["here"])


@case
def delay_of_the_message():
    seconds = clock.few(900)
    url = queue("delay")
    send(url, "late", DelaySeconds=seconds)
    equal(counts(url), (0, 0, 1))
    equal(receive(url), [])
    clock.almost(seconds)
    equal(receive(url), [], "before its time")
    clock.over()
    equal(counts(url), (1, 0, 0))
    equal(bodies(receive(url)), ["late"])
    refused("InvalidParameterValue", send, url, DelaySeconds=901)


@case
def delay_of_the_queue():
    seconds = clock.few(60)
    url = queue("delay-queue", DelaySeconds=str(seconds))
    send(url, "late")
    send(url, "at once", DelaySeconds=0)
    equal(bodies(receive(url)), ["at once"])
    equal(counts(url), (0, 1, 1))
    clock.almost(seconds)
    equal([body for body in bodies(receive(url)) if body == "late"], [])
    clock.over()
    assert "late" in bodies(receive(url))


@case
def retention_ends():
    url = queue("retention", MessageRetentionPeriod="60", VisibilityTimeout="600")
    send(url, "held")
    send(url, "kept")
    only(receive(url, 1))
    clock.almost(60)
    equal(counts(url), (1, 1, 0))
    clock.over()
    equal(counts(url), (0, 0, 0))
    equal(receive(url), [])


@case
def counts_of_all_states():
    url = queue("counts")
    sqs.send_message_batch(QueueUrl=url, Entries=[entry(n) for n in range(6)])
    for _ in range(3):
        send(url, DelaySeconds=900)
    held = receive(url, 2)
    equal(counts(url), (4, len(held), 3))
    equal(len(held), 2)
    delete(url, held[0])
    equal(counts(url), (4, 1, 3))


@case
def purge():
    url = queue("purge")
    send(url, "visible")
    send(url, "delayed", DelaySeconds=900)
    send(url, "held")
    only(receive(url, 1))
    sqs.purge_queue(QueueUrl=url)
    equal(counts(url), (0, 0, 0))
    send(url, "after")
    equal(bodies(receive(url)), ["after"])


@case
def purge_once_a_minute():
    url = queue("purge-minute")
    sqs.purge_queue(QueueUrl=url)
    refused("PurgeQueueInProgress", sqs.purge_queue, QueueUrl=url)
    clock.almost(60)
    refused("PurgeQueueInProgress", sqs.purge_queue, QueueUrl=url)
    clock.over()
    send(url)
    sqs.purge_queue(QueueUrl=url)
    equal(counts(url), (0, 0, 0))


# Dead letters.


@case
def dead_letter():
    url, dead = dead_letter_pair(2)
    sent = send(url, "poison", MessageAttributes=ATTRIBUTES)
    for count in (1, 2):
        message = only(receive(url, MessageSystemAttributeNames=["All"]))
        equal(message["Attributes"]["ApproximateReceiveCount"], str(count))
        assert "DeadLetterQueueSourceArn" not in message["Attributes"], message
        equal(receive(dead), [], f"after {count} receives")
        lease(url, message, 0)
    equal(receive(url), [], "a third time")
    equal(counts(url), (0, 0, 0))
    letter = only(receive(dead, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]))
    equal(letter["MessageId"], sent["MessageId"])
    equal(letter["Body"], "poison")
    equal(letter["MessageAttributes"], ATTRIBUTES)
    equal(letter["MD5OfMessageAttributes"], md5_of_attributes(ATTRIBUTES))
    equal(letter["Attributes"]["SentTimestamp"], message["Attributes"]["SentTimestamp"])
    equal(letter["Attributes"]["DeadLetterQueueSourceArn"], arn(url))


@case
def dead_letter_after_leases_end():
    seconds = clock.few(30)
    url, dead = dead_letter_pair(1, VisibilityTimeout=str(seconds))
    send(url, "poison")
    only(receive(url))
    clock.almost(seconds)
    clock.over()
    equal(receive(url), [])
    equal(bodies(receive(dead)), ["poison"])


@case
def dead_letter_keeps_its_age():
    url, dead = dead_letter_pair(1)
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"MessageRetentionPeriod": "120"})
    send(url, "old")
    clock.advance(100)
    kill(url, dead, 1)
    clock.almost(20)
    equal(counts(dead), (1, 0, 0))
    clock.over()
    equal(counts(dead), (0, 0, 0), "its retention began when it was sent")


@case
def dead_letter_sources():
    url, dead = dead_letter_pair(3)
    equal(sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"], [url])
    equal(sqs.list_dead_letter_source_queues(QueueUrl=url)["queueUrls"], [])


@case
def dead_letter_policies_that_are_refused():
    url, dead = dead_letter_pair(3)
    fifo = queue("dead", fifo=True)

    def policy(**more):
        change = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn(dead), **more})}
        return sqs.set_queue_attributes(QueueUrl=url, Attributes=change)

    refused("InvalidParameterValue", policy, maxReceiveCount=0)
    refused("InvalidParameterValue", policy, maxReceiveCount=1001)
    refused("InvalidParameterValue", policy)
    refused("InvalidParameterValue", policy, maxReceiveCount=1, deadLetterTargetArn=arn(fifo))
    refused("InvalidParameterValue", policy, maxReceiveCount=1, deadLetterTargetArn=arn(dead) + "x")
    equal(json.loads(attributes_of(url)["RedrivePolicy"])["maxReceiveCount"], 3)


def task_of(dead):
    return only(sqs.list_message_move_tasks(SourceArn=arn(dead))["Results"])


def finished(dead):
    """The queue's last move task, once it moves no more."""
    for _ in range(100):
        task = task_of(dead)
        if task["Status"] not in ("RUNNING", "CANCELLING"):
            return task
        clock.advance(0.1)
    raise AssertionError(f"still {task['Status']}")


@case
def redrive_to_the_source():
    url, dead = dead_letter_pair(1)
    for body in ("1", "2", "3"):
        send(url, body, MessageAttributes={"n": text(body)})
    kill(url, dead, 3)
    handle = sqs.start_message_move_task(SourceArn=arn(dead))["TaskHandle"]
    assert handle
    task = finished(dead)
    equal(task["Status"], "COMPLETED")
    equal(task["SourceArn"], arn(dead))
    equal(task["ApproximateNumberOfMessagesMoved"], 3)
    equal(task["ApproximateNumberOfMessagesToMove"], 3)
    assert "TaskHandle" not in task, "a handle of a task that has ended"
    assert len(str(task["StartedTimestamp"])) == 13, task
    equal(counts(dead), (0, 0, 0))
    back = receive(url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])
    equal(sorted(bodies(back)), ["1", "2", "3"])
    for message in back:
        equal(message["MessageAttributes"], {"n": text(message["Body"])})
        equal(message["Attributes"]["ApproximateReceiveCount"], "1")
    equal(sqs.list_message_move_tasks(SourceArn=arn(url)).get("Results", []), [])


@case
def redrive_to_another_queue():
    url, dead = dead_letter_pair(1)
    other = queue("other")
    send(url, "1")
    kill(url, dead, 1)
    sqs.start_message_move_task(SourceArn=arn(dead), DestinationArn=arn(other))
    task = finished(dead)
    equal((task["Status"], task["DestinationArn"]), ("COMPLETED", arn(other)))
    equal(bodies(receive(other)), ["1"])
    equal(counts(url), (0, 0, 0))


@case
def redrive_is_cancelled():
    url, dead = dead_letter_pair(1)
    sqs.send_message_batch(QueueUrl=url, Entries=[entry(n, str(n)) for n in range(10)])
    kill(url, dead, 10)
    start = sqs.start_message_move_task
    handle = start(SourceArn=arn(dead), MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    running = task_of(dead)
    equal(running["Status"], "RUNNING")
    equal(running["TaskHandle"], handle)
    equal(running["MaxNumberOfMessagesPerSecond"], 1)
    refused("InvalidParameterValue", start, SourceArn=arn(dead))
    clock.advance(3)
    moved = sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"]
    assert 1 <= moved <= 5, f"{moved} messages in 3 s at 1 a second"
    task = finished(dead)
    equal(task["Status"], "CANCELLED")
    equal(task["ApproximateNumberOfMessagesMoved"], moved)
    clock.advance(3)
    equal((counts(url)[0], counts(dead)[0]), (moved, 10 - moved), "here and there")
    refused("ResourceNotFoundException", sqs.cancel_message_move_task, TaskHandle=handle)


@case
def redrive_lists_the_last_first():
    url, dead = dead_letter_pair(1)
    for number in range(3):
        sqs.start_message_move_task(SourceArn=arn(dead))
        finished(dead)
        clock.advance(0.01)
    tasks = sqs.list_message_move_tasks(SourceArn=arn(dead), MaxResults=10)["Results"]
    equal([task["Status"] for task in tasks], ["COMPLETED"] * 3)
    times = [task["StartedTimestamp"] for task in tasks]
    equal(times, sorted(times, reverse=True))
    equal(len(sqs.list_message_move_tasks(SourceArn=arn(dead), MaxResults=2)["Results"]), 2)
    refused("InvalidParameterValue", sqs.list_message_move_tasks, SourceArn=arn(dead), MaxResults=11)


@case
def redrive_that_is_refused():
    url = queue("not-dead")
    start = sqs.start_message_move_task
    refused("InvalidParameterValue", start, SourceArn=arn(url))
    refused("ResourceNotFoundException", start, SourceArn=arn(url) + "-absent")
    refused("ResourceNotFoundException", sqs.list_message_move_tasks, SourceArn=arn(url) + "-absent")
    _, dead = dead_letter_pair(1)
    refused("InvalidParameterValue", start, SourceArn=arn(dead), MaxNumberOfMessagesPerSecond=501)


# FIFO queues.


def fifo(word, **attributes):
    return queue(f"fifo-{word}", fifo=True, **attributes)


def ordered(url, group, *all_bodies):
    sent = []
    for body in all_bodies:
        more = {"MessageGroupId": group, "MessageDeduplicationId": uuid.uuid4().hex}
        sent.append(send(url, body, **more))
    return sent


@case
def fifo_sequence_numbers():
    url = fifo("sequence")
    numbers = [sent["SequenceNumber"] for sent in ordered(url, "g", *"123") + ordered(url, "h", "4")]
    for number in numbers:
        assert re.fullmatch(r"\d{20}", number), number
    equal(numbers, sorted(set(numbers)))
    messages = receive(url, MessageSystemAttributeNames=["All"])
    seen = {m["Body"]: m["Attributes"] for m in messages}
    equal([seen[body]["SequenceNumber"] for body in "1234"], numbers)
    equal([seen[body]["MessageGroupId"] for body in "1234"], ["g", "g", "g", "h"])
    assert len({item["MessageDeduplicationId"] for item in seen.values()}) == 4, seen


@case
def fifo_group_is_blocked_in_flight():
    url = fifo("blocked", VisibilityTimeout="60")
    ordered(url, "a", "a1", "a2", "a3")
    ordered(url, "b", "b1")
    first = only(receive(url, 1))
    equal(first["Body"], "a1")
    equal(bodies(receive(url)), ["b1"], "beside a group that is held")
    equal(receive(url), [], "both groups are held")
    delete(url, first)
    two, three = receive(url)
    equal([two["Body"], three["Body"]], ["a2", "a3"])
    ordered(url, "a", "a4")
    delete(url, two)
    equal(receive(url), [], "the third is still in flight")
    delete(url, three)
    equal(bodies(receive(url)), ["a4"])


@case
def fifo_order_under_redelivery():
    seconds = clock.few(30)
    url = fifo("redelivery", VisibilityTimeout=str(seconds))
    ordered(url, "a", "a1", "a2", "a3")
    equal(bodies(receive(url, 2)), ["a1", "a2"])
    clock.almost(seconds)
    equal(receive(url), [])
    clock.over()
    again = receive(url, MessageSystemAttributeNames=["ApproximateReceiveCount"], VisibilityTimeout=600)
    equal(bodies(again), ["a1", "a2", "a3"])
    equal([m["Attributes"]["ApproximateReceiveCount"] for m in again], ["2", "2", "1"])
    delete(url, again[0])
    lease(url, again[2], 0)
    equal(receive(url), [], "the second is in flight: the third does not pass it")
    lease(url, again[1], 0)
    equal(bodies(receive(url)), ["a2", "a3"])


@case
def fifo_stale_receipt():
    seconds = clock.few(30)
    url = fifo("stale", VisibilityTimeout=str(seconds))
    ordered(url, "a", "a1")
    message = only(receive(url))
    clock.almost(seconds)
    clock.over()
    refused("InvalidParameterValue", delete, url, message)
    equal(counts(url), (1, 0, 0))


@case
def fifo_duplicate_by_id():
    url = fifo("dedup-id")
    first = send(url, "one", MessageGroupId="g", MessageDeduplicationId="d")
    second = send(url, "two", MessageGroupId="g", MessageDeduplicationId="d")
    equal(second["MessageId"], first["MessageId"])
    equal(second["SequenceNumber"], first["SequenceNumber"])
    message = only(receive(url))
    equal(message["Body"], "one")
    delete(url, message)
    send(url, "three", MessageGroupId="g", MessageDeduplicationId="d")
    equal(receive(url), [], "a duplicate of what is deleted")
    send(url, "four", MessageGroupId="g", MessageDeduplicationId="e")
    equal(bodies(receive(url)), ["four"])


@case
def fifo_duplicate_by_content():
    url = fifo("dedup-content", ContentBasedDeduplication="true")
    first = send(url, "same", MessageGroupId="g")
    other = {"a": text("not a part of the content")}
    second = send(url, "same", MessageGroupId="g", MessageAttributes=other)
    equal(second["MessageId"], first["MessageId"])
    send(url, "same", MessageGroupId="g", MessageDeduplicationId="own")
    send(url, "different", MessageGroupId="g")
    messages = receive(url, MessageSystemAttributeNames=["MessageDeduplicationId"])
    equal(bodies(messages), ["same", "same", "different"])
    digest = hashlib.sha256(b"same").hexdigest()
    equal(messages[0]["Attributes"]["MessageDeduplicationId"], digest)


@case
def fifo_duplicates_end_after_five_minutes():
    url = fifo("dedup-window", ContentBasedDeduplication="true", VisibilityTimeout="0")
    by_id = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    first = send(url, "one", **by_id)
    content = send(url, "content", MessageGroupId="g")
    clock.almost(300)
    equal(send(url, "two", **by_id)["MessageId"], first["MessageId"], "inside")
    equal(send(url, "content", MessageGroupId="g")["MessageId"], content["MessageId"], "inside")
    clock.over()
    clock.over()
    third = send(url, "three", **by_id)
    assert third["MessageId"] != first["MessageId"], "a duplicate after five minutes"
    again = send(url, "content", MessageGroupId="g")
    assert again["MessageId"] != content["MessageId"], "a duplicate after five minutes"
    equal(bodies(receive(url)), ["one", "content", "three", "content"])


@case
def fifo_duplicates_of_a_group():
    scope = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    url = fifo("dedup-group", **scope)
    for group in ("g", "h", "g"):
        send(url, group, MessageGroupId=group, MessageDeduplicationId="d")
    equal(sorted(bodies(receive(url))), ["g", "h"])


@case
def fifo_receive_attempt():
    url = fifo("attempt", VisibilityTimeout="60")
    ordered(url, "a", "a1", "a2")
    ordered(url, "b", "b1")
    first = receive(url, 2, ReceiveRequestAttemptId="try")
    again = receive(url, 2, ReceiveRequestAttemptId="try")
    equal(bodies(first), ["a1", "a2"])
    equal(bodies(again), bodies(first), "the same attempt")
    equal(bodies(receive(url, 2, ReceiveRequestAttemptId="other")), ["b1"])
    for message in again:
        delete(url, message)
    equal(counts(url), (0, 1, 0))


@case
def fifo_dead_letter_keeps_order():
    dead = fifo("dead-dlq")
    policy = json.dumps({"deadLetterTargetArn": arn(dead), "maxReceiveCount": 1})
    url = fifo("dead", RedrivePolicy=policy)
    ordered(url, "a", "a1", "a2", "a3")
    for message in receive(url, 2):
        lease(url, message, 0)
    equal(bodies(receive(url)), ["a3"])
    letters = receive(dead, MessageSystemAttributeNames=["All"])
    equal(bodies(letters), ["a1", "a2"])
    equal({m["Attributes"]["MessageGroupId"] for m in letters}, {"a"})


@case
def fifo_batch():
    url = fifo("batch")
    entries = [
        entry(n, str(n), MessageGroupId="g", MessageDeduplicationId=f"d{min(n, 8)}") for n in range(10)
    ]
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    equal(len(answer["Successful"]), 10)
    ids = {item["Id"]: item["MessageId"] for item in answer["Successful"]}
    equal(ids["e9"], ids["e8"], "a duplicate in one batch")
    equal(bodies(receive(url)), [str(n) for n in range(9)])


@case
def fifo_parameters_that_are_refused():
    url = fifo("refused")
    own = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    refused("InvalidParameterValue", send, url, MessageGroupId="g")
    refused("InvalidParameterValue", send, url, DelaySeconds=5, **own)
    refused("InvalidParameterValue", send, url, MessageGroupId="g" * 129, MessageDeduplicationId="d")
    refused("InvalidParameterValue", send, url, MessageGroupId="g g", MessageDeduplicationId="d")
    refused("InvalidParameterValue", send, queue("refused"), MessageDeduplicationId="d")
    equal(counts(url), (0, 0, 0))


# Errors, and the connection.


@case
def a_queue_that_is_not_there():
    url = queue("absent") + "-absent"
    handle = {"ReceiptHandle": "x"}
    calls = {
        "send_message": {"MessageBody": "x"},
        "send_message_batch": {"Entries": [entry(1)]},
        "receive_message": {},
        "delete_message": handle,
        "delete_message_batch": {"Entries": [{"Id": "a", **handle}]},
        "change_message_visibility": {"VisibilityTimeout": 1, **handle},
        "change_message_visibility_batch": {"Entries": [{"Id": "a", "VisibilityTimeout": 1, **handle}]},
        "purge_queue": {},
        "get_queue_attributes": {"AttributeNames": ["All"]},
        "set_queue_attributes": {"Attributes": {"DelaySeconds": "1"}},
        "list_queue_tags": {},
        "tag_queue": {"Tags": {"a": "b"}},
        "untag_queue": {"TagKeys": ["a"]},
        "list_dead_letter_source_queues": {},
        "delete_queue": {},
    }
    for action, more in calls.items():
        try:
            refused("QueueDoesNotExist", getattr(sqs, action), QueueUrl=url, **more)
        except AssertionError as error:
            raise AssertionError(f"{action}: {error}") from None


@case
def reconnect_after_a_restart():
    binary = os.environ.get("MQ_BINARY")
    if not binary:
        raise Skip("MQ_BINARY names no `mq` whose background emulator may be restarted")
    url = queue("restart")
    send(url, "before")
    poll = Background(receive, queue("restart-poll"), using=client(), WaitTimeSeconds=20)
    poll.waits()
    port = os.environ["AWS_ENDPOINT_URL_SQS"].rsplit(":", 1)[1]
    subprocess.run([binary, "emulator", "stop"], check=True, stdout=subprocess.DEVNULL)
    start = [binary, "emulator", "start", "--clock", "manual", "--port", f"sqs={port}"]
    subprocess.run(start, check=True, stdout=subprocess.DEVNULL)
    # The poll was ended by the stop, or its client has asked the new server, which has no queue.
    try:
        equal(poll.result(), [])
    except botocore.exceptions.ClientError as error:
        equal(error.response["Error"]["Code"], QUERY_CODES["QueueDoesNotExist"])
    # The same client, whose connections are dead: what was in memory is gone, all else works.
    refused("QueueDoesNotExist", send, url)
    made.clear()
    equal(queue("restart").rsplit("/", 1)[0], url.rsplit("/", 1)[0], "where queues are")
    again = sqs.create_queue(QueueName=url.rsplit("/", 1)[1])["QueueUrl"]
    made.append(again)
    equal(again, url)
    send(url, "after")
    equal(bodies(receive(url)), ["after"])


def against_moto():
    headers = sqs.list_queues(MaxResults=1)["ResponseMetadata"]["HTTPHeaders"]
    return headers.get("server", "").startswith("Werkzeug")


def judge(title, moto):
    try:
        if moto and title in MOTO and "MQ_JUDGE_MOTO_TOO" not in os.environ:
            raise Skip(f"moto: {MOTO[title]}")
        CASES[title]()
        line = f"ok {title}"
    except Skip as reason:
        line = f"skipped {title}: {reason}"
    except Exception as error:
        line = f"FAILED {title}: {type(error).__name__}: {' '.join(str(error).split())[:600]}"
    while made:
        try:
            sqs.delete_queue(QueueUrl=made.pop())
        except botocore.exceptions.ClientError:
            pass  # the case has deleted it
    print(line, flush=True)
    return line.split(" ", 1)[0]


def main(arguments):
    if arguments == ["--list"]:
        print("\n".join(CASES))
        return 0
    unknown = [title for title in arguments if title not in CASES]
    if unknown:
        print(f"no such case: {', '.join(unknown)}", file=sys.stderr)
        return 64
    global sqs
    sqs = client()
    moto = against_moto()
    ends = [judge(title, moto) for title in arguments or CASES]
    numbers = {end: ends.count(end) for end in ("ok", "FAILED", "skipped")}
    print(f"boto3 {boto3.__version__}: " + ", ".join(f"{n} {end}" for end, n in numbers.items()))
    return 1 if numbers["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
