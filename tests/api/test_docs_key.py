"""The key that the documentation makes for its first call."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.core.enums import Role
from accounts.models import Agency, ApiKey
from tests.portal.browser import Browser

DOCS, MAKE = "/api/v1/docs", "/keys/first"


def keys_on(page: bytes) -> set[str]:
    return set(re.findall(r"ll_[A-Za-z0-9_-]{30,}", page.decode()))


def test_an_owner_gets_a_key_that_reads_for_a_month_and_is_shown_once(agency: Agency, sign_in: Browser) -> None:
    owner = sign_in(Role.OWNER)
    answer = owner.post(MAKE)
    assert (answer.status_code, answer["Location"]) == (302, f"{DOCS}#first-call")
    page = owner.get(DOCS)
    [key] = keys_on(page.content)
    assert "no-store" in page["Cache-Control"]
    assert keys_on(owner.get(DOCS).content) == set()
    row = ApiKey.objects.get(agency=agency, name="First call")
    assert (row.name, row.scopes) == ("First call", ["read"])
    assert row.expires_at is not None
    assert abs(row.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)
    program = Client(headers={"Authorization": f"Bearer {key}"})
    assert program.get("/api/v1/leads?limit=1").status_code == 200
    assert program.post("/api/v1/leads", {"email": "a@example.com"}, content_type="application/json").status_code == 403


@pytest.mark.parametrize("role", [role for role in Role if role != Role.OWNER])
def test_nobody_else_is_given_one(agency: Agency, sign_in: Browser, role: Role) -> None:
    client = sign_in(role)
    assert client.post(MAKE).status_code == 403
    page = client.get(DOCS).content
    assert b"Ask an owner of" in page
    assert not ApiKey.objects.filter(name="First call").exists()


def test_who_is_signed_out_is_asked_to_sign_in(agency: Agency) -> None:
    page = Client().get(DOCS).content.decode()
    assert "YOUR_API_KEY" in page
    assert f"/accounts/login/?next={DOCS}" in page
    assert Client().post(MAKE).status_code == 302
    assert not ApiKey.objects.filter(name="First call").exists()


def test_the_page_gets_no_heavier_than_a_page_should(agency: Agency, sign_in: Browser, settings: Settings) -> None:
    settings.API_RATE = 77
    page = sign_in(Role.OWNER).get(DOCS).content
    assert len(page) < 60_000
    assert b"77 requests a minute" in page
