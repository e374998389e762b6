"""Several workers at once, on real connections: nothing twice, nothing out of order."""

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.db import connection, transaction
from django.db.utils import OperationalError
from django.utils import timezone

from accounts.campaigns.service import campaign_of, update_campaign
from accounts.core.enums import AccountStatus
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, AccountReport, Agency, Event, Source
from accounts.services import report_status
from leads.models import Lead, LeadChange, LeadReference
from notifications.channels.service import create_channel
from notifications.delivery import drain_deliveries as deliver
from notifications.models import Delivery
from tests.reactions import react
from tests.receiving import receive, receive_sample, signed, source_of
from tests.threads import at_once
from tests.webhooks.ingest_server import Answer, serving
from webhooks.models import Receipt
from webhooks.processing.processor import process_due_receipts
from webhooks.samples import load_sample

pytestmark = pytest.mark.django_db(transaction=True)
idle = threading.Event()


def drain() -> None:
    """What a worker does: a batch that met a deadlock is simply taken again."""
    while Receipt.objects.filter(status="received").exists():
        try:
            if not process_due_receipts(limit=25):
                idle.wait(0.02)  # somebody else is at it: leave them the interpreter
        except OperationalError:
            connection.close()


def test_200_alternating_reports_apply_in_order_with_several_workers(agency: Agency) -> None:
    source = source_of(agency, "salesflow")
    for number in range(200):
        receive_sample(source, "account_blocked" if number % 2 else "account_active")
    at_once(drain)
    account = Account.objects.get()
    assert account.status == "disconnected"
    assert AccountReport.objects.filter(applied=True).count() == 200
    recorded = list(Event.objects.order_by("id").values_list("event_type", flat=True))
    assert recorded.count("linkedin_disconnected") == 100
    assert recorded.count("linkedin_connected") == 1
    assert recorded.count("linkedin_reconnected") == 99
    moves = AccountReport.objects.order_by("id").values_list("from_status", "to_status")
    assert all(before != after for before, after in moves)


def test_receipts_of_many_sources_are_processed_once_each(agency: Agency, stranger: Agency) -> None:
    sources = [source_of(owner, "salesflow") for owner in (agency, stranger) for _ in range(3)]
    for number in range(60):
        receive_sample(sources[number % 6], "account_active", LinkedInAccountId=number + 1)
    at_once(drain)
    assert Receipt.objects.filter(status="processed", attempts__gte=1).count() == 60
    assert AccountReport.objects.count() == 60
    assert Event.objects.count() == 60


