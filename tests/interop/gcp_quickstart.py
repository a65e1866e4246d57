"""google-cloud-pubsub sees the quickstart's topics, subscriptions and grants as the file asks."""

import os
from importlib.metadata import version


import google.cloud.pubsub_v1 as pubsub

project = os.environ["PUBSUB_PROJECT_ID"]
publisher, subscriber = pubsub.PublisherClient(), pubsub.SubscriberClient()
topic = publisher.get_topic(topic=f"projects/{project}/topics/orders")
dead_topic = f"projects/{project}/topics/orders-dlq"
publisher.get_topic(topic=dead_topic)
path = f"projects/{project}/subscriptions/orders-sub"
source = subscriber.get_subscription(subscription=path)
assert source.topic == topic.name, source
assert source.ack_deadline_seconds == 30, source
assert source.message_retention_duration.total_seconds() == 4 * 86400, source
assert "expiration_policy" in source and not source.expiration_policy.ttl, source
assert source.dead_letter_policy.dead_letter_topic == dead_topic, source
assert source.dead_letter_policy.max_delivery_attempts == 5, source
assert source.labels["mq-stack"] == "quickstart", source
dead = subscriber.get_subscription(subscription=f"{path.removesuffix('-sub')}-dlq-sub")
assert dead.topic == dead_topic, dead
assert not dead.expiration_policy.ttl, dead


def granted(client, resource, role):
    policy = client.get_iam_policy(request={"resource": resource})
    members = [member for binding in policy.bindings if binding.role == role for member in binding.members]
    assert any(member.endswith("@gcp-sa-pubsub.iam.gserviceaccount.com") for member in members), policy


granted(publisher, dead_topic, "roles/pubsub.publisher")
granted(subscriber, path, "roles/pubsub.subscriber")
print("google-cloud-pubsub", version("google-cloud-pubsub"), "saw 2 topics, 2 subscriptions and 2 grants as asked")
