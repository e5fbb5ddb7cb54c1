"""A client of uamqp, the AMQP stack in C of the vendor's Python clients: sends bodies of some sizes, receives and settles them.

Arguments: port, file of the certificate authority, key of the policy `root`, `plain` or `cbs`, sizes in bytes.
Prints one line of JSON per received message.
"""

import json
import sys
import uuid

import uamqp
from uamqp import authentication

HOST = "localhost"
PATIENCE_MS = 10_000

port, authority, key, kind, *sizes = sys.argv[1:]


def auth():
    # Each client uses one up.
    options = {"port": int(port), "verify": authority}
    if kind == "plain":
        return authentication.SASLPlain(HOST, "root", key, **options)
    return authentication.SASTokenAuth.from_shared_access_key(f"sb://{HOST}/q", "root", key, **options)


sender = uamqp.SendClient(f"amqps://{HOST}/q", auth=auth())
for size in sizes:
    # With these it writes the sections in an order of its own.
    extras = {"delivery_annotations": {b"d": 1}, "footer": {b"f": 2}}
    sender.send_message(uamqp.Message(b"x" * int(size), **extras))
sender.close()

receiver = uamqp.ReceiveClient(f"amqps://{HOST}/q", auth=auth(), prefetch=len(sizes))
messages = []
while len(messages) < len(sizes):
    batch = receiver.receive_message_batch(max_batch_size=len(sizes), timeout=PATIENCE_MS)
    if not batch:
        break
    messages.extend(batch)
for message in messages:
    print(
        json.dumps(
            {
                "bytes": len(b"".join(message.get_data())),
                "lockToken": str((message.delivery_annotations or {}).get(b"x-opt-lock-token")),
                "extras": [(message.delivery_annotations or {}).get(b"d"), (message.footer or {}).get(b"f")],
                "tag": str(uuid.UUID(bytes_le=message.delivery_tag)),
            }
        )
    )
    message.accept()
receiver.close()
