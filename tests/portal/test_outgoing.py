"""Channels that fail, tests with examples, and the delivery log, as the agency's people work with them."""

import json
import re

import jsonschema
import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.core.enums import EventType, Role
from accounts.events.outbox import record_event
from accounts.models import Agency, Event
from leads.pipeline.changes import create_lead
from leads.privacy.erasure import erase_lead
from notifications.channels.presets import CHOSEN, EVERYTHING, PRESETS
from notifications.channels.service import create_channel
from notifications.content.catalogue import CATALOGUE
from notifications.delivery import drain_deliveries, fan_out_due_events
from notifications.models import Attempt, Channel, Delivery
from tests.notifications.receiver import answering, receiver
from tests.portal.browser import Browser
from tests.reactions import react

PAGE = "/notifications"
LOG = f"{PAGE}/deliveries"
CHECKED = re.compile(r'name="listens" value="(\w+)"[^>]* checked')


@pytest.fixture
def manager(sign_in: Browser) -> Client:
    return sign_in(Role.MANAGER)


@pytest.fixture
def loopback(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


def html(client: Client, path: str = PAGE) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("preset", [name for name in PRESETS if name not in (EVERYTHING, CHOSEN)])
def test_a_preset_is_what_a_channel_gets_and_what_its_form_shows(agency: Agency, manager: Client, preset: str) -> None:
    given = {"url": "https://hooks.slack.com/services/x", "listens": preset}
    assert manager.post(f"{PAGE}/add/slack", given).status_code == 302
    made = Channel.objects.get()
    assert made.event_types == [*PRESETS[preset].event_types]
    form = html(manager, f"{PAGE}/channels/{made.pk}/edit")
    assert CHECKED.findall(form) == [preset]
    assert not re.search(r'name="event_types"[^>]* checked', form)
    assert manager.post(f"{PAGE}/channels/{made.pk}/edit", {**given, "name": "#sales"}).status_code == 302
    made.refresh_from_db()
    assert (made.name, made.event_types) == ("#sales", [*PRESETS[preset].event_types])


@pytest.mark.parametrize(("kind", "first"), [("email", "action"), ("slack", "action"), ("webhook", "all")])
def test_people_are_not_offered_everything_before_what_needs_them(manager: Client, kind: str, first: str) -> None:
    assert CHECKED.findall(html(manager, f"{PAGE}/add/{kind}")) == [first]
    assert CHECKED.findall(html(manager, f"{PAGE}/add/{kind}?events=opportunities")) == ["opportunities"]
    assert CHECKED.findall(html(manager, f"{PAGE}/add/{kind}?events=nonsense")) == [first]


@pytest.mark.django_db(transaction=True)
def test_why_deliveries_failed_is_read_in_german_and_in_english_by_programs(
    agency: Agency, manager: Client, loopback: None
) -> None:
    Agency.objects.filter(pk=agency.pk).update(locale="de-DE")
    with receiver(answering(500, 410)) as program:
        made, _ = create_channel(agency, kind="webhook", url=program.url, name="Zap")
        record_event(agency, EventType.LEAD_REPLIED, lead_name="Ada")
        drain_deliveries()
        failed = Delivery.objects.get()
        assert failed.error == Attempt.objects.get().error == "The receiver answered 500."
        assert "Der Empfänger hat mit 500 geantwortet." in html(manager, LOG)
        assert "Der Empfänger hat mit 500 geantwortet." in html(manager, f"{LOG}/{failed.pk}")
        record_event(agency, EventType.LEAD_REPLIED, lead_name="Bob")
        drain_deliveries()
    made.refresh_from_db()
    assert made.disabled_reason == "The receiver answered 410: it wants nothing any more."
    failed.refresh_from_db()
    assert failed.error == f"The channel was off: {made.disabled_reason}"
    page = html(manager, f"{LOG}/{failed.pk}")
    assert "Der Kanal war deaktiviert: Der Empfänger hat mit 410 geantwortet: Er möchte nichts mehr erhalten." in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.one_backend
def test_a_failing_channel_says_why_and_is_tried_on_a_press(agency: Agency, manager: Client, loopback: None) -> None:
    with receiver(answering(*[500] * 10, 200, body="zap is turned off")) as program:
        made, _ = create_channel(agency, kind="webhook", url=program.url, name="Zap")
        for number in range(12):
            record_event(agency, EventType.LEAD_REPLIED, lead_name=f"Lead {number}")
        drain_deliveries()
        assert len(program.requests) == 10
        card = html(manager)
        assert "HTTP 500</strong> · zap is turned off · 10 attempts · next <time" in card
        assert "12 waiting" in card
        page = manager.post(f"{PAGE}/channels/{made.pk}/try", follow=True).content.decode()
        assert "Zap is being tried now: 12 deliveries wait, one goes first." in page
        drain_deliveries()
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}
    assert "zap is turned off" not in html(manager)
    made.refresh_from_db()
    assert (made.last_error, made.last_status_code, made.last_excerpt) == ("", None, "")


