"""An erased person is found nowhere in a real product, and stays away when a backup from before is restored."""

import json
import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from config.demo.linkedin_api import StandIn
from tests import servers
from tests.e2e.client import Client
from tests.e2e.stack import Checkout, Run, backend, http, rows, running, wait_for
from tests.leads.privacy.canary import ANSWERS, CANARIES, LEAD_ID, NOTE, REPLY, found_in
from tests.notifications.receiver import Request, answering, receiver
from webhooks.providers import PROVIDERS

pytestmark = pytest.mark.fault

OWNER = "urn:li:sponsoredAccount:12"
PROFILE = "https://www.linkedin.com/in/canary-lead"


@pytest.fixture
def mine(tmp_path: Path, linkedin: StandIn) -> Iterator[Checkout]:
    """A checkout whose database may be put back."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    with backend() as settings:
        there = {"LINKEDIN_API_BASE": linkedin.base, "LINKEDIN_OAUTH_BASE": linkedin.oauth_base}
        yield Checkout(folder, settings | there)


def test_nobody_who_was_erased_comes_back_with_a_backup(mine: Checkout, linkedin: StandIn, tmp_path: Path) -> None:
    world, backup = linkedin.world, tmp_path / "backup"
    world.account_roles[OWNER] = "ACCOUNT_MANAGER"
    with receiver(saying_back) as program:
        with running(mine) as first:
            api = Client(first)
            report_everything(mine, api, world, program.url)
            assert found_in("".join(stored(mine).values())) == CANARIES
            assert where(files(mine))
            back_up(mine, backup)
            assert world.notify(LEAD_ID, "DELETED") == [200]
            wait_until_clean(lambda: where(stored(mine)))
            del world.leads[LEAD_ID]
            wait_for(lambda: b"lead_erased" in program.requests[-1].body)
            wait_until_clean(lambda: where(files(mine)))
        assert found_in(printed(first)) == []

        restore(mine, backup)
        assert found_in("".join(stored(mine).values())) == CANARIES
        sent_before = len(program.requests)
        with running(mine) as second:
            assert where(stored(mine)) == {}  # before it answers for the first time
            wait_for(lambda: http.request("GET", f"{mine.url}/readyz").status == 200, 60)
            assert [row["status"] for row in api("GET", "receipts?status=received")[1]["results"]] == []
            assert api("GET", f"leads?external_id={LEAD_ID}")[1]["results"] == []
            assert where(stored(mine) | files(mine)) == {}
        assert found_in(printed(second)) == []
        assert found_in("".join(request.body.decode() for request in program.requests[sent_before:])) == []


async def saying_back(request: Request, *streams: Any) -> None:
    """Repeat the name and address of the person in the response. Refuse one type of event."""
    echo = json.dumps({"got": f"{ANSWERS['First name']} {ANSWERS['Work email']}"})
    status = 400 if b"lead_opportunity" in request.body else 200
    await answering(status, body=echo if b'"lead_id"' in request.body else "ok")(request, *streams)


def wait_until_clean(look: Callable[[], dict[str, list[str]]]) -> None:
    with suppress(AssertionError):
        wait_for(lambda: not look(), 20)
    assert look() == {}


def report_everything(mine: Checkout, api: Client, world: Any, url: str) -> None:
    """The person goes through all that keeps something of them."""
    assert api("POST", "channels", {"kind": "webhook", "url": url, "name": "CRM"})[0] == 201
    source = api.source(world, OWNER)
    api.connect(source)
    wait_for(lambda: [row for row in world.subscriptions.values() if row["webhook"] == source["webhook_url"]])
    world.submit(ANSWERS, id=LEAD_ID, owner={"sponsoredAccount": OWNER})
    assert world.notify(LEAD_ID) == [200]
    [lead] = wait_for(
        lambda: [
            lead for lead in api("GET", f"leads?external_id={LEAD_ID}")[1]["results"] if not lead["details_pending"]
        ]
    )
    change = {"status": "OPPORTUNITY", "note": NOTE, "tags": ["hot"], "linkedin_url": PROFILE}
    assert api("PATCH", f"leads/{lead['id']}", change)[0] == 200
    post_reply(api("POST", "sources", {"provider": "sendpilot"})[1])
    wait_for(lambda: api("GET", f"leads/{lead['id']}/thread")[1]["results"])
    assert api("GET", "leads?q=Canaryfirst")[1]["results"]
    answer = http.request(
        "GET", f"{mine.url}/api/v1/reports/leads?format=csv", headers={"Authorization": f"Bearer {api.key}"}
    )
    assert answer.status == 200
    assert world.notify(LEAD_ID, "ARCHIVED") == [200]  # a word that nobody knows
    [receipt] = wait_for(lambda: api("GET", "receipts?status=quarantined")[1]["results"])
    reprocess = f"receipts/{receipt['id']}/reprocess"
    assert api("POST", reprocess, **{"Idempotency-Key": "again"})[0] == 202
    wait_for(lambda: api("GET", "receipts?status=quarantined")[1]["results"])
    forged = {"X-LI-Signature": "0" * 64, "Content-Type": "application/json"}
    body = json.dumps({"lead": LEAD_ID, **ANSWERS}).encode()
    assert http.request("POST", source["webhook_url"], body=body, headers=forged).status == 401
    wait_for(lambda: api("GET", "rejected-requests")[1]["results"])
    about = (
        "SELECT d.status FROM notifications_delivery d JOIN accounts_event e ON e.id = d.event_id "
        f"WHERE e.subject = '{lead['id']}'"
    )
    wait_for(
        lambda: {status for (status,) in rows(mine, about)} == {"delivered", "pending"}
    )  # one is tried again later


def post_reply(source: Any) -> None:
    """Let the person answer over SendPilot."""
    now = datetime.now(UTC)  # noqa: TID251 (the provider's own clock)
    payload = {
        "eventId": "evt_reply", "eventType": "reply.received", "workspaceId": "ws_1",
        "timestamp": now.isoformat(timespec="milliseconds"),
        "data": {"leadId": "sp_1", "campaignId": "camp_1", "linkedinUrl": PROFILE, "reply": REPLY},
    }  # fmt: skip
    body, headers = PROVIDERS["sendpilot"].sign(json.dumps(payload).encode(), source["secret"], at=now)
    assert http.request("POST", source["webhook_url"], body=body, headers=headers).status == 200


def stored(checkout: Checkout) -> dict[str, str]:
    """By table: every column as text, encrypted ones opened."""
    if "DATABASE_URL" in checkout.settings:
        names = rows(checkout, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    else:
        names = rows(checkout, "SELECT name FROM sqlite_master WHERE type = 'table'")
    found = {name: rows(checkout, f'SELECT * FROM "{name}"') for (name,) in names}
    return {
        name: opened(checkout, "\n".join(plain(value) for row in table for value in row))
        for name, table in found.items()
    }


def files(checkout: Checkout) -> dict[str, str]:
    """All that lies under var/ but for the database, and Redis."""
    found: dict[str, str] = {}
    for path in (checkout.folder / "var").rglob("*"):
        with suppress(FileNotFoundError):  # the spool's come and go
            if path.is_file() and "sqlite3" not in path.name and "static" not in path.parts:
                found[str(path)] = f"{path.name}\n{path.read_text('latin-1')}"
    if url := checkout.settings.get("REDIS_URL"):
        found["Redis"] = "\n".join(in_redis(redis.Redis.from_url(url)))
    return {place: opened(checkout, text) for place, text in found.items()}


def where(places: dict[str, str]) -> dict[str, list[str]]:
    """Where the person is found, and by which of their words."""
    return {place: found for place, text in places.items() if (found := found_in(text))}


def in_redis(server: Any) -> list[str]:
    read = {
        b"string": server.get,
        b"list": lambda key: server.lrange(key, 0, -1),
        b"hash": server.hgetall,
        b"set": server.smembers,
        b"zset": lambda key: server.zrange(key, 0, -1),
    }
    return [f"{key} {read[server.type(key)](key)}" for key in server.scan_iter() if server.type(key) in read]


def printed(run: Run) -> str:
    return "\n".join(run.lines + run.errors)


def plain(value: Any) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def opened(checkout: Checkout, text: str) -> str:
    [line] = re.findall(r"^FIELD_ENCRYPTION_KEYS=(.+)$", (checkout.folder / "var" / "env").read_text(), re.MULTILINE)
    keys = MultiFernet([Fernet(key) for key in line.strip("\"'").split(",")])
    for token in re.findall(r"gAAAA[\w=-]+", text):
        try:
            text += keys.decrypt(token.encode()).decode()
        except InvalidToken:
            continue
    return text


def back_up(checkout: Checkout, file: Path) -> None:
    """As docs/operations.md says, while it runs."""
    if url := checkout.settings.get("DATABASE_URL"):
        subprocess.run(["pg_dump", "--no-owner", "--file", str(file), url], check=True)
        return
    with closing(sqlite3.connect(checkout.folder / "var" / "leadline.sqlite3", timeout=30)) as database:
        database.execute("VACUUM INTO ?", [str(file)])


def restore(checkout: Checkout, file: Path) -> None:
    url = checkout.settings.get("DATABASE_URL")
    if url:
        name = urlsplit(url).path.lstrip("/")
        with psycopg.connect(servers.DATABASE_URL, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}"')
        there = urlunsplit(urlsplit(servers.DATABASE_URL)._replace(path=f"/{name}"))
        command = ["psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", str(file), there]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return
    database = checkout.folder / "var" / "leadline.sqlite3"
    for path in database.parent.glob("leadline.sqlite3*"):
        path.unlink()
    database.write_bytes(file.read_bytes())
