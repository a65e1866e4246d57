"""boto3 sees the quickstart's queue as the file asks for it."""

import json

import boto3

sqs = boto3.client("sqs")


def attributes(name):
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


source, dead = attributes("orders"), attributes("orders-dlq")
assert source["VisibilityTimeout"] == "30", source
assert source["MessageRetentionPeriod"] == str(4 * 86400), source
assert source["ReceiveMessageWaitTimeSeconds"] == "20", source
redrive = json.loads(source["RedrivePolicy"])
assert redrive["deadLetterTargetArn"] == dead["QueueArn"], redrive
assert int(redrive["maxReceiveCount"]) == 5, redrive
allowed = json.loads(dead["RedriveAllowPolicy"])
assert allowed == {"redrivePermission": "byQueue", "sourceQueueArns": [source["QueueArn"]]}, allowed
tags = sqs.list_queue_tags(QueueUrl=sqs.get_queue_url(QueueName="orders")["QueueUrl"])["Tags"]
assert tags["mq-stack"] == "quickstart" and tags["mq-queue"] == "orders", tags
print("boto3", boto3.__version__, "saw 2 queues as asked")
