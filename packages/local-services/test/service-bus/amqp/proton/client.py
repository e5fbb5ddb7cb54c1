"""A client of Apache Qpid Proton that does what it is told: a list of steps in JSON on stdin, their results on stdout."""

import json
import sys
import uuid

from proton import (
    Condition,
    ConnectionException,
    Delivery,
    Link,
    Message,
    Terminus,
    Timeout,
    float32,
    int32,
    symbol,
    timestamp,
    ubyte,
    ulong,
)
from proton.reactor import Container, LinkOption
from proton.utils import BlockingConnection, LinkDetached, SendException

TIMEOUT = 10

TYPES = {
    "int": int32,
    "long": int,
    "ubyte": ubyte,
    "ulong": ulong,
    "float": float32,
    "double": float,
    "timestamp": timestamp,
    "uuid": uuid.UUID,
    "symbol": symbol,
    "binary": lambda hex: bytes.fromhex(hex),
    "string": str,
    "boolean": bool,
}


class Settled(LinkOption):
    """Receive-and-delete: the server settles what it sends."""

    def apply(self, link):
        link.snd_settle_mode = Link.SND_SETTLED


class Second(LinkOption):
    """Peek-lock with the server's answer to each outcome."""

    def apply(self, link):
        link.snd_settle_mode = Link.SND_UNSETTLED
        link.rcv_settle_mode = Link.RCV_SECOND


class SessionFilter(LinkOption):
    def __init__(self, session):
        self.session = session

    def apply(self, link):
        link.source.filter.put_dict({symbol("com.microsoft:session-filter"): self.session})


class Coordinator(LinkOption):
    """What transactions are declared at."""

    def apply(self, link):
        link.target.type = Terminus.COORDINATOR


class Properties(LinkOption):
    def __init__(self, properties):
        self.properties = properties

    def apply(self, link):
        link.properties = {symbol(name): value for name, value in self.properties.items()}


class Replies(LinkOption):
    def apply(self, link):
        link.target.address = "replies"


def typed(properties):
    return {name: TYPES[kind](value) for name, (kind, value) in properties.items()}


def shown(value):
    """A value with the type it came in."""
    if isinstance(value, (bytes, memoryview)):
        return ["binary", bytes(value).hex()]
    if isinstance(value, uuid.UUID):
        return ["uuid", str(value)]
    return [type(value).__name__, float(value) if isinstance(value, float) else value if isinstance(value, (bool, str)) else int(value)]


