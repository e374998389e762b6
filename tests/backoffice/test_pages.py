"""Home, notices and static files, as people meet them."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as conf
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import path
from django.utils import timezone
from django.views.defaults import server_error
from pytest_django import Settings

from accounts.models import Agency
from config.urls import urlpatterns as real
from tests.factories import make_everything
from webhooks.models import Receipt

pytestmark = pytest.mark.one_backend


def explode(request: HttpRequest) -> None:
    raise RuntimeError("canary of the inside")


urlpatterns = [*real, path("explode", explode)]


def test_home_says_what_leadline_is_and_where_to_go(db: None) -> None:
    html = Client().get("/").content.decode()
    assert 'href="/accounts/login/"' in html
    assert 'href="/api/v1/docs"' in html
    assert 'href="/admin/"' not in html


def test_staff_find_the_back_office_from_home(signed_in: Client) -> None:
    assert 'href="/admin/"' in signed_in.get("/").content.decode()


def test_a_member_is_not_shown_the_back_office(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_user("member"))
    html = client.get("/").content.decode()
    assert "You are signed in as member" in html
    assert 'href="/admin/"' not in html


def test_a_page_that_does_not_exist_says_so_in_our_look(db: None) -> None:
    answer = Client().get("/nowhere")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()
    assert "leadline/portal" in answer.content.decode()


@pytest.mark.urls("tests.backoffice.test_pages")
def test_an_error_of_ours_tells_nothing_of_the_inside(db: None) -> None:
    answer = Client(raise_request_exception=False).get("/explode")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.content.decode()
    assert "canary" not in answer.content.decode()
    assert answer["X-Request-ID"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_the_error_page_needs_neither_database_nor_session(rf: object) -> None:
    answer = server_error(HttpRequest())
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.content.decode()


def test_an_unknown_host_is_a_400(settings: Settings, db: None) -> None:
    settings.ALLOWED_HOSTS = ["leadline.example.com"]
    answer = Client().get("/", headers={"Host": "evil.example.com"})
    assert answer.status_code == 400
    assert "The request was not understood" in answer.content.decode()


@pytest.mark.once
@pytest.mark.parametrize("name", ["400.html", "403.html", "403_csrf.html", "404.html", "429.html", "500.html"])
def test_every_notice_can_be_rendered_from_nothing(name: str, db: None) -> None:
    assert "<h1>" in render_to_string(name)


def test_the_dashboard_of_an_empty_leadline_says_what_to_do_first(signed_in: Client) -> None:
    html = signed_in.get("/admin/").content.decode()
    assert 'href="/admin/accounts/agency/add/"' in html
    assert 'href="/admin/accounts/source/add/"' in html
    assert "never seen: start it with" in html


def test_the_dashboard_shows_what_needs_a_person(signed_in: Client, staff: User, agency: Agency, beating: None) -> None:
    make_everything(agency, staff, text="Ann")
    html = " ".join(signed_in.get("/admin/").content.decode().split())
    for number, label, url in [
        (1, "quarantined events", "/admin/webhooks/wordmapping/unrecognised/"),
        (0, "failed receipts", "/admin/webhooks/receipt/?status=failed"),
        (1, "failed deliveries", "/admin/notifications/delivery/?status=failed"),
        (1, "channels failing", "/admin/notifications/channel/"),
        (1, "source issues", "/admin/accounts/sourceissue/?state=open"),
        (1, "sources rejecting requests (24 h)", "/admin/webhooks/rejectedrequest/"),
    ]:
        assert f'<a href="{url}"><strong>{number}</strong> <span>{label}</span></a>' in html
    assert re.search(r'<time datetime="[^"]+" title="[^"]+ UTC">3 minutes ago</time>', html)
    assert "Rejecting requests" in html
    assert "1 possible duplicate</a>" in html
    assert "none: every receipt is processed" in html
    Receipt.objects.update(status="received", next_attempt_at=timezone.now() - timedelta(seconds=90))
    assert "due for 1 minute" in signed_in.get("/admin/").content.decode()


PROBE = """
import json, re, django
django.setup()
from django.core.management import call_command
from django.test import Client
def files(page):
    client = Client()
    names = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get(page).content.decode())
    return {name: client.get(name).status_code for name in set(names)}
before = files("/")
call_command("collectstatic", verbosity=0, interactive=False)
print(json.dumps(before))
"""
AFTER = PROBE.replace('call_command("collectstatic", verbosity=0, interactive=False)\n', "")


def test_static_files_are_served_without_debug_before_and_after_collectstatic(tmp_path: Path) -> None:
    """In processes of their own: which way it goes is decided when the settings are read."""
    (tmp_path / "own.py").write_text(
        "from config.settings import *\n"
        f"from pathlib import Path\nSTATIC_ROOT = Path({str(tmp_path)!r}) / 'static'\n"
        "WHITENOISE_USE_FINDERS = not (STATIC_ROOT / 'staticfiles.json').is_file()\n"
        "ALLOWED_HOSTS = ['testserver']\n"
    )
    env = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": f"{tmp_path}:{conf.BASE_DIR}",
        "DJANGO_SETTINGS_MODULE": "own",
        "DEBUG": "off",
        "SECRET_KEY": "x" * 60,
        "FIELD_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'x.sqlite3'}",
        "REDIS_URL": "",
    }

    def run(code: str) -> dict[str, int]:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))

    before, after = run(PROBE), run(AFTER)
    ours = ("icon.svg", "tokens.css", "components.css", "portal.css", "page.js", "typed.js")
    files = {*(f"/static/leadline/{name}" for name in ours), "/static/vendor/tabler/tabler.css"}
    assert before == dict.fromkeys(files, 200)
    assert set(after.values()) == {200}
    assert {re.sub(r"\.[0-9a-f]{12}(?=\.\w+$)", "", name) for name in after} == files
    assert not files & set(after)