@pytest.mark.django_db(transaction=True)
@pytest.mark.one_backend
def test_what_a_person_resends_goes_before_what_waits_for_a_failing_channel(
    agency: Agency, manager: Client, loopback: None
) -> None:
    with receiver(answering(500)) as program:
        create_channel(agency, kind="webhook", url=program.url)
        for _ in range(30):
            record_event(agency, EventType.LEAD_REPLIED)
        drain_deliveries()
        assert len(program.requests) == 10
        last = Delivery.objects.order_by("-pk")[0]
        assert last.hold == "rest"
        manager.post(f"{LOG}/{last.pk}/resend")
        drain_deliveries()
    assert [request.message_id for request in program.requests[10:]] == [last.event_id]


@pytest.mark.django_db(transaction=True)
@pytest.mark.one_backend
def test_a_test_is_the_trial_request_of_a_channel_that_is_down(agency: Agency, manager: Client, loopback: None) -> None:
    with receiver(answering(500)) as program:
        made, _ = create_channel(agency, kind="webhook", url=program.url)
        for _ in range(30):
            record_event(agency, EventType.LEAD_REPLIED)
        drain_deliveries()
        manager.post(f"{PAGE}/channels/{made.pk}/test")
        drain_deliveries()
    test = Event.objects.get(event_type=EventType.TEST)
    assert [request.message_id for request in program.requests[10:]] == [test.pk]


@pytest.mark.django_db(transaction=True)
@pytest.mark.one_backend
@pytest.mark.parametrize("example", ["lead_opportunity", "linkedin_disconnected", "channel_failing"])
def test_a_test_sends_the_example_that_was_chosen(
    agency: Agency, manager: Client, loopback: None, example: str
) -> None:
    with receiver() as program:
        made, _ = create_channel(agency, kind="webhook", url=program.url)
        mailbox, _ = create_channel(agency, kind="email", email="team@example.com", verified=True)
        on_its_way = manager.post(f"{PAGE}/channels/{made.pk}/test", {"example": example})["Location"]
        assert "The test is on its way." in html(manager, on_its_way)
        manager.post(f"{PAGE}/channels/{mailbox.pk}/test", {"example": example})
        drain_deliveries()
    [request] = program.requests
    body = json.loads(request.body)
    assert (body["event_type"], body["event_id"]) == (example, request.message_id)
    jsonschema.validate(body, CATALOGUE[EventType(example)].schema)
    [message] = mail.outbox
    assert message.subject.startswith("Test: ")
    assert set(Event.objects.values_list("event_type", flat=True)) == {"test"}  # nothing has happened
    delivery = Delivery.objects.get(channel=made)
    assert manager.get(on_its_way)["Location"] == f"{LOG}/{delivery.pk}"
    waiting = manager.get(on_its_way, headers={"HX-Request": "true"})
    assert waiting["HX-Redirect"] == f"{LOG}/{delivery.pk}"
    assert f"Test: {CATALOGUE[EventType(example)].title}" in html(manager, f"{LOG}/{delivery.pk}")


