"""What lets somebody post or sign is shown to who administers, and to nobody else."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from accounts.core.enums import Role, Scope
from accounts.models import Agency, Member, Source
from accounts.sources.service import create_source, rotate_secret
from accounts.tenancy.api_keys import create_api_key
from notifications.channels.service import create_channel
from webhooks.ingest.source_cache import load_source

SECRETS = ("hdrsecret", "T000/B000/slacksecret", "pathsecret", "querysecret")


@pytest.fixture
def connector(agency: Agency) -> Source:
    create_channel(agency, kind="slack", url="https://hooks.slack.example/services/T000/B000/slacksecret")
    create_channel(
        agency,
        kind="webhook",
        url="https://hooks.example.com/pathsecret?key=querysecret",
        headers={"X-Token": "hdrsecret"},
    )
    return create_source(agency=agency, provider="linkedconnector")[0]


def read(agency: Agency, path: str, *scopes: Scope) -> str:
    key = create_api_key(agency, scopes=scopes)[1]
    answer = Client(headers={"Authorization": f"Bearer {key}"}).get(f"/api/v1/{path}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("scopes", [(Scope.READ,), (Scope.READ, Scope.WRITE)])
def test_a_key_that_does_not_administer_reads_no_secret(
    agency: Agency, connector: Source, scopes: tuple[Scope, ...]
) -> None:
    paths = ["channels", "sources", f"sources/{connector.pk}", *(f"channels/{row.pk}" for row in agency.channels.all())]
    text = "".join(read(agency, path, *scopes) for path in paths)
    assert [secret for secret in (*SECRETS, connector.token) if secret in text] == []
    assert '"url":"https://hooks.slack.example/********"' in text
    assert '"headers":{"X-Token":"********"}' in text
    assert f'"webhook_url":"{connector.masked_webhook_url}"' in text
    assert connector.masked_webhook_url.endswith("/webhooks/linkedconnector/********")


def test_a_key_that_administers_reads_them(agency: Agency, connector: Source) -> None:
    text = read(agency, "channels", Scope.READ, Scope.ADMIN) + read(agency, "sources", Scope.READ, Scope.ADMIN)
    assert [secret for secret in (*SECRETS, connector.webhook_url) if secret not in text] == []


def test_where_the_provider_signs_the_url_is_no_secret(agency: Agency) -> None:
    source, _ = create_source(agency=agency, provider="welink")
    assert source.token == source.pk
    assert source.webhook_url in read(agency, "sources", Scope.READ)


def test_a_read_only_member_sees_no_secret(agency: Agency, connector: Source) -> None:
    user = User.objects.create_user("reader")
    Member.objects.create(agency=agency, user=user, role=Role.READ_ONLY)
    client = Client()
    client.force_login(user)
    text = client.get("/notifications").content.decode() + client.get("/sources").content.decode()
    assert "hooks.example.com" in text
    secrets = ("hdrsecret", "slacksecret", "querysecret", connector.token)
    assert [secret for secret in secrets if secret in text] == []


def test_staff_who_may_only_look_see_no_secret(agency: Agency, connector: Source) -> None:
    looker = User.objects.create_user("onlooker", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(looker)
    pages = [f"accounts/source/{connector.pk}/change/", "accounts/source/", "notifications/channel/"]
    pages += [f"notifications/channel/{row.pk}/change/" for row in agency.channels.all()]
    text = "".join(client.get(f"/admin/{page}").content.decode() for page in pages)
    assert [secret for secret in (*SECRETS, connector.token) if secret in text] == []
    client.force_login(User.objects.create_superuser("chief"))
    assert connector.webhook_url in client.get(f"/admin/accounts/source/{connector.pk}/change/").content.decode()


def test_a_linkedconnector_source_has_a_token_that_is_in_no_other_place(connector: Source) -> None:
    assert connector.token != connector.pk
    assert load_source("linkedconnector", connector.pk) is None
    found = load_source("linkedconnector", connector.token)
    assert found is not None
    assert found.id == connector.pk


def test_urls_that_were_given_away_before_keep_working(agency: Agency) -> None:
    source = Source(agency=agency, provider="linkedconnector")
    source.token = source.pk
    source.save()
    source.refresh_from_db()
    assert source.webhook_url.endswith(f"/webhooks/linkedconnector/{source.pk}")
    assert load_source("linkedconnector", source.pk) is not None
    rotate_secret(source)
    source.refresh_from_db()
    for token in (source.pk, source.token):
        assert load_source("linkedconnector", token) is not None
