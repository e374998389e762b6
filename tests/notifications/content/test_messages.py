"""What a message opens, whether it quotes the reply, and in which language it is."""

from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from accounts.core.enums import AGENCY_EVENTS, EventType, IssueKind, Role
from accounts.core.wording import several
from accounts.models import Agency
from accounts.sentences import SOURCE_REJECTING
from accounts.sources.issues import open_issue
from accounts.sources.service import create_source
from accounts.tenancy.languages import choose_language
from leads.enums import LeadStatus
from leads.labels import STATUSES
from leads.models import Lead
from leads.pipeline.changes import create_lead
from notifications.channels.service import create_channel
from notifications.content.catalogue import CATALOGUE
from notifications.content.digest import render_message
from notifications.delivery import drain_deliveries
from notifications.delivery.readers import replies_to
from notifications.portal.preview import _prepared
from notifications.sentences import ANSWERED
from notifications.transports.slack import blocks_for
from tests.leads.pipeline.test_replies import reply
from tests.notifications.mails import happened, html_of
from tests.portal.browser import Browser

pytestmark = pytest.mark.one_backend


@pytest.fixture
def lead(agency: Agency) -> Lead:
    return create_lead(agency, name="Ada Lovelace")


def sent_to(address: str) -> EmailMultiAlternatives:
    [message] = [one for one in mail.outbox if one.to == [address]]
    assert isinstance(message, EmailMultiAlternatives)
    return message


def listen(agency: Agency, address: str, **fields: Any) -> None:
    create_channel(agency, kind="email", email=address, verified=True, conflation_seconds=0, **fields)


def test_a_message_opens_what_it_is_about(agency: Agency, lead: Lead) -> None:
    listen(agency, "team@example.com", event_types=["lead_opportunity", "linkedin_connected", "source_silent", "test"])
    pages = {
        EventType.LEAD_OPPORTUNITY: ("lead_1", "Open lead", "/leads/lead_1"),
        EventType.LINKEDIN_CONNECTED: ("acc_1", "Open account", "/linkedin/acc_1"),
        EventType.SOURCE_SILENT: ("src_1", "Open source", "/sources"),
    }
    for event_type, (subject, label, path) in pages.items():
        happened(agency, event_type, subject=subject)
        drain_deliveries()
        message = sent_to("team@example.com")
        mail.outbox.clear()
        assert f"{label}: {settings.PUBLIC_URL}{path}" in str(message.body)
        assert f'href="{settings.PUBLIC_URL}{path}' in html_of(message)


def test_the_mail_about_a_reply_quotes_it(agency: Agency, lead: Lead) -> None:
    listen(agency, "team@example.com", event_types=["lead_replied"])
    reply(agency, lead, "Yes, gladly!\nSee www.example.com <b>")
    drain_deliveries()
    message = sent_to("team@example.com")
    assert "\n> Yes, gladly!\n> See www example.com <b>\n" in str(message.body)
    assert "<blockquote>Yes, gladly!<br>See www example.com &lt;b&gt;</blockquote>" in html_of(message)


def test_slack_quotes_it_too_and_a_summary_does(agency: Agency, lead: Lead) -> None:
    listen(agency, "team@example.com", mode="hourly")
    reply(agency, lead, "Yes, gladly!")
    events = list(agency.events.filter(event_type="lead_replied"))
    prepared = replace(_prepared(events[0]), replies=replies_to(events))
    slack = str(blocks_for(render_message(prepared)))
    assert "“Yes, gladly!”" in slack
    everything = list(agency.events.order_by("id"))
    other = create_lead(agency, name="Bob")
    digest = render_message(replace(prepared, digest_events=(*everything, *agency.events.filter(subject=other.pk))))
    assert "  > Yes, gladly!" in digest.text
    assert "Yes, gladly!" in digest.slack
    assert "<q>Yes, gladly!</q>" in digest.html


def test_a_reply_is_in_no_webhook_and_not_in_the_mail_about_something_else(agency: Agency, lead: Lead) -> None:
    listen(agency, "team@example.com", event_types=["lead_lost"])
    reply(agency, lead, "No, thanks.")
    happened(agency, EventType.LEAD_LOST, subject=lead.pk)
    drain_deliveries()
    assert "No, thanks." not in str(sent_to("team@example.com").body)
    assert not [event for event in agency.events.all() if "No, thanks." in str(event.payload)]


def test_a_mail_is_in_the_language_of_its_reader_else_of_the_agency(
    agency: Agency, lead: Lead, sign_in: Browser
) -> None:
    Agency.objects.filter(pk=agency.pk).update(locale="de-DE")
    client = sign_in(Role.OWNER)
    person = agency.members.get(user=client.session["_auth_user_id"]).user
    choose_language(person, "en")
    listen(agency, person.email, event_types=["lead_opportunity"])
    listen(agency, "team@example.com", event_types=["lead_opportunity"])
    happened(agency, EventType.LEAD_OPPORTUNITY, subject=lead.pk, lead_name="Ada Lovelace")
    drain_deliveries()
    english, german = sent_to(person.email), sent_to("team@example.com")
    assert english.subject == "Ada Lovelace is an opportunity"
    assert '<html lang="en">' in html_of(english)
    assert german.subject != english.subject
    assert '<html lang="de">' in html_of(german)


def test_a_mail_gives_a_reason_of_ours_in_german_and_a_providers_as_it_came(agency: Agency) -> None:
    Agency.objects.filter(pk=agency.pk).update(locale="de-DE")
    listen(agency, "team@example.com", event_types=["source_rejected", "linkedin_auth_error"])
    source = create_source(agency=agency, provider="salesflow")[0]
    diagnosis = several("This source has no secret to verify with.", ANSWERED(status=401))
    open_issue(source, IssueKind.REJECTING, detail=SOURCE_REJECTING(count=3, diagnosis=diagnosis))
    drain_deliveries()
    refused = str(sent_to("team@example.com").body)
    assert "3 Anfragen wurden abgelehnt. Diese Quelle hat kein Secret zum Prüfen. Der Empfänger hat mit 401" in refused
    english = "3 requests were refused. This source has no secret to verify with. The receiver answered 401."
    assert agency.events.get(event_type="source_rejected").payload["error_detail"] == english
    mail.outbox.clear()
    happened(agency, EventType.LINKEDIN_AUTH_ERROR, error_detail="Token expired")
    drain_deliveries()
    assert "Token expired" in str(sent_to("team@example.com").body)


def test_labels_of_statuses_are_those_of_the_api_in_english() -> None:
    assert {status: STATUSES[status].text for status in LeadStatus} == {status: status.label for status in LeadStatus}
    assert all(CATALOGUE[EventType(name)].title == CATALOGUE[EventType(name)].name_of_kind for name in AGENCY_EVENTS)


@pytest.mark.parametrize(
    ("state", "named", "unnamed"),
    [
        ("failed", ("Send again", "Discard"), ("Mark as sent",)),
        ("unknown", ("Send again", "Mark as sent"), ("Discard",)),
    ],
)
def test_a_mail_of_a_message_that_was_not_sent_names_the_buttons_that_its_conversation_shows(
    agency: Agency, lead: Lead, state: str, named: tuple[str, ...], unnamed: tuple[str, ...]
) -> None:
    listen(agency, "team@example.com", event_types=["message_failed"])
    happened(agency, EventType.MESSAGE_FAILED, subject=lead.pk, lead_name="Ada Lovelace", message_state=state)
    drain_deliveries()
    body = str(sent_to("team@example.com").body)
    assert all(name in body for name in named)
    assert not any(name in body for name in unnamed)
