"""Encryption keys are changed while everything runs: nothing is lost, and at the end the old key is not needed."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.core.encrypted_fields import EncryptedJSONField, fernet
from accounts.models import Account, Agency, IdempotencyRecord, Source, SourceSecret
from accounts.models.reauth import AccountToken
from accounts.sources.service import create_source
from accounts.web.rest.idempotency import _decrypt_response
from config.ops import rotation
from notifications.channels.service import create_channel
from notifications.models import Channel, ChannelSecret
from tests.config.commands import run

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def old_key(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]


@pytest.fixture
def stored(agency: Agency) -> dict[str, Any]:
    """Something in every place that is encrypted, and what must be read back."""
    channels = [create_channel(agency, kind="webhook", url=f"https://example.com/{n}")[0] for n in range(5)]
    secret = create_source(agency=agency, provider="sendpilot")[1]
    Source.objects.update(credentials={"api_key": "canary"})
    account = Account.objects.create(
        agency=agency, provider="welink", external_id="1", status="active", status_since=timezone.now()
    )
    AccountToken.objects.create(account=account, token="account-token")
    sealed = fernet().encrypt(json.dumps({"secret": "kept"}).encode()).decode()
    IdempotencyRecord.objects.create(
        agency=agency, key="k", fingerprint="f", status_code=201, body={"subject": "x", "sealed": sealed}
    )
    user = User.objects.create_user("staff")
    codes = [fernet().encrypt(code.encode()).decode() for code in ("one", "two")]
    data = {"secret": fernet().encrypt(b"totp").decode(), "migrated_codes": codes, "used_mask": 0}
    Authenticator.objects.create(user=user, type="totp", data=data)
    return {
        "urls": [channel.url for channel in channels],
        "signing": sorted(row.secret for row in ChannelSecret.objects.all()),
        "source": secret,
    }


def read(stored: dict[str, Any]) -> None:
    """Everything can be read with the keys that are set."""
    assert [channel.url for channel in Channel.objects.order_by("pk")] == stored["urls"]
    assert not any(channel.damaged for channel in Channel.objects.all())
    assert sorted(row.secret for row in ChannelSecret.objects.all()) == stored["signing"]
    assert SourceSecret.objects.get().secret == stored["source"]
    assert Source.objects.get().credentials == {"api_key": "canary"}
    assert AccountToken.objects.get().token == "account-token"
    assert _decrypt_response(IdempotencyRecord.objects.get()) == {"secret": "kept"}
    data = Authenticator.objects.get().data
    assert fernet().decrypt(data["secret"].encode()) == b"totp"
    assert [fernet().decrypt(code.encode()) for code in data["migrated_codes"]] == [b"one", b"two"]
    assert data["used_mask"] == 0


def test_everything_is_read_all_the_time_and_in_the_end_without_the_old_key(
    stored: dict[str, Any], settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    read(stored)
    before = run(capsys, "rotate_keys", "--check")
    assert (before["rotated"], before["old_keys_needed"]) == (0, True)
    answer = run(capsys, "rotate_keys", "--batch", "2")
    assert (answer["rotated"], answer["left"], answer["unreadable"], answer["old_keys_needed"]) == (
        before["left"],
        0,
        0,
        False,
    )
    assert answer["columns"]["notifications.Channel.url"] == {"checked": 5, "rotated": 5, "unreadable": 0}
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    read(stored)
    again = run(capsys, "rotate_keys")
    assert (again["checked"], again["rotated"]) == (answer["checked"], 0)


def test_a_run_that_was_stopped_goes_on_where_it_was(
    stored: dict[str, Any], settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    renew, seen = rotation._renewed, []

    def renew_some(value: Any) -> Any:
        seen.append(value)
        if len(seen) > 4:
            raise KeyboardInterrupt
        return renew(value)

    with monkeypatch.context() as patch:
        patch.setattr(rotation, "_renewed", renew_some)
        with pytest.raises(KeyboardInterrupt):
            call_command("rotate_keys", "--batch", "1")
    read(stored)
    total = run(capsys, "rotate_keys", "--check")
    assert 0 < total["left"] < total["checked"]
    assert run(capsys, "rotate_keys")["rotated"] == total["left"]
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    read(stored)


def test_what_no_key_opens_is_named_and_left_as_it_is(
    stored: dict[str, Any], settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    channel = Channel.objects.order_by("pk")[0]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_channel SET url = 'damaged' WHERE id = %s", [channel.pk])
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    answer = run(capsys, "rotate_keys")
    assert (answer["exit"], answer["unreadable"], answer["old_keys_needed"]) == (1, 1, True)
    assert answer["unreadable_rows"] == {"notifications.Channel.url": [channel.pk]}
    assert answer["columns"]["notifications.Channel.url"]["rotated"] == 4
    with connection.cursor() as cursor:
        cursor.execute("SELECT url FROM notifications_channel WHERE id = %s", [channel.pk])
        assert cursor.fetchone() == ("damaged",)


def test_no_encrypted_column_is_forgotten() -> None:
    from django.apps import apps

    names = {str(column) for column in rotation.columns()}
    for model in apps.get_models():
        for column in model._meta.local_fields:
            if isinstance(column, EncryptedJSONField):
                assert f"{model._meta.label}.{column.name}" in names
    assert {"accounts.IdempotencyRecord.body", "mfa.Authenticator.data"} <= names
