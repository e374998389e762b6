"""Notifications set up on one page, by somebody who presses its buttons."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accounts.core.enums import AGENCY_EVENTS, EventType, Role
from accounts.events.outbox import record_event
from accounts.models import Agency, Event
from accounts.tenancy.api_keys import create_api_key
from accounts.web.portal.pagination import SIZE
from leads.pipeline.changes import create_lead
from notifications.channels.fields import READ_BY_PEOPLE
from notifications.channels.service import create_channel, update_channel
from notifications.content.catalogue import CATALOGUE
from notifications.delivery import drain_deliveries, fan_out_due_events
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, DeliveryStatus
from tests.notifications.receiver import answering, receiver
from tests.portal.browser import Browser

pytestmark = pytest.mark.one_backend

PAGE = "/notifications"


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


def channel(agency: Agency) -> Channel:
    return Channel.objects.get(agency=agency)


class Ticked(HTMLParser):
    """The ticked boxes of a page, by their form's action."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action, self.found = "", dict[str, set[str]]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.action = given.get("action") or ""
        if tag == "input" and given.get("name") == "event_types" and "checked" in given:
            self.found.setdefault(self.action, set()).add(given["value"] or "")


def test_a_mail_recipient_is_added_and_confirms_before_anything_is_sent(agency: Agency, manager: Client) -> None:
    answer = manager.post(f"{PAGE}/add/email", {"email": "team@example.com", "name": "Team", "listens": "all"})
    made = channel(agency)
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}#{made.pk}")
    assert (made.status, made.event_types) == (ChannelStatus.UNVERIFIED, [])
    assert "Unconfirmed" in html(manager)
    drain_deliveries()
    [message] = mail.outbox
    assert message.to == ["team@example.com"]
    [link] = re.findall(r"http://\S+(/verify/\S+)", str(message.body))
    Client().post(link)
    page = html(manager)
    assert "Unconfirmed" not in page
    assert "Send a test" in page


def test_the_confirmation_is_sent_again_after_five_minutes(agency: Agency, manager: Client) -> None:
    with time_machine.travel(datetime(2026, 3, 1, 9, tzinfo=UTC), tick=False) as clock:
        manager.post(f"{PAGE}/add/email", {"email": "team@example.com", "listens": "all"})
        for minutes, mails in ((0, 1), (4, 1), (2, 2)):
            clock.shift(timedelta(minutes=minutes))
            manager.post(f"{PAGE}/channels/{channel(agency).pk}/ask")
            drain_deliveries()
            assert len(mail.outbox) == mails


def test_a_webhooks_secret_is_shown_once(agency: Agency, manager: Client) -> None:
    answer = manager.post(f"{PAGE}/add/webhook", {"url": "https://example.com/in", "listens": "all"}, follow=True)
    [secret] = re.findall(r'value="(whsec_[^"]+)"', answer.content.decode())
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert channel(agency).secrets.get().secret == secret
    assert secret not in str(dict(manager.session))
    again = manager.get("/shown", follow=True)
    assert secret not in again.content.decode()
    assert secret not in html(manager)


def test_rotating_shows_the_new_secret_and_keeps_the_old_one_for_a_day(agency: Agency, manager: Client) -> None:
    made, first = create_channel(agency, kind="webhook", url="https://example.com/in")
    answer = manager.post(f"{PAGE}/channels/{made.pk}/rotate", follow=True)
    [second] = re.findall(r'value="(whsec_[^"]+)"', answer.content.decode())
    assert {row.secret: row.expires_at is None for row in made.secrets.all()} == {first: False, second: True}
    assert "Signed with two secrets" in html(manager, f"{PAGE}/channels/{made.pk}")


@pytest.mark.once
@pytest.mark.parametrize(
    ("kind", "given", "complaint"),
    [
        ("webhook", {"url": "http://169.254.169.254/latest"}, "The address is outside the public internet"),
        ("webhook", {"url": "ftp://example.com/"}, "http"),
        ("webhook", {"url": "https://me:secret@example.com/"}, "user name and password"),
        ("webhook", {"url": "https://example.com/", "headers": "webhook-id: mine"}, "is not allowed"),
        ("webhook", {"url": "https://example.com/", "headers": "no colon"}, "is not “Name: value”"),
        ("webhook", {"url": "https://example.com/", "rate_per_second": "-1"}, "Use a number above 0"),
        ("email", {"email": "nobody"}, "Enter a valid email address"),
        ("email", {"email": "a@example.com", "listens": "some"}, "Tick at least one"),
        ("slack", {"url": ""}, "This field is required"),
    ],
)
def test_what_cannot_be_is_said_beside_the_field_and_nothing_is_made(
    agency: Agency, manager: Client, kind: str, given: dict[str, str], complaint: str
) -> None:
    answer = manager.post(f"{PAGE}/add/{kind}", {"listens": "all", **given})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert re.search(rf"errorlist[^>]*>[^/]*{complaint}", text), re.findall(r"errorlist.*", text)
    assert f'<form method="post" action="/notifications/add/{kind}"' in text
    assert not Channel.objects.exists()


