"""azure-servicebus sees the quickstart's queue as the file asks for it, over TLS."""

import json
import os
from datetime import timedelta

import azure.servicebus
from azure.servicebus.management import ServiceBusAdministrationClient

client = ServiceBusAdministrationClient.from_connection_string(
    os.environ["SERVICEBUS_ADMIN_CONNECTION_STRING"], connection_verify=os.environ["MQ_EMULATOR_CA"]
)
queue = client.get_queue("orders")
assert queue.lock_duration == timedelta(seconds=30), queue
assert queue.default_message_time_to_live == timedelta(days=4), queue
assert queue.max_delivery_count == 5, queue
assert not queue.requires_session and not queue.requires_duplicate_detection, queue
marker = json.loads(queue.user_metadata)
assert "quickstart" in json.dumps(marker), marker
assert client.get_namespace_properties().messaging_sku == "Standard"
assert [entry.name for entry in client.list_queues()] == ["orders"]
print("azure-servicebus", azure.servicebus.__version__, "saw 1 queue as asked")