def test_only_what_has_an_example_is_sent_as_a_test(agency: Agency, manager: Client) -> None:
    made, _ = create_channel(agency, kind="webhook", url="https://example.com/in")
    for example in ("channel_verification", "member_invited", "nonsense"):
        assert manager.post(f"{PAGE}/channels/{made.pk}/test", {"example": example}).status_code == 422
    assert not Event.objects.filter(event_type=EventType.TEST).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.one_backend
def test_the_log_masks_the_secrets_of_both_sides(agency: Agency, manager: Client, loopback: None) -> None:
    answers = answering(200, headers=f"Set-Cookie: session=hush\r\nX-Trace: abc\r\nX-Long: {'x' * 2000}\r\n")
    with receiver(answers) as program:
        create_channel(agency, kind="webhook", url=program.url, headers={"X-Env": "hush", "Authorization": "hush"})
        record_event(agency, EventType.INSTALL)
        drain_deliveries()
    assert program.requests[0].headers["x-env"] == "hush"
    page = html(manager, f"{LOG}/{Delivery.objects.get().pk}")
    for line in ("X-Env: ********", "Authorization: ********", "Set-Cookie: ********", "X-Trace: abc"):
        assert line in page
    assert "hush" not in page
    assert "x" * 301 not in page


@pytest.mark.django_db(transaction=True)
def test_the_log_has_a_tab_for_each_state_with_its_count(agency: Agency, manager: Client, loopback: None) -> None:
    with receiver(answering(503)) as down, receiver() as up:
        failing, _ = create_channel(agency, kind="webhook", url=down.url)
        for _ in range(12):
            record_event(agency, EventType.LEAD_REPLIED)
        drain_deliveries()
        working, _ = create_channel(agency, kind="webhook", url=up.url, event_types=["install"])
        record_event(agency, EventType.INSTALL)
        drain_deliveries()
    Delivery.objects.filter(pk=failing.deliveries.order_by("pk")[0].pk).update(status="failed", next_attempt_at=None)
    tabs = {
        title: int(count)
        for title, count in re.findall(r'href="\?status=\w+" >(\w+) <span class="badge">(\d+)<', html(manager, LOG))
    }
    states = Delivery.objects.filter(channel=failing, status="pending")
    paused = states.filter(hold="rest").count()
    assert tabs["Failed"] == tabs["Delivered"] == 1
    assert tabs["Paused"] == paused
    assert sum(tabs.values()) == Delivery.objects.count()
    for title, count in tabs.items():
        assert html(manager, f"{LOG}?status={title.lower()}").count('<td class="lead-cell">') == count, title
    assert '<td data-label="HTTP" class="number">503</td>' in html(manager, f"{LOG}?status=retrying")
    of_one = html(manager, f"{LOG}?channel={working.pk}")
    assert f'href="?channel={working.pk}&amp;status=failed" >Failed <span class="badge">0<' in of_one


def test_rows_of_the_log_lead_to_what_they_are_about(agency: Agency, manager: Client) -> None:
    create_channel(agency, kind="webhook", url="https://example.com/in")
    lead = create_lead(agency, name="Ada Lovelace")
    record_event(agency, EventType.LEAD_REPLIED, subject="lead_gone", lead_name="Gone")
    react()
    fan_out_due_events()
    page = html(manager, LOG)
    assert f'<a class="soft" href="/leads/{lead.pk}" hx-boost="false">Ada Lovelace</a>' in page
    assert '<span class="soft">Gone</span>' in page


def test_what_a_receiver_said_of_an_erased_lead_is_forgotten(agency: Agency) -> None:
    made, _ = create_channel(agency, kind="webhook", url="https://example.com/in")
    lead = create_lead(agency, name="Ada Lovelace", email="ada@example.com")
    react()
    fan_out_due_events()
    delivery = Delivery.objects.filter(channel=made)[0]
    Attempt.objects.create(
        delivery=delivery, at=timezone.now(), duration_ms=1, response_headers=[["X-Echo", "Ada Lovelace"]]
    )
    Channel.objects.filter(pk=made.pk).update(last_excerpt="Ada Lovelace is unknown")
    erase_lead(lead)
    assert Attempt.objects.get().response_headers is None
    assert Channel.objects.get().last_excerpt == ""
