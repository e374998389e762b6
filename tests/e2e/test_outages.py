"""The database and the broker go away, under load, and come back: everything accepted has its effect, soon."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import figures
from tests.e2e.client import Client
from tests.e2e.own_servers import PostgreSQL, Proxy, RedisServer, own_servers
from tests.e2e.stack import Checkout, Run, http, running, wait_for
from tests.e2e.traffic import traffic
from tests.notifications.receiver import receiver

pytestmark = pytest.mark.fault

LIMIT = 60.0  # seconds, on a machine that may do other things; the table shows how many it took
AWAY = 3.0  # seconds that a server is away


class Servers:
    """What may be broken."""

    def __init__(self, database: PostgreSQL, broker: RedisServer, proxy: Proxy) -> None:
        self.database, self.broker, self.proxy = database, broker, proxy


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with own_servers() as (database, broker, proxy):
        yield Servers(database, broker, proxy)


@pytest.fixture(scope="module")
def checkout(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Its database is behind the proxy, its broker is not."""
    url = servers.database.url.replace(str(servers.database.port), str(servers.proxy.port))
    folder = Path(tmp_path_factory.mktemp("outages")) / "checkout"
    folder.mkdir()
    return Checkout(folder, {"DATABASE_URL": url, "REDIS_URL": servers.broker.url})


@pytest.fixture(scope="module")
def run(checkout: Checkout) -> Iterator[Run]:
    with running(checkout) as run:
        yield run


def nothing(servers: Servers) -> None:
    """For comparison: what the table's seconds are without a fault, on this machine."""
    time.sleep(AWAY)


def connections_are_terminated(servers: Servers) -> None:
    for _ in range(8):
        assert servers.database.terminate_connections() > 0
        time.sleep(0.4)


def the_database_is_stopped(servers: Servers) -> None:
    servers.database.stop()
    time.sleep(AWAY)
    servers.database.start()


def the_database_hangs_up_on_idle_sessions(servers: Servers) -> None:
    servers.database.execute("ALTER SYSTEM SET idle_session_timeout = '200ms'", "SELECT pg_reload_conf()")
    time.sleep(AWAY)
    servers.database.execute("ALTER SYSTEM RESET idle_session_timeout", "SELECT pg_reload_conf()")


def a_pooler_closes_connections(servers: Servers) -> None:
    before = servers.proxy.closed
    for _ in range(10):
        servers.proxy.close_connections()
        time.sleep(0.3)
    assert servers.proxy.closed > before


def the_database_is_read_only(servers: Servers) -> None:
    """Sessions that begin meanwhile stay read-only after it."""
    servers.database.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
    servers.database.terminate_connections()
    time.sleep(AWAY)
    servers.database.execute("BEGIN READ WRITE; ALTER DATABASE postgres RESET default_transaction_read_only; COMMIT")


def redis_is_read_only(servers: Servers) -> None:
    servers.broker.execute("REPLICAOF", "127.0.0.1", "1")
    time.sleep(AWAY)
    servers.broker.execute("REPLICAOF", "NO", "ONE")


def redis_is_full(servers: Servers) -> None:
    servers.broker.execute("CONFIG", "SET", "maxmemory", "1")
    time.sleep(AWAY)
    servers.broker.execute("CONFIG", "SET", "maxmemory", "0")


def redis_is_restarted(servers: Servers) -> None:
    servers.broker.restart(AWAY)


@pytest.mark.parametrize(
    "fault",
    [
        nothing,
        connections_are_terminated,
        the_database_is_stopped,
        the_database_hangs_up_on_idle_sessions,
        a_pooler_closes_connections,
        the_database_is_read_only,
        redis_is_read_only,
        redis_is_full,
        redis_is_restarted,
    ],
)
def test_everything_accepted_has_its_effect_soon_after_the_fault(
    run: Run, servers: Servers, fault: Callable[[Servers], None]
) -> None:
    api = Client(run, f"Outage & Sons {fault.__name__}")
    source: dict[str, Any] = run.checkout.manage("create_source", "sendpilot", "--agency", str(api.agency))
    with receiver() as program:
        assert api("POST", "channels", {"kind": "webhook", "url": program.url, "name": "CRM"})[0] == 201
        with traffic(run, source, program) as load:
            fault(servers)
            back = time.monotonic()
            seconds = load.seconds_to_recover(back)
            wait_for(lambda: len([at for at in load.accepted.values() if at > back]) > 20)
        accepted, processed, delivered, lost, invented = load.drain()
    figures.write_row(
        figures.Figures(
            fault=fault.__name__.replace("_", " "),
            backend="PostgreSQL, Redis",
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
    assert load.statuses.keys() <= {0, 200, 503}, load.statuses


def test_readyz_and_the_doctor_say_what_takes_no_writes(run: Run, servers: Servers) -> None:
    def found(check: str) -> str:
        answer = http.request("GET", f"{run.checkout.url}/readyz")
        return str(json.loads(answer.data)["checks"][check]["detail"])

    redis, database = servers.broker.execute, servers.database.execute
    redis("REPLICAOF", "127.0.0.1", "1")
    wait_for(lambda: found("broker") == "is read-only")
    diagnosis = run.checkout.manage("doctor")["checks"]
    assert [check["ok"] for check in diagnosis if check["name"] == "broker"] == [False]
    redis("REPLICAOF", "NO", "ONE")
    redis("CONFIG", "SET", "maxmemory", "1")
    wait_for(lambda: found("broker") == "is full")
    redis("CONFIG", "SET", "maxmemory", "0")
    redis("CONFIG", "SET", "requirepass", "example")
    wait_for(lambda: found("broker") == "refuses the password")
    servers.broker.restart()  # without one
    database("ALTER DATABASE postgres SET default_transaction_read_only = on")
    servers.database.terminate_connections()
    wait_for(lambda: found("database") == "the database is read-only")
    database("BEGIN READ WRITE; ALTER DATABASE postgres RESET default_transaction_read_only; COMMIT")
    wait_for(lambda: http.request("GET", f"{run.checkout.url}/readyz").status == 200, 90)
