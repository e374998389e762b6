"""A secret that could verify nothing is refused when it is saved, in words, wherever it is typed."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.core.enums import ProviderSlug
from accounts.core.errors import FieldError
from accounts.models import Agency, Source
from accounts.sources.service import create_source, rotate_secret, update_source, valid_secrets
from accounts.tenancy.api_keys import create_api_key
from tests.receiving import PUBLIC_KEY, receive

STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BLANK = ("", " ", "\n", "\t \r\n", "\u00a0")
REFUSED = [
    *(("salesflow", blank) for blank in BLANK),
    ("sendpilot", "whsec_"),
    ("sendpilot", "v1,whsec_"),
    ("sendpilot", "whsec_not base64"),
    ("sendpilot", "whsec_*****"),
    ("welink", "a\x00b"),
    ("welink", "a\u200bb"),
    ("linkedin", "x" * 257),
    ("highlevel", "secret"),
    ("highlevel", PUBLIC_KEY[:30]),
    ("highlevel", " "),
]


@pytest.mark.once
@pytest.mark.parametrize(("provider", "secret"), REFUSED)
def test_a_secret_that_verifies_nothing_is_refused(
    provider: str, secret: str, agency: Agency, sign_owner: Client
) -> None:
    with pytest.raises(FieldError) as refusal:
        create_source(agency=agency, provider=provider, secret=secret)
    assert (refusal.value.field, str(refusal.value)[-1]) == ("secret", ".")
    good = {"highlevel": PUBLIC_KEY}.get(provider, "a good secret")
    source, _ = create_source(agency=agency, provider=provider, secret=good)
    for change in (lambda: rotate_secret(source, secret), lambda: update_source(source, secret=secret)):
        with pytest.raises(FieldError):
            change()
    assert valid_secrets(source) == [good]
    key = {"authorization": f"Bearer {create_api_key(agency)[1]}"}
    body: dict[str, Any] = {"provider": provider, "secret": secret}
    answers = [
        sign_owner.post("/api/v1/sources", json.dumps(body), content_type="application/json", headers=key),
        sign_owner.post(
            f"/api/v1/sources/{source.pk}/rotate-secret",
            json.dumps({"secret": secret}),
            content_type="application/json",
            headers=key,
        ),
    ]
    assert [answer.status_code for answer in answers] == [400, 400]
    if secret.strip():
        sign_owner.post("/sources", {"provider": provider, "secret": secret, "name": ""})
    with pytest.raises(CommandError):
        call_command("create_source", provider, "--agency", agency.pk, f"--secret={secret}")
    assert Source.objects.count() == 1


@pytest.fixture
def sign_owner(agency: Agency, client: Client) -> Client:
    from django.contrib.auth.models import User

    from accounts.core.enums import Role
    from accounts.models import Member

    user = User.objects.create_user("owner")
    Member.objects.create(agency=agency, user=user, role=Role.OWNER)
    client.force_login(user)
    return client


@pytest.mark.once
@pytest.mark.parametrize("pasted", [STANDARD, f"v1,{STANDARD}", f" v1,{STANDARD}\n", f"{STANDARD} "])
def test_a_secret_copied_with_its_version_verifies(pasted: str, agency: Agency) -> None:
    source, returned = create_source(agency=agency, provider="sendpilot", secret=pasted)
    assert returned == STANDARD
    assert valid_secrets(source) == [STANDARD]
    receive(source, {"eventId": "e1", "eventType": "campaign.started", "timestamp": "2026-11-30T10:00:00Z", "data": {}})
    old = source.secrets.create(secret=f"v1,{STANDARD}")  # as it was saved before
    source.secrets.exclude(pk=old.pk).delete()
    receive(source, {"eventId": "e2", "eventType": "campaign.started", "timestamp": "2026-11-30T10:00:00Z", "data": {}})


def test_other_secrets_are_kept_to_the_letter(agency: Agency) -> None:
    for provider in (ProviderSlug.SALESFLOW, ProviderSlug.WELINK, ProviderSlug.LINKEDIN):
        assert create_source(agency=agency, provider=provider, secret=" v1,öther ")[1] == " v1,öther "