def test_event_types_are_picked_by_their_descriptions(agency: Agency, manager: Client) -> None:
    create_channel(
        agency, kind="webhook", url="https://example.com/in", event_types=["lead_replied", "lead_opportunity"]
    )
    made = channel(agency)
    edit = f"{PAGE}/channels/{made.pk}/edit"
    page = html(manager, edit)
    for name in AGENCY_EVENTS:
        kind = CATALOGUE[EventType(name)]
        offered = kind.event_type not in {EventType.TEST, EventType.CHANNEL_VERIFICATION}
        assert (f'value="{name}"' in page) is offered, name
        assert (kind.description.replace("`", "") in page.replace("&#x27;", "'")) is offered, name
    assert "member_invited" not in page
    assert Ticked(page).found == {}  # one of the presets
    update_channel(made, event_types=["lead_replied", "lead_lost", "test"])
    assert Ticked(html(manager, edit)).found == {edit: {"lead_replied", "lead_lost"}}
    manager.post(edit, {"url": made.url, "listens": "some", "event_types": ["lead_opportunity", "linkedin_blocked"]})
    assert channel(agency).event_types == ["lead_opportunity", "linkedin_blocked", "test"]
    unclear = manager.post(edit, {"url": made.url, "listens": "all", "event_types": ["lead_opportunity"]})
    assert unclear.status_code == 422
    assert "You ticked events and chose “Everything”." in unclear.content.decode()
    assert channel(agency).event_types == ["lead_opportunity", "linkedin_blocked", "test"]


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("slack", {"url": "https://hooks.slack.example.com/services/T/B/x"}),
        ("webhook", {"url": "https://example.com/in"}),
        ("email", {"email": "team@example.com"}),
    ],
)
def test_what_is_ticked_is_all_that_a_channel_gets_whether_or_not_the_choice_above_was_moved(
    agency: Agency, manager: Client, kind: str, given: dict[str, str]
) -> None:
    ticked = {"listens": "all", "event_types": ["lead_opportunity"]}
    manager.post(f"{PAGE}/add/{kind}", {**given, **ticked})
    assert channel(agency).event_types == ["lead_opportunity"]
    edit = f"{PAGE}/channels/{channel(agency).pk}/edit"
    manager.post(edit, {**given, "listens": "all"})
    assert channel(agency).event_types == []
    manager.post(edit, {**given, **ticked})
    assert channel(agency).event_types == ["lead_opportunity"]
    manager.post(edit, {**given, **ticked})  # moved away from what it was: everything
    assert channel(agency).event_types == []


def test_a_replay_offers_what_failed_before_everything(agency: Agency, manager: Client) -> None:
    made, _ = create_channel(agency, kind="webhook", url="https://example.com/in")
    form = html(manager, f"{PAGE}/channels/{made.pk}/replay").partition('name="status"')[2]
    assert 0 < form.index("failed only") < form.index("all, including missed events")


def test_editing_keeps_what_the_form_does_not_show(agency: Agency, manager: Client) -> None:
    agency.sub_accounts.create(location_id="loc-1", name="Berlin")
    made, _ = create_channel(
        agency,
        kind="email",
        email="team@example.com",
        verified=True,
        locations=["loc-1", "loc-unknown"],
        mode="daily",
        quiet_hours={"start": "22:00", "end": "07:00"},
        timezone="Europe/Berlin",
    )
    answer = manager.post(
        f"{PAGE}/channels/{made.pk}/edit",
        {"email": "team@example.com", "name": "Team", "listens": "all", "locations": ["loc-1"]},
    )
    assert answer.status_code == 302
    made.refresh_from_db()
    assert (made.name, made.status) == ("Team", ChannelStatus.ENABLED)
    assert made.locations == ["loc-1", "loc-unknown"]
    assert (made.mode, made.timezone) == ("daily", "Europe/Berlin")
    assert made.quiet_hours == {"start": "22:00", "end": "07:00"}


