"""Keys, secrets, exports and erasure ask who found a session open to prove who they are; then the request goes on."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from accounts.core.enums import Role
from accounts.models import ApiKey
from leads.models import Lead
from tests.factories import Everything
from tests.portal.browser import Browser

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
REAUTHENTICATE = "/accounts/reauthenticate/"
pytestmark = [pytest.mark.usefixtures("fresh_cache"), pytest.mark.one_backend]


def asked(ours: Everything) -> list[tuple[str, dict[str, str]]]:
    return [
        ("/keys", {"name": "CRM", "scopes": "read", "lifetime": ""}),
        (f"/sources/{ours.source.pk}/rotate", {}),
        ("/sources", {"provider": "sendpilot", "name": "", "secret": ""}),
        (f"/notifications/channels/{ours.webhook.pk}/rotate", {}),
        ("/leads/export", {}),
    ]


def test_an_old_session_is_asked_and_a_new_one_is_not(ours: Everything, sign_in: Browser) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        owner = sign_in(Role.OWNER)
        for path, data in asked(ours):
            answer = owner.post(path, data)
            b"".join(answer)  # a file is sent to its end, else it keeps others waiting
            assert REAUTHENTICATE not in answer.get("Location", ""), path
        clock.shift(timedelta(minutes=31))
        for path, data in asked(ours):
            assert owner.post(path, data)["Location"].startswith(REAUTHENTICATE), path
            answer = owner.post(path, data, headers={"hx-request": "true"})
            assert answer["HX-Redirect"].startswith(REAUTHENTICATE), path
        assert owner.get("/keys").status_code == 200


def test_after_the_password_the_request_goes_on(ours: Everything, sign_in: Browser) -> None:
    before = ApiKey.objects.count()
    with time_machine.travel(NOW, tick=False) as clock:
        owner = sign_in(Role.OWNER)
        owner.get("/keys")
        clock.shift(timedelta(hours=2))
        there = owner.post("/keys", {"name": "CRM", "scopes": "read", "lifetime": ""})["Location"]
        assert ApiKey.objects.count() == before
        assert owner.post(there, {"password": "wrong"}).status_code == 200
        assert ApiKey.objects.count() == before
        answer = owner.post(there, {"password": "correct horse"})
        assert (answer.status_code, answer["Location"]) == (302, "/shown")
        assert ApiKey.objects.count() == before + 1


def test_a_typed_secret_is_not_kept_for_later(ours: Everything, sign_in: Browser) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        owner = sign_in(Role.OWNER)
        owner.get("/sources")
        clock.shift(timedelta(hours=2))
        owner.post(f"/sources/{ours.source.pk}/rotate", {"secret": "hush hush"})
        assert "hush" not in str(dict(owner.session))


def test_staff_erases_only_after_a_recent_sign_in(ours: Everything, staff: User) -> None:
    client, lead = Client(), ours.lead.pk
    with time_machine.travel(NOW, tick=False) as clock:
        client.force_login(staff)
        client.get("/admin/")
        clock.shift(timedelta(hours=2))
        presses = [
            client.post(f"/admin/leads/lead/{lead}/press/erase/"),
            client.post("/admin/leads/lead/", {"action": "erase", "_selected_action": lead, "index": "0"}),
        ]
        assert all(answer["Location"].startswith(REAUTHENTICATE) for answer in presses)
        assert Lead.objects.filter(pk=lead).exists()
