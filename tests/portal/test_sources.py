"""A source's own page: its guide, its secret and keys, the waiting light, samples, and what its words mean."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.core.enums import PROVIDERS, ProviderSlug
from accounts.models import Account, Agency, Campaign, Event, Source, SubAccount
from accounts.sources.service import create_source, valid_secrets
from leads.models import Lead
from tests.factories import Everything
from tests.portal.browser import Browser
from tests.receiving import drain, receive, receive_sample, source_of
from webhooks.ingest.app import receipt_row
from webhooks.ingest.source_cache import load_source
from webhooks.models import Receipt, RejectedRequest
from webhooks.portal.cards import events_per_day
from webhooks.portal.guides import GUIDES
from webhooks.providers import PROVIDERS as ADAPTERS
from webhooks.providers.base import SignedRequest
from webhooks.samples import sample_names
from webhooks.samples.fresh import LEAD_ID


@pytest.fixture
def owner(sign_in: Browser, agency: Agency) -> Client:
    return sign_in()


def html(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_provider_has_a_guide_and_a_page_that_makes_its_source(agency: Agency, owner: Client) -> None:
    assert set(GUIDES) == set(ProviderSlug)
    listed = html(owner, "/sources")
    for slug, name in PROVIDERS.items():
        assert f'href="/new-source/{slug}"' in listed
        page = html(owner, f"/new-source/{slug}")
        assert f"Connect {name}" in page
        assert str(GUIDES[slug].steps[0].text).replace("'", "&#x27;") in page
        given = {"provider": slug, "name": "", "secret": "li-client" if slug == "linkedin" else ""}
        made = owner.post("/sources", given, follow=True)
        source = Source.objects.get(provider=slug)
        assert made.request["PATH_INFO"] == f"/sources/{source.pk}"
        assert (source.webhook_url in made.content.decode()) is (slug != "linkedin")
    assert owner.get("/new-source/nobody").status_code == 404


def test_a_salesflow_source_refuses_everything_until_its_secret_is_pasted(agency: Agency, owner: Client) -> None:
    owner.post("/sources", {"provider": "salesflow", "name": "", "secret": ""})
    source = Source.objects.get()
    answer = owner.post(f"/sources/{source.pk}/sample", {"sample": "account_active"}, follow=True)
    assert "Paste the provider&#x27;s secret first" in answer.content.decode()
    owner.post(f"/sources/{source.pk}/secret", {"secret": "theirs"})
    answer = owner.post(f"/sources/{source.pk}/sample", {"sample": "account_active"}, follow=True)
    assert "200 accepted" in answer.content.decode()
    assert Receipt.objects.get().is_sample


def light(client: Client, source: Source) -> str:
    return html(client, f"/sources/{source.pk}/light?looks=3")


def test_the_light_says_what_has_come_and_stops_at_the_first_request(agency: Agency, owner: Client) -> None:
    source = source_of(agency, "sendpilot")
    waiting = light(owner, source)
    assert 'role="status"' in waiting
    assert "Waiting for the first request" in waiting
    assert f'hx-get="/sources/{source.pk}/light?looks=4"' in waiting
    now = timezone.now()
    RejectedRequest.objects.create(
        source=source,
        reason="wrong_signature",
        diagnosis="Signed with <b>another</b>.",
        count=1,
        first_seen=now,
        last_seen=now,
    )
    refused = light(owner, source)
    assert "A request came and was refused" in refused
    assert "Signed with &lt;b&gt;another&lt;/b&gt;." in refused
    assert "hx-get" in refused
    owner.post(f"/sources/{source.pk}/sample", {"sample": "lead_updated"})
    assert "Your sample arrived" in light(owner, source)
    drain()
    source.refresh_from_db()
    assert source.last_receipt_at is None
    receive_sample(source, "lead_updated")
    on = light(owner, source)
    assert "First event received" in on
    assert "hx-get" not in on


def test_the_light_stops_looking_by_itself(agency: Agency, owner: Client) -> None:
    source = source_of(agency, "sendpilot")
    for looks in ("451", "99999", "9" * 9, "-1", "x"):
        page = html(owner, f"/sources/{source.pk}/light?looks={looks}")
        assert ("hx-get" in page) is (looks in {"9" * 9, "-1", "x"}), looks
    Source.objects.update(enabled=False)
    assert "hx-get" not in light(owner, source)


@pytest.mark.once
@pytest.mark.parametrize("provider", list(ProviderSlug))
def test_every_sample_goes_through_ingest_and_changes_test_leads_alone(
    provider: str, agency: Agency, owner: Client
) -> None:
    source = source_of(agency, provider)
    before = (Account.objects.count(), Campaign.objects.count(), SubAccount.objects.count())
    for name in sample_names(provider) * 2:
        answer = owner.post(f"/sources/{source.pk}/sample", {"sample": name}, follow=True)
        receipt = Receipt.objects.latest("sequence")
        assert answer.request["PATH_INFO"] == f"/received/{receipt.public_id}", (name, answer.content[:2000])
        drain()
        receipt.refresh_from_db()
        assert (receipt.status, receipt.error, receipt.agency) == ("processed", "", agency), name
        page = html(owner, f"/received/{receipt.public_id}")
        assert "A sample changes test leads only" in page or not receipt.body
    assert Receipt.objects.count() == 2 * len(sample_names(provider))
    assert (Account.objects.count(), Campaign.objects.count(), SubAccount.objects.count()) == before
    assert not Lead.objects.filter(is_test=False).exists()
    assert not Event.objects.filter(is_test=False).exclude(event_type="lead_erased").exists()
    source.refresh_from_db()
    assert (source.last_receipt_at, source.gaps) == (None, 0)


def test_a_sample_about_a_lead_makes_one_test_lead(agency: Agency, owner: Client) -> None:
    source = source_of(agency, "sendpilot")
    for _ in range(2):
        owner.post(f"/sources/{source.pk}/sample", {"sample": "lead_updated"})
        drain()
    lead = Lead.objects.get()
    assert (lead.is_test, lead.status, lead.references.get().external_id) == (True, "MEETING_BOOKED", LEAD_ID)


def test_nobody_outside_can_mark_a_request_as_a_sample(agency: Agency) -> None:
    source = source_of(agency, "sendpilot")
    cached = load_source("sendpilot", source.token)
    assert cached
    request = SignedRequest(b"{}", {"leadline-sample": "x", "webhook-id": "1"}, timezone.now())
    assert receipt_row(ADAPTERS["sendpilot"], cached, request, "key").headers == {"webhook-id": "1"}


def test_an_unknown_sample_and_a_disabled_source_are_refused(agency: Agency, owner: Client) -> None:
    source = source_of(agency, "sendpilot")
    owner.post(f"/sources/{source.pk}/sample", {"sample": "../salesflow/account_active"})
    Source.objects.update(enabled=False)
    owner.post(f"/sources/{source.pk}/sample", {"sample": "lead_updated"})
    assert not Receipt.objects.exists()


def test_keys_are_written_and_never_shown_but_for_when_they_were_set(agency: Agency, owner: Client) -> None:
    source = source_of(agency, "welink")
    path = f"/sources/{source.pk}"
    owner.post(f"{path}/credentials", {"api_key": "hush-key", "api_secret": "hush-secret"})
    owner.post(f"{path}/credentials", {"api_key": "", "api_secret": "hush-other"})
    source = Source.objects.get()
    assert source.readable_credentials == {"api_key": "hush-key", "api_secret": "hush-other"}
    assert set(source.credentials_set_at) == {"api_key", "api_secret"}
    page = html(owner, path)
    assert "hush" not in page
    assert page.count("Set on") == 2
    owner.post(f"{path}/credentials", {"forget": "api_key", "api_secret": ""})
    assert Source.objects.get().readable_credentials == {"api_secret": "hush-other"}


def test_networks_are_checked_and_kept(agency: Agency, owner: Client) -> None:
    source = source_of(agency, "welink")
    owner.post(f"/sources/{source.pk}/networks", {"networks": "203.0.113.0/24\n2001:db8::/32"})
    assert Source.objects.get().allowed_networks == ["203.0.113.0/24", "2001:db8::/32"]
    answer = owner.post(f"/sources/{source.pk}/networks", {"networks": "everywhere"}, follow=True)
    assert "everywhere is not a network" in answer.content.decode()
    assert Source.objects.get().allowed_networks == ["203.0.113.0/24", "2001:db8::/32"]
    owner.post(f"/sources/{source.pk}/networks", {"networks": ""})
    assert Source.objects.get().allowed_networks == []


def test_theirs_and_ours_stand_on_the_sources_page_and_can_be_removed(ours: Everything, sign_in: Browser) -> None:
    owner = sign_in()
    page = html(owner, f"/sources/{ours.source.pk}")
    assert ours.mapping.word in page
    owner.post(f"/sources/{ours.source.pk}/words/{ours.mapping.pk}/remove")
    assert not ours.source.word_mappings.exists()


def test_a_given_secret_needs_no_page_and_ours_is_shown_once(agency: Agency, owner: Client) -> None:
    source, _ = create_source(agency=agency, provider="sendpilot", secret_follows=True)
    answer = owner.post(f"/sources/{source.pk}/rotate", {"secret": "theirs"}, follow=True)
    assert answer.request["PATH_INFO"] == f"/sources/{source.pk}"
    assert "theirs" not in answer.content.decode().partition("<main")[2].partition("Set-up")[0]
    answer = owner.post(f"/sources/{source.pk}/rotate", {"secret": ""}, follow=True)
    assert valid_secrets(source)[0] in answer.content.decode()


def test_events_are_counted_by_day_and_source(agency: Agency, stranger: Agency) -> None:
    ours, theirs = source_of(agency, "sendpilot"), source_of(stranger, "sendpilot")
    body: dict[str, Any] = json.loads(b'{"eventType": "x", "data": {}}')
    for number, source in enumerate((ours, ours, theirs)):
        receive(source, {**body, "eventId": f"evt_{number}"})
    assert {pk: sum(days) for pk, days in events_per_day(agency).items()} == {ours.pk: 2}
    assert events_per_day(agency)[ours.pk][-1] == 2