def test_another_address_has_to_be_confirmed(agency: Agency, manager: Client) -> None:
    made, _ = create_channel(agency, kind="email", email="team@example.com", verified=True)
    manager.post(f"{PAGE}/channels/{made.pk}/edit", {"email": "other@example.com", "listens": "all"})
    assert (channel(agency).email, channel(agency).status) == ("other@example.com", ChannelStatus.UNVERIFIED)


def test_headers_of_ones_own_are_lines(agency: Agency, manager: Client) -> None:
    given = {"url": "https://example.com/in", "listens": "all", "headers": "X-Env: prod\n\nAuthorization: Basic abc:d"}
    manager.post(f"{PAGE}/add/webhook", given)
    assert channel(agency).headers == {"X-Env": "prod", "Authorization": "Basic abc:d"}
    page = manager.get(f"{PAGE}/channels/{channel(agency).pk}/edit").content.decode()
    assert "Authorization: Basic abc:d" in page


def test_who_only_reads_sees_no_secret_part_of_an_address(agency: Agency, sign_in: Browser) -> None:
    create_channel(agency, kind="webhook", url="https://example.com/in?token=hush", headers={"X-Key": "hush"})
    create_channel(agency, kind="slack", url="https://hooks.slack.com/services/hush")
    page = html(sign_in(Role.READ_ONLY))
    assert "https://example.com/in?…" in page
    assert "hooks.slack.com/…" in page
    assert "hush" not in page
    assert "<button" not in page.partition("<main")[2].partition("</main>")[0]


def test_off_means_off_and_on_means_on(agency: Agency, manager: Client) -> None:
    made, _ = create_channel(agency, kind="webhook", url="https://example.com/in")
    manager.post(f"{PAGE}/channels/{made.pk}/off")
    assert channel(agency).status == ChannelStatus.DISABLED
    assert "Switched off by hand." in html(manager)
    assert "Enable" in html(manager)
    page = manager.post(f"{PAGE}/channels/{made.pk}/test", follow=True).content.decode()
    assert "The channel is off: switch it on first." in page
    manager.post(f"{PAGE}/channels/{made.pk}/on")
    assert channel(agency).status == ChannelStatus.ENABLED


def test_who_unsubscribed_is_asked_again_before_it_goes_on(agency: Agency, manager: Client) -> None:
    made, _ = create_channel(agency, kind="email", email="team@example.com", verified=True)
    Client().post(f"/unsubscribe/{made.unsubscribe_token}")
    assert "The recipient unsubscribed." in html(manager)
    page = manager.post(f"{PAGE}/channels/{made.pk}/on", follow=True).content.decode()
    assert "has to confirm the address first" in page
    assert channel(agency).status == ChannelStatus.UNVERIFIED


def test_a_removed_channel_is_gone(agency: Agency, manager: Client) -> None:
    made, _ = create_channel(agency, kind="slack", url="https://hooks.slack.com/services/x", name="#sales")
    manager.post(f"{PAGE}/channels/{made.pk}/remove")
    assert not Channel.objects.exists()
    assert "No Slack channels yet" in html(manager)


@pytest.mark.django_db(transaction=True)
def test_a_test_arrives_and_the_log_shows_its_attempt(agency: Agency, manager: Client, loopback: None) -> None:
    with receiver(answering(500, 200, body="<b>no</b>")) as program:
        manager.post(f"{PAGE}/add/webhook", {"url": program.url, "name": "CRM", "listens": "all"})
        manager.post(f"{PAGE}/channels/{channel(agency).pk}/test")
        drain_deliveries()
        delivery = Delivery.objects.get()
        assert "HTTP 500</strong> · &lt;b&gt;no&lt;/b&gt; · 1 attempt" in html(manager)
        page = html(manager, f"{PAGE}/deliveries/{delivery.pk}")
        assert "The receiver answered 500." in page
        assert "&lt;b&gt;no&lt;/b&gt;" in page
        manager.post(f"{PAGE}/deliveries/{delivery.pk}/resend")
        drain_deliveries()
        page = html(manager, f"{PAGE}/deliveries/{delivery.pk}")
        assert "HTTP 200" in page
        assert "HTTP 500" in page
        assert f"webhook-id: {delivery.event_id}" in page
        assert "Content-Length: 9" in page
        assert [request.message_id for request in program.requests] == [delivery.event_id] * 2


