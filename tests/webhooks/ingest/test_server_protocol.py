"""The fast path is used where it may be and can be; without it webhooks are accepted all the same."""

from typing import Any

import pytest
from django.utils import timezone
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from accounts.models import Agency
from accounts.sources.service import create_source
from tests.webhooks.ingest_server import serving
from webhooks.ingest.app import IngestApp
from webhooks.ingest.connection import BoundedProtocol
from webhooks.ingest.fastpath.protocol import FastPathProtocol
from webhooks.ingest.server_protocol import server_protocol
from webhooks.models import Receipt
from webhooks.providers import PROVIDERS

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def forget(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Make a connection of uvicorn's lose an attribute, as an update of uvicorn may."""
    *parents, name = path.split(".")
    connection_made = HttpToolsProtocol.connection_made

    def made_without(self: Any, transport: Any) -> None:
        connection_made(self, transport)
        owner = self
        for parent in parents:
            owner = getattr(owner, parent)
        delattr(owner, name)

    monkeypatch.setattr(HttpToolsProtocol, "connection_made", made_without)


def test_the_installed_uvicorn_carries_the_fast_path(settings: Any) -> None:
    settings.INGEST_FAST_PATH = True
    assert server_protocol() is FastPathProtocol


def test_a_setting_turns_the_fast_path_off(settings: Any) -> None:
    settings.INGEST_FAST_PATH = False
    assert server_protocol() is BoundedProtocol


@pytest.mark.parametrize("name", ["app_state", "flow.write_paused", "server_state.total_requests"])
def test_the_fast_path_is_off_when_uvicorn_no_longer_has_a_name_that_it_uses(
    settings: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    settings.INGEST_FAST_PATH = True
    forget(monkeypatch, name)
    assert server_protocol() is BoundedProtocol


@pytest.mark.parametrize("method", ["shutdown", "connection_lost"])
def test_the_fast_path_is_off_when_uvicorn_asks_more_of_a_request_than_the_fast_path_answers(
    settings: Any, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    settings.INGEST_FAST_PATH = True
    monkeypatch.setattr(HttpToolsProtocol, method, lambda self, *args: self.cycle.trailers_complete)
    assert server_protocol() is BoundedProtocol


@pytest.mark.django_db(transaction=True)
def test_without_the_fast_path_a_webhook_is_accepted_and_answered_alike(
    agency: Agency, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _ = create_source(agency=agency, provider="salesflow", secret=SECRET)
    handle_synchronously = IngestApp.handle_synchronously
    taken: list[bool] = []
    monkeypatch.setattr(
        IngestApp, "handle_synchronously", lambda *args: taken.append(handle_synchronously(*args)) or taken[-1]
    )

    answers = []
    for fast, numbers in ((True, (1, 2)), (False, (3, 4))):
        settings.INGEST_FAST_PATH = fast
        with serving() as server:
            for number in numbers:  # the first one makes the source known
                body, headers = PROVIDERS["salesflow"].sign(b'{"n": %d}' % number, SECRET, at=timezone.now())
                answer = server.post(f"/webhooks/salesflow/{source.token}", body, headers)
                answers.append((answer.status, sorted(answer.headers), answer.json["status"]))

    assert taken == [False, True]
    assert len(set(map(str, answers))) == 1
    assert answers[0][0::2] == (200, "accepted")
    assert Receipt.objects.count() == 4