class Client:
    def __init__(self):
        self.links = {}
        self.deliveries = {}

    def connect(self, url, mechanisms="PLAIN", user=None, password=None, container_id=None, **options):
        container = Container()
        if container_id is not None:
            container.container_id = container_id
        self.connection = BlockingConnection(
            url, timeout=TIMEOUT, container=container, allowed_mechs=mechanisms, user=user, password=password, **options
        )

    def sender(self, name, address, link_name=None, coordinator=False, properties=None):
        options = [Coordinator()] if coordinator else []
        if properties is not None:
            options.append(Properties(properties))
        self.links[name] = self.connection.create_sender(address, name=link_name or name, options=options)

    def dynamic(self):
        self.connection.create_receiver(None, dynamic=True)

    def burst(self, link, count):
        """Sends without a wait between; resolves to the outcomes, also of a link that is detached meanwhile."""
        sender = self.links[link].link
        deliveries = [sender.send(Message(id=str(at), body="")) for at in range(count)]
        try:
            self.connection.wait(lambda: all(delivery.settled for delivery in deliveries), timeout=TIMEOUT)
        except LinkDetached:
            self.connection.wait(lambda: all(delivery.remote_state for delivery in deliveries), timeout=TIMEOUT)
        conditions = [delivery.remote.condition for delivery in deliveries]
        return [
            [str(delivery.remote_state), condition.name if condition else None]
            for delivery, condition in zip(deliveries, conditions)
        ]

    def request(self, address, properties, body):
        """One request to a node that answers; a body is a text, or a map of typed values."""
        sender = self.connection.create_sender(address)
        receiver = self.connection.create_receiver(address, credit=1, options=[Replies()])
        sender.send(
            Message(
                id="request",
                reply_to="replies",
                properties=typed(properties),
                body=body if isinstance(body, str) else typed(body),
            ),
            timeout=TIMEOUT,
        )
        reply = receiver.receive(timeout=TIMEOUT)
        sender.close()
        receiver.close()
        status = reply.properties.get("statusCode", reply.properties.get("status-code"))
        return {"status": int(status), "messages": len((reply.body or {}).get("messages", []))}

    def receiver(self, name, address, credit=0, session=False, mode="peek-lock"):
        options = [Settled() if mode == "receive-and-delete" else Second()]
        if session is not False:
            options.append(SessionFilter(session))
        self.links[name] = self.connection.create_receiver(address, credit=credit, name=name, options=options)
        link = self.links[name].link
        found = link.remote_source.filter
        found.rewind()
        return {str(key): value for key, value in found.get_dict().items()} if found.next() else None

    def send(self, link, body="", size=None, properties=None, presettled=False, **fields):
        message = Message(body=body if size is None else b"x" * size, inferred=size is not None, **fields)
        if properties is not None:
            message.properties = typed(properties)
        if presettled:
            sender = self.links[link].link
            sender.send(message).settle()
            self.connection.wait(lambda: sender.queued == 0)
            return None
        try:
            return str(self.links[link].send(message, timeout=TIMEOUT).remote_state)
        except SendException as error:
            return str(error.state)

    def receive(self, link, key="delivery", credit=1):
        receiver = self.links[link]
        if receiver.link.credit == 0:
            receiver.link.flow(credit)
        message = receiver.fetcher.pop() if receiver.fetcher.has_message else receiver.receive(timeout=TIMEOUT)
        if receiver.fetcher.unsettled:
            self.deliveries[key] = receiver.fetcher.unsettled.popleft()
        body = message.body
        return {
            "id": message.id,
            "body": body if isinstance(body, str) else {"bytes": len(body)},
            "deliveryCount": message.delivery_count,
            "properties": {name: shown(value) for name, value in (message.properties or {}).items()},
            "annotations": sorted(str(name) for name in (message.annotations or {})),
            "state": (message.annotations or {}).get(symbol("x-opt-message-state")),
            "instructions": {str(name): shown(value) for name, value in (message.instructions or {}).items()},
            "firstAcquirer": message.first_acquirer,
        }

    def drain(self, link, credit):
        """Resolves to how many came before the credit was used up."""
        receiver = self.links[link]
        receiver.link.drain(credit)
        link = receiver.link
        # What has arrived may not have been handed over yet.
        self.connection.wait(
            lambda: (not link.draining() or link.credit == 0) and link.queued == 0, timeout=TIMEOUT
        )
        return len(receiver.fetcher.incoming)

    def settle(self, key="delivery", outcome="accepted", condition=None, description=None, info=None, undeliverable=False, annotations=None):
        delivery = self.deliveries.pop(key)
        state = {
            "accepted": Delivery.ACCEPTED,
            "rejected": Delivery.REJECTED,
            "released": Delivery.RELEASED,
            "modified": Delivery.MODIFIED,
            "none": None,
        }[outcome]
        if state is None:
            return delivery.settle()
        if condition is not None:
            delivery.local.condition = Condition(condition, description, info)
        if outcome == "modified":
            delivery.local.undeliverable = undeliverable
            if annotations is not None:
                delivery.local.annotations = {symbol(name): value for name, value in typed(annotations).items()}
        delivery.update(state)
        self.connection.wait(lambda: delivery.settled, timeout=TIMEOUT)
        said = str(delivery.remote_state)
        delivery.settle()
        condition = delivery.remote.condition
        return [said, condition.name if condition else None]

    def give_up(self, address):
        """Attaches for any session, and detaches before one is there."""
        connection = self.connection.conn
        session = connection.session()
        session.open()
        link = session.receiver("given-up")
        link.source.address = address
        SessionFilter(None).apply(link)
        link.open()
        self.connection.wait(lambda: session.state & session.REMOTE_ACTIVE, timeout=TIMEOUT)
        link.close()
        self.connection.wait(lambda: link.state & link.REMOTE_CLOSED, timeout=TIMEOUT)

    def close(self, link=None):
        (self.connection if link is None else self.links.pop(link)).close()


def main():
    client = Client()
    for step in json.load(sys.stdin):
        name = step.pop("do")
        try:
            result = {"ok": getattr(client, name)(**step)}
        except LinkDetached as error:
            result = {"detached": error.condition}
        except (ConnectionException, Timeout) as error:
            result = {"failed": str(error)}
        print(json.dumps(result), flush=True)


main()