@pytest.mark.django_db(transaction=True)
def test_a_stretch_of_time_is_sent_again_in_the_agencys_time(agency: Agency, manager: Client, loopback: None) -> None:
    Agency.objects.filter(pk=agency.pk).update(timezone="Europe/Berlin")
    with receiver() as program, time_machine.travel(datetime(2026, 3, 1, 8, tzinfo=UTC), tick=False) as clock:
        made, _ = create_channel(agency, kind="webhook", url=program.url)
        events = []
        for _ in range(3):
            events.append(record_event(agency, EventType.LINKEDIN_BLOCKED).pk)
            clock.shift(timedelta(hours=1))
        drain_deliveries()
        page = manager.post(
            f"{PAGE}/channels/{made.pk}/replay",
            {"since": "2026-03-01T09:30", "until": "2026-03-01T10:30", "status": ""},  # 08:30 to 09:30 in UTC
            follow=True,
        )
        assert "1 delivery will be resent." in page.content.decode()
        drain_deliveries()
    *first, again = [request.message_id for request in program.requests]
    assert (sorted(first), again) == (events, events[1])  # the first three go out at once


def test_a_replay_that_ends_before_it_begins_is_refused(agency: Agency, manager: Client) -> None:
    made, _ = create_channel(agency, kind="webhook", url="https://example.com/in")
    path = f"{PAGE}/channels/{made.pk}/replay"
    page = manager.post(path, {"since": "2026-03-02T00:00", "until": "2026-03-01T00:00"}, follow=True)
    assert "The end must be later than the beginning." in page.content.decode()
    assert "Enter a valid date/time." in manager.post(path, {"since": "soon"}, follow=True).content.decode()


def test_the_log_is_searched_and_paged(agency: Agency, manager: Client) -> None:
    made, _ = create_channel(agency, kind="webhook", url="https://example.com/in", name="CRM")
    other, _ = create_channel(agency, kind="email", email="team@example.com", verified=True)
    for number in range(60):
        record_event(agency, EventType.LEAD_REPLIED, subject=f"lead_{number}", lead_name=f"Lead {number}")
    fan_out_due_events()
    old = Delivery.objects.filter(channel=made, event__subject="lead_7").get()
    Delivery.objects.filter(pk=old.pk).update(status=DeliveryStatus.FAILED)
    first = html(manager, f"{PAGE}/deliveries")
    assert first.count("<tr>") == SIZE + 1
    [older] = re.findall(r'href="(\?[^"]+)" rel="next"', first)
    second = html(manager, f"{PAGE}/deliveries{older.replace('&amp;', '&')}")
    shown = re.compile(r"/deliveries/(dlv_\w+)")
    assert not set(shown.findall(first)) & set(shown.findall(second))
    for query, found in (
        ("?status=failed", 1),
        ("?q=lead_7", 2),
        (f"?q=lead_7&channel={made.pk}", 1),
        ("?q=TEAM@example.com&status=failed", 0),
        (f"?q={old.event_id}", 2),
        ("?event_type=lead_lost", 0),
        (f"?event_type=lead_replied&channel={other.pk}", SIZE),
        ("?until=2020-01-01T00:00", 0),
        ("?since=2020-01-01T00:00&status=failed", 1),
        ("?before=%01", SIZE),
        ("?since=nonsense", SIZE),
    ):
        assert len(shown.findall(html(manager, f"{PAGE}/deliveries{query}"))) == found, query


@pytest.mark.once
@pytest.mark.parametrize("name", AGENCY_EVENTS)
def test_every_message_can_be_looked_at_before_it_is_sent(agency: Agency, manager: Client, name: str) -> None:
    before = Event.objects.count()
    page = html(manager, f"{PAGE}/preview/{name}")
    assert CATALOGUE[EventType(name)].title in page
    assert "What to do next" in page
    assert f"&quot;event_type&quot;: &quot;{name}&quot;" in page
    assert agency.ghl_company_id in page
    assert not re.search(r"\{\{|\{%|None\b", page)
    assert (Event.objects.count(), Channel.objects.count()) == (before, 0)


def test_a_summary_has_a_preview(manager: Client) -> None:
    page = html(manager, f"{PAGE}/preview/summary")
    assert "Your day: 2 of 5 events need attention" in page
    assert "John Doe was disconnected from LinkedIn" in page
    assert ">Webhook</h2>" not in page


def test_what_only_one_person_gets_has_no_preview(manager: Client) -> None:
    assert manager.get(f"{PAGE}/preview/member_invited").status_code == 404
    assert manager.get(f"{PAGE}/preview/nonsense").status_code == 404


