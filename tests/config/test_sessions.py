"""When a session ends, and that no cache keeps what is not for everybody."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

from accounts.models import Agency
from accounts.tenancy.api_keys import create_api_key
from config.bootstrap.start import close_to_others

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def is_signed_in(client: Client) -> bool:
    return client.get("/accounts/2fa/").status_code == 200


def test_a_session_ends_when_nobody_uses_it(staff: User, settings: Settings) -> None:
    settings.SESSION_IDLE_HOURS = 8
    client = Client()
    with time_machine.travel(NOW, tick=False) as clock:
        client.force_login(staff)
        for _ in range(3):
            assert is_signed_in(client)
            clock.shift(timedelta(hours=7, minutes=50))
        clock.shift(timedelta(hours=8, minutes=1))
        assert not is_signed_in(client)


def test_a_session_ends_after_two_weeks_of_use(staff: User) -> None:
    client = Client()
    with time_machine.travel(NOW, tick=False) as clock:
        client.force_login(staff)
        for _ in range(28):
            assert is_signed_in(client)
            clock.shift(timedelta(hours=12))
        clock.shift(timedelta(minutes=1))
        assert not is_signed_in(client)


def test_a_session_is_not_written_at_every_request(staff: User) -> None:
    client = Client()
    with time_machine.travel(NOW, tick=False) as clock:
        client.force_login(staff)
        client.get("/accounts/2fa/")
        seen = client.session["session_seen_at"]
        clock.shift(timedelta(minutes=4))
        client.get("/accounts/2fa/")
        assert client.session["session_seen_at"] == seen


@pytest.mark.once
@pytest.mark.parametrize(
    "path", ["/", "/admin/", "/accounts/2fa/", "/accounts/2fa/recovery-codes/", "/accounts/email/"]
)
def test_no_cache_keeps_what_is_shown_to_who_is_signed_in(path: str, staff: User, client: Client) -> None:
    client.force_login(staff)
    assert "no-store" in client.get(path)["Cache-Control"]


@pytest.mark.once
@pytest.mark.parametrize("path", ["leads", "sources", "nowhere", "channels", "leads/x"])
def test_no_cache_keeps_an_answer_of_the_api(
    path: str, agency: Agency, staff: User, client: Client, fresh_cache: None
) -> None:
    """Nor does a browser's session get in the way of the API."""
    client.force_login(staff)
    key = {"authorization": f"Bearer {create_api_key(agency)[1]}"}
    for headers in ({}, key):
        assert "no-store" in client.get(f"/api/v1/{path}", headers=headers)["Cache-Control"]
        assert "no-store" in client.post(f"/api/v1/{path}", headers=headers)["Cache-Control"]


def test_staff_sees_on_the_first_page_what_it_may_view(db: None, client: Client) -> None:
    user = User.objects.create_user("clerk", is_staff=True)
    client.force_login(user)
    page = client.get("/admin/").content.decode()
    headings = ("accounts-title", "issues-title", "quarantine-title", "rejecting-title", "failed receipts")
    for heading in headings:
        assert heading not in page
    assert not client.get("/admin/").context["tiles"]
    user.user_permissions.set(Permission.objects.filter(codename="view_receipt"))
    page = client.get("/admin/").content.decode()
    assert "quarantine-title" in page
    assert "failed receipts" in page
    assert "channels failing" not in page


def test_what_a_process_writes_is_its_owners_alone(tmp_path: Path) -> None:
    assert os.umask(0o077) == 0o077  # the settings set it
    (tmp_path / "new").write_text("x")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    (folder / "mail").mkdir(parents=True)
    left = [folder / "leadline.sqlite3", folder / "mail" / "1.eml", folder / "demo.json"]
    for path in left:
        path.write_text("x")
        path.chmod(0o644)
    (folder / "mail").chmod(0o755)
    folder.chmod(0o755)
    close_to_others(folder)
    assert {stat.S_IMODE(path.stat().st_mode) for path in left} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "mail")} == {0o700}
