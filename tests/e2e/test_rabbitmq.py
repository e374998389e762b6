"""RabbitMQ as the broker: its messages are lost, its connections break, and everything accepted has its effect."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from kombu import Connection

from tests.e2e import figures
from tests.e2e.client import Client
from tests.e2e.own_servers import Proxy
from tests.e2e.stack import Checkout, Run, backend, http, running, wait_for
from tests.e2e.traffic import traffic
from tests.notifications.receiver import receiver

pytestmark = pytest.mark.fault

SERVER = os.environ.get("RABBITMQ_URL") or "amqp://guest:guest@127.0.0.1:5672//"
QUEUES = ("receipts", "deliveries", "sync")
AWAY = 3.0  # seconds that the broker is away
LIMIT = 60.0


def answers() -> bool:
    where = urlsplit(SERVER)
    try:
        socket.create_connection((where.hostname or "", where.port or 5672), timeout=2).close()
    except OSError:
        return False
    return True


class Broker:
    """What may be broken: the queues, and the connections, which go through a proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy

    @property
    def url(self) -> str:
        where = urlsplit(SERVER)
        host = f"{where.username}:{where.password}@127.0.0.1:{self.proxy.port}"
        return urlunsplit(where._replace(netloc=host))

    def purge(self) -> int:
        """Delete the messages of all queues. Return how many there were."""
        with Connection(SERVER) as connection:
            return sum(connection.default_channel.queue_purge(name) or 0 for name in QUEUES)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    if not answers():
        pytest.skip("No RabbitMQ answers at RABBITMQ_URL.")
    proxy = Proxy(urlsplit(SERVER).port or 5672)
    yield Broker(proxy)
    proxy.close()
    with Connection(SERVER) as connection:
        for name in (*QUEUES, "probe"):
            connection.default_channel.queue_delete(name)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def run(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with backend() as settings:
        folder = Path(tmp_path_factory.mktemp("rabbitmq")) / "checkout"
        folder.mkdir()
        with running(Checkout(folder, {**settings, "BROKER_URL": broker.url})) as run:
            yield run


def nothing(broker: Broker) -> None:
    """For comparison: what the table's seconds are without a fault, on this machine."""
    time.sleep(AWAY)


def its_messages_are_lost(broker: Broker) -> None:
    until, lost = time.monotonic() + AWAY, 0
    while time.monotonic() < until:
        lost += broker.purge()
    assert lost > 0


def its_connections_break(broker: Broker) -> None:
    until = time.monotonic() + AWAY
    while time.monotonic() < until:
        broker.proxy.close_connections()
        time.sleep(0.1)
    assert broker.proxy.closed > 0


@pytest.mark.parametrize("fault", [nothing, its_messages_are_lost, its_connections_break])
def test_everything_accepted_has_its_effect_soon_after_the_fault(
    run: Run, broker: Broker, fault: Callable[[Broker], None]
) -> None:
    api = Client(run, f"Rabbit & Sons {fault.__name__}")
    source = run.checkout.manage("create_source", "sendpilot", "--agency", str(api.agency))
    with receiver() as program:
        assert api("POST", "channels", {"kind": "webhook", "url": program.url, "name": "CRM"})[0] == 201
        with traffic(run, source, program) as load:
            fault(broker)
            back = time.monotonic()
            seconds = load.seconds_to_recover(back)
            wait_for(lambda: len([at for at in load.accepted.values() if at > back]) > 20)
        accepted, processed, delivered, lost, invented = load.drain()
    figures.write_row(
        figures.Figures(
            fault=f"the broker: {fault.__name__.replace('_', ' ')}",
            backend="PostgreSQL, RabbitMQ",
            accepted=accepted,
            processed=processed,
            delivered=delivered,
            lost=lost,
            invented=invented,
            seconds=seconds,
        )
    )
    assert (lost, invented, processed) == (0, 0, accepted)
    assert seconds < LIMIT, "\n".join(line for line in run.errors if "[info " not in line)[-5000:]


def test_readyz_and_the_doctor_name_the_broker(run: Run) -> None:
    assert http.request("GET", f"{run.checkout.url}/readyz").status == 200
    [check] = [check for check in run.checkout.manage("doctor")["checks"] if check["name"] == "broker"]
    assert (check["ok"], check["detail"]) == (True, "RabbitMQ takes messages")