def test_a_page_of_many_channels_is_light_and_asks_the_database_as_often_as_one_of_two(
    agency: Agency, manager: Client
) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            html(manager)
        return len(asked)

    def make_two(number: int) -> None:
        create_channel(agency, kind="slack", url=f"https://hooks.slack.com/services/{number}", name=f"#sales-{number}")
        failing, _ = create_channel(agency, kind="webhook", url=f"https://example.com/hooks/{number}", name="CRM")
        Channel.objects.filter(pk=failing.pk).update(
            consecutive_failures=16, failing_since=failing.created_at, last_status_code=500, last_excerpt="zap is off"
        )

    make_two(0)
    before = questions()
    for number in range(1, 25):
        make_two(number)
    assert questions() == before
    page = manager.get(PAGE).content
    assert page.count(b"<article") == SIZE
    assert len(page) < 60_000


def test_programs_see_nothing_of_invitations(agency: Agency, manager: Client, sign_in: Browser) -> None:
    _, key = create_api_key(agency)
    program = Client(headers={"Authorization": f"Bearer {key}"})
    sign_in(Role.OWNER).post("/team", {"email": "lena@example.com", "role": "manager"})
    event = Event.objects.get(event_type=EventType.MEMBER_INVITED)
    assert program.get("/api/v1/events").json()["results"] == []
    assert program.get(f"/api/v1/events/{event.pk}").status_code == 404
    named = [kind["name"] for kind in program.get("/api/v1/event-types?limit=200").json()["results"]]
    assert named == list(AGENCY_EVENTS)
    body = {"kind": "webhook", "url": "https://example.com/in", "event_types": ["member_invited"]}
    assert program.post("/api/v1/channels", body, content_type="application/json").status_code == 400


def test_when_people_get_it_is_chosen_in_the_form_and_shown(agency: Agency, manager: Client) -> None:
    made, _ = create_channel(agency, kind="email", email="team@example.com", verified=True)
    chosen = {
        "email": "team@example.com",
        "listens": "all",
        "lead_statuses": ["REPLY_RECEIVED", "OPPORTUNITY"],
        "test_events": "on",
        "mode": "hourly",
        "quiet_from": "22:00",
        "quiet_until": "07:00",
        "working_days": ["fri", "mon"],
        "timezone": "Europe/Berlin",
        "conflation_seconds": "0",
        "urgent_event_types": ["linkedin_disconnected"],
    }
    assert manager.post(f"{PAGE}/channels/{made.pk}/edit", chosen).status_code == 302
    made.refresh_from_db()
    assert (made.mode, made.working_days, made.timezone) == ("hourly", ["mon", "fri"], "Europe/Berlin")
    assert made.quiet_hours == {"start": "22:00", "end": "07:00"}
    assert (made.conflation_seconds, made.urgent_event_types) == (0, ["linkedin_disconnected"])
    assert (made.lead_statuses, made.test_events) == (["REPLY_RECEIVED", "OPPORTUNITY"], True)
    page = html(manager, f"{PAGE}/channels/{made.pk}")
    assert "lead statuses: Replied, Opportunity; including test leads" in page
    assert "as a digest every hour, not from 22:00 to 07:00, only on Monday, Friday, Europe/Berlin" in page
    assert 'value="22:00"' in html(manager, f"{PAGE}/channels/{made.pk}/edit")


def test_the_time_of_a_daily_summary_is_chosen_and_shown(agency: Agency, manager: Client) -> None:
    made, _ = create_channel(agency, kind="email", email="team@example.com", verified=True)
    record_event(agency, EventType.INSTALL, location_id="berlin")
    chosen = {"email": "team@example.com", "listens": "all", "mode": "daily"}
    assert manager.post(f"{PAGE}/channels/{made.pk}/edit", {**chosen, "digest_at": "17:30"}).status_code == 302
    made.refresh_from_db()
    assert made.digest_at == "17:30"
    page = html(manager)
    assert "as a digest once a day at 17:30" in page
    assert 'value="17:30"' in html(manager, f"{PAGE}/channels/{made.pk}/edit")
    assert manager.post(f"{PAGE}/channels/{made.pk}/edit", {**chosen, "digest_at": "late"}).status_code == 422
    assert manager.post(f"{PAGE}/channels/{made.pk}/edit", chosen).status_code == 302
    made.refresh_from_db()
    assert made.digest_at == "08:00"