def test_two_sources_that_report_on_the_same_accounts_see_what_the_other_made_of_them(agency: Agency) -> None:
    sources = [source_of(agency, "salesflow") for _ in range(2)]
    for number in range(120):
        status = "account_blocked" if number % 3 else "account_active"
        receive_sample(sources[number % 2], status, LinkedInAccountId=1 + number // 2 % 4)
    at_once(drain)
    assert Receipt.objects.filter(status="processed").count() == AccountReport.objects.count() == 120
    recorded = Counter(Event.objects.exclude(event_type="reauth_requested").values_list("subject", flat=True))
    for account in Account.objects.all():
        moves = list(account.reports.filter(applied=True).order_by("id").values_list("from_status", "to_status"))
        assert [before for before, _ in moves] == ["", *(after for _, after in moves[:-1])]
        assert account.status == moves[-1][1]
        flaps = Event.objects.filter(subject=account.pk, event_type="linkedin_flapping").count()
        assert recorded[account.pk] - flaps == sum(before != after for before, after in moves)


def test_two_sources_that_see_the_same_new_person_at_once_make_one_lead(agency: Agency) -> None:
    sources = [source_of(agency, "sendpilot") for _ in range(4)]
    for source in sources:
        receive_sample(source, "lead_status_changed")
    at_once(drain)
    assert Event.objects.filter(event_type="lead_created").count() == 1
    assert Event.objects.filter(event_type="lead_opportunity").count() == 1


def test_records_that_several_sources_merge_at_once_end_as_one_lead_each_and_nothing_is_lost(agency: Agency) -> None:
    sources = [source_of(agency, "sendpilot") for _ in range(4)]
    people, number = 6, 0

    def report(source: Source, lead: str, url: str) -> None:
        nonlocal number
        number += 1
        body = {"eventId": str(number), "eventType": "lead.status.changed", "timestamp": timezone.now().isoformat()}
        receive(source, {**body, "data": {"leadId": lead, "linkedinUrl": url, "newStatus": "MESSAGE_SENT"}})

    for person in range(people):
        report(sources[0], f"nameless-{person}", "")
        report(sources[0], f"named-{person}", f"https://www.linkedin.com/in/person-{person}")
        report(sources[0], f"sales-{person}", f"https://www.linkedin.com/sales/lead/ACwAAExample{person}")
    drain()
    assert Lead.objects.count() == 3 * people
    for person in range(people):
        slug, member = f"de.linkedin.com/in/Person-{person}", f"linkedin.com/sales/people/ACwAAExample{person},NAME"
        report(sources[1], f"nameless-{person}", slug)
        report(sources[2], f"sales-{person}", slug)
        report(sources[3], f"nameless-{person}", member)
        report(sources[(person % 3) + 1], f"new-{person}", member)
    at_once(drain)
    assert Receipt.objects.exclude(status="processed").count() == 0
    assert (Lead.objects.count(), Lead.all_records.count()) == (people, 3 * people)
    assert LeadChange.objects.filter(is_report=True).count() == number
    assert not LeadReference.objects.filter(lead__merged_into__isnull=False).exists()
    assert not LeadChange.objects.filter(lead__merged_into__isnull=False).exists()
    for lead in Lead.objects.all():
        ids = sorted(lead.references.values_list("external_id", flat=True))
        assert [name.partition("-")[0] for name in ids] == ["named", "nameless", "new", "sales"]
        assert len({name.partition("-")[2] for name in ids}) == 1


def test_a_campaign_given_to_an_account_that_drops_at_that_moment_is_paused(agency: Agency) -> None:
    def report(status: AccountStatus, sequence: int) -> Account:
        origin = Origin(by="salesflow", at=timezone.now(), sequence=sequence)
        identity = AccountIdentity(external_id="7688")
        return report_status(agency, provider="salesflow", identity=identity, status=status, origin=origin)

    with transaction.atomic():
        account = report(AccountStatus.ACTIVE, 1)
    campaign = campaign_of(agency, provider="sendpilot", external_id="camp_1")
    dropped, giving = threading.Event(), threading.Event()

    def take_down() -> None:
        with transaction.atomic():
            report(AccountStatus.DISCONNECTED, 2)
            dropped.set()
            giving.wait(10)
            idle.wait(0.2)  # without its lock the other would be through by now

    def give() -> None:
        dropped.wait(10)
        giving.set()
        update_campaign(campaign, account=account)

    works = [give, take_down]
    at_once(lambda: works.pop()(), times=2)
    campaign.refresh_from_db()
    assert (campaign.status, campaign.paused_by, campaign.account_id) == ("paused", "system", account.pk)
    assert Event.objects.filter(event_type="campaign_paused").count() == 1


ONE_EVENT = {
    "salesflow": ("account_active", "linkedin_connected"),
    "welink": ("login_success", "linkedin_connected"),
    "sendpilot": ("campaign_paused", "campaign_paused"),
    "linkedin": ("lead_created", "lead_created"),
    "linkedconnector": ("linkedin_rate_limit", "linkedin_rate_limit"),
    "highlevel": ("install", "install"),
}


@pytest.mark.parametrize("provider", ONE_EVENT)
def test_16_identical_posts_at_once_are_one_event_and_one_mail(agency: Agency, provider: str) -> None:
    sample, event_type = ONE_EVENT[provider]
    create_channel(agency, kind="email", email="alerts@example.com", verified=True)
    source = source_of(agency, provider)
    body, headers = signed(source, json.dumps(load_sample(provider, sample)).encode())
    with serving() as server, ThreadPoolExecutor(16) as pool:

        def post(_: int) -> Answer:
            """As a provider does: a 503 (HighLevel: 429) says that nothing was kept, so it sends again."""
            for _ in range(20):
                answer = server.post(f"/webhooks/{provider}/{source.token}", body, headers)
                if answer.status not in (429, 503):
                    break
            return answer

        answers = list(pool.map(post, range(16)))
    assert [answer.status for answer in answers] == [200] * 16
    stored = {answer.json["receipt_id"] for answer in answers}
    statuses = sorted(answer.json["status"] for answer in answers)
    if provider == "salesflow":  # sends neither id nor time: the same bytes can be news again
        assert (len(stored), statuses) == (16, ["accepted"] * 16)
    else:
        assert (len(stored), statuses) == (1, ["accepted", *["duplicate"] * 15])
    assert {receipt.public_id for receipt in Receipt.objects.all()} == stored
    at_once(drain)
    react()
    at_once(lambda: assert_done(deliver()), times=2)
    assert [event.event_type for event in Event.objects.all()] == [event_type]
    assert [message.to for message in mail.outbox] == [["alerts@example.com"]]
    assert [delivery.status for delivery in Delivery.objects.all()] == ["delivered"]


def assert_done(out_of_time: bool) -> None:
    assert not out_of_time