def test_languages_of_lead_forms_are_chosen_from_those_that_leads_came_by(agency: Agency, manager: Client) -> None:
    made, _ = create_channel(agency, kind="webhook", url="https://example.com/in")
    change = f"{PAGE}/channels/{made.pk}/edit"
    assert "Form languages" not in html(manager, change)
    for locale in ("de_DE", "", "de_DE", "pt_BR"):
        create_lead(agency, email="ada@example.com", creation_locale=locale)
    given = {"url": "https://example.com/in", "listens": "all"}
    assert "Portuguese" in html(manager, change)
    assert manager.post(change, {**given, "creation_locales": ["de_DE"]}).status_code == 302
    made.refresh_from_db()
    assert made.creation_locales == ["de_DE"]
    assert "Everything; form languages: German (DE)" in html(manager, f"{PAGE}/channels/{made.pk}")
    update_channel(made, creation_locales=["fr_FR"])
    assert "French (FR)" in html(manager, change)
    assert manager.post(change, {**given, "creation_locales": ["tlh_QO"]}).status_code == 422
    assert manager.post(change, given).status_code == 302
    made.refresh_from_db()
    assert made.creation_locales == []


def test_a_channel_is_limited_to_leads_by_conditions_that_its_page_says_in_words(
    agency: Agency, manager: Client
) -> None:
    made, _ = create_channel(agency, kind="webhook", url="https://example.com/in")
    change, given = f"{PAGE}/channels/{made.pk}/edit", {"url": "https://example.com/in", "listens": "all"}
    tree = {"field": "seniority", "op": "in", "value": ["vp"]}
    assert manager.post(change, {**given, "conditions": json.dumps(tree)}).status_code == 302
    made.refresh_from_db()
    assert made.conditions == tree
    assert "Everything; leads: The seniority is vice president" in html(manager, f"{PAGE}/channels/{made.pk}")
    assert "The seniority is vice president" in html(manager, change)
    wrong = manager.post(change, {**given, "conditions": '{"field": "shoe_size", "op": "exists"}'})
    assert wrong.status_code == 422
    assert "field: There is no field “shoe_size”." in wrong.content.decode()
    assert manager.post(change, given).status_code == 302
    made.refresh_from_db()
    assert made.conditions == {}


@pytest.mark.once
@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"quiet_from": "22:00"}, "Enter both times, or neither."),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "They would never end: give two different times."),
        ({"timezone": "Mars/Olympus"}, "Use a name like Europe/Berlin."),
        ({"conflation_seconds": "3601"}, "less than or equal to 3600"),
        ({"mode": "weekly"}, "weekly is not one of the available choices"),
    ],
)
def test_times_that_cannot_be_are_explained(
    agency: Agency, manager: Client, wrong: dict[str, str], complaint: str
) -> None:
    made, _ = create_channel(agency, kind="email", email="team@example.com", verified=True)
    given = {"email": "team@example.com", "listens": "all", "mode": "instant", **wrong}
    answer = manager.post(f"{PAGE}/channels/{made.pk}/edit", given)
    assert complaint in answer.content.decode()
    made.refresh_from_db()
    assert (made.mode, made.quiet_hours, made.timezone) == ("instant", None, "")


def test_a_webhook_is_not_asked_when_it_wants_its_events(agency: Agency, manager: Client) -> None:
    made, _ = create_channel(agency, kind="webhook", url="https://example.com/in")
    assert 'name="test_events"' in html(manager, f"{PAGE}/channels/{made.pk}/edit")
    forms = {kind: html(manager, f"{PAGE}/add/{kind.value}") for kind in ChannelKind}
    assert {kind for kind, page in forms.items() if 'name="quiet_from"' in page} == READ_BY_PEOPLE


def test_the_log_says_what_is_held_and_what_went_together(agency: Agency, manager: Client) -> None:
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False) as clock:
        create_channel(agency, kind="email", email="team@example.com", verified=True, mode="hourly")
        for name in ("First", "Second"):
            record_event(agency, EventType.LINKEDIN_DELETED, linkedin_account_name=name)
        fan_out_due_events()
        assert "It waits for the next summary." in html(manager, f"{PAGE}/deliveries")
        clock.shift(timedelta(hours=1))
        drain_deliveries()
        carrier = Delivery.objects.get(carrier=None)
        carried = Delivery.objects.get(carrier=carrier)
        assert f'href="{PAGE}/deliveries/{carrier.pk}"' in html(manager, f"{PAGE}/deliveries/{carried.pk}")
        assert f'href="{PAGE}/deliveries/{carried.pk}"' in html(manager, f"{PAGE}/deliveries/{carrier.pk}")
