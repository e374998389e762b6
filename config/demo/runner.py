"""Play the day into a running Leadline, and check the result of each request."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Q, Sum

from accounts.models import Account, Agency, Campaign, Event, Reaction, Source, SubAccount
from config.demo.provider import Answer, compact, post, sign, webhook_url
from config.demo.receiver import Receiver
from config.demo.scenario import Step
from leads.models import LeadReference
from notifications.delivery import is_interested
from notifications.models import Channel, Delivery, DeliveryStatus
from notifications.policy.alert_policy import is_about_an_outage
from notifications.sentences import IN_INCIDENT
from notifications.transports.mailfolder import is_mail_folder_used, mails_of
from webhooks.models import RECEIPT_PREFIX, Receipt, ReceiptStatus, RejectedRequest
from webhooks.processing.processor import register_request

EFFECT_TIMEOUT = 30.0  # seconds for each effect


@dataclass
class StepResult:
    """What one request became. `faults` is empty if that is what it must become."""

    provider: str
    title: str
    answer: str = ""
    receipt: str = ""
    state: str = ""
    events: list[str] = field(default_factory=list)
    mails: int = 0
    later_mails: int = 0
    webhooks: int = 0
    link: str = ""
    faults: list[str] = field(default_factory=list)


class Runner:
    """The demo agency, its channels, and the last posted body."""

    def __init__(self, agency: Agency, base_url: str, mailbox: Channel, endpoint: Channel, receiver: Receiver) -> None:
        self.agency = agency
        self.base_url = base_url
        self.mailbox = mailbox
        self.endpoint = endpoint
        self.receiver = receiver
        self.sources: dict[str, Source] = {}
        for source in Source.objects.filter(agency=agency, enabled=True).order_by("pk"):
            self.sources.setdefault(source.provider, source)
        self._last: tuple[bytes, dict[str, str]] = (b"", {})

    def run_step(self, step: Step) -> StepResult:
        source = self.sources[step.provider]
        result = StepResult(step.provider, step.title)
        if step.registers:
            register_request(source, request_id=step.registers[0], action=step.registers[1])
        rejected = _rejected(source)
        answer = self._post(step, source)
        result.answer = _describe(answer)
        if step.status_code != 200 or answer.status_code != 200:
            result.state = state_of(self.agency, step)
            if step.forged and not wait_for(lambda: _rejected(source) > rejected):
                result.faults.append("the rejected request was not recorded")
            result.link = "/admin/webhooks/rejectedrequest/"
            return check_result(result, step)
        sequence = int(str(answer.body["receipt_id"]).removeprefix(RECEIPT_PREFIX))
        result.link = f"/admin/webhooks/receipt/{sequence}/change/"
        receipt = self._processed_receipt(sequence)
        if step.registers_late:
            if receipt.reason != "unknown_request":
                result.faults.append(f"it did not wait for its request ({receipt.status} {receipt.reason})")
            register_request(source, request_id=step.registers_late[0], action=step.registers_late[1])
            receipt = self._processed_receipt(sequence)
        result.receipt = str(receipt.status)
        result.state = state_of(self.agency, step)
        if step.answer == "accepted":
            self.await_deliveries(receipt, result)
        return check_result(result, step)

    def _post(self, step: Step, source: Source) -> Answer:
        if not step.same_body_as_before:
            self._last = sign(source, compact(step.payload))
        body, headers = self._last
        if step.forged:
            headers = dict.fromkeys(headers, "forged")
        return post(webhook_url(source, self.base_url), body, headers)

    def _processed_receipt(self, sequence: int) -> Receipt:
        wait_for(lambda: not Receipt.objects.filter(pk=sequence, status=ReceiptStatus.RECEIVED).exists())
        return Receipt.objects.get(pk=sequence)

    def await_deliveries(self, receipt: Receipt, result: StepResult) -> None:
        """Wait until the events of a receipt are delivered to the mailbox and the endpoint, and count the deliveries.

        Mails about outages are not awaited, because they wait themselves.
        """
        events = Event.objects.filter(receipt_id=receipt.public_id).order_by("pk")
        about = Q(facts__receipt_id=receipt.public_id) | Q(subject=receipt.lead_id or receipt.public_id)
        wait_for(lambda: not Reaction.objects.filter(about).exists())
        channel_events = list(events.filter(recipient="", channel_id=""))
        self.await_events(channel_events, [event.id for event in events.exclude(recipient="")], result)

    def await_events(self, channel_events: Sequence[Event], personal: Sequence[str], result: StepResult) -> None:
        """Wait until these events are delivered to the channels, and the personal ones by mail."""
        result.events = [event.event_type for event in channel_events]
        ids = [event.id for event in channel_events]
        by_mail = [event for event in channel_events if is_interested(self.mailbox, event)]
        later = [event for event in by_mail if is_about_an_outage(event)]  # may be part of an incident's mail
        mails: set[tuple[str, str | None]] = {(event.id, self.mailbox.id) for event in by_mail if event not in later}
        mails |= {(event, None) for event in personal}
        wanted = mails | {(event, self.endpoint.id) for event in ids}
        wait_for(lambda: wanted <= delivered_on([*ids, *personal]))
        done = delivered_on([*ids, *personal]) & wanted
        mail_deliveries = sum(1 for _, channel in done if channel != self.endpoint.id)
        result.mails, result.later_mails = self.mails_about([*ids, *personal]), len(later)
        result.webhooks = sum(1 for event in ids if self.receiver.received[event])
        for event in ids:
            if self.receiver.received[event] > 1:
                result.faults.append(f"the webhook of {event} came {self.receiver.received[event]} times")
        if is_mail_folder_used() and (lie := len(mails_of({*ids, *personal}))) < result.mails:
            result.faults.append(f"{lie} of its mails lie in {settings.EMAIL_FILE_PATH}")
        if mail_deliveries != len(mails) or result.webhooks != len(ids):
            result.faults.append(
                f"{mail_deliveries} by mail and {result.webhooks} by webhook of {len(ids)} events arrived"
            )

    def mails_about(self, events: Sequence[str]) -> int:
        """Return how many messages are about these events. Deliveries that are due together go out as one message."""
        sent = Delivery.objects.filter(event__in=events, status=DeliveryStatus.DELIVERED, carrier=None)
        return sent.exclude(channel=self.endpoint).count()


def check_result(result: StepResult, step: Step) -> StepResult:
    expected_answer = f"{step.status_code} {step.answer}".strip()
    pairs: list[tuple[str, Any, Any]] = [
        ("answer", result.answer, expected_answer),
        ("receipt", result.receipt, step.receipt),
        ("state", result.state, step.becomes),
        ("events", result.events, [event.value for event in step.events]),
    ]
    result.faults += [
        f"{name}: {got or 'nothing'}, not {wanted or 'nothing'}" for name, got, wanted in pairs if got != wanted
    ]
    return result


def state_of(agency: Agency, step: Step) -> str:
    """Return the state of what the step is about, in a few words."""
    kind, name = step.about
    match kind:
        case "account":
            return _account(Account.objects.filter(agency=agency, provider=step.provider, external_id=name))
        case "account at":
            return _account(
                Account.objects.filter(agency=agency, provider=step.provider, sub_account__location_id=name)
            )
        case "lead":
            references = LeadReference.objects.filter(agency=agency, provider=step.provider, external_id=name)
            reference = references.select_related("lead").first()
            return f"lead {reference.lead.status}" if reference else "no lead"
        case "campaign":
            campaign = Campaign.objects.filter(agency=agency, provider=step.provider, external_id=name).first()
            return f"campaign {campaign.status}" if campaign else "no campaign"
        case _:
            location = SubAccount.objects.filter(agency=agency, location_id=name).first()
            return "no location" if location is None else "installed" if location.installed else "uninstalled"


def _account(accounts: Iterable[Account]) -> str:
    account = next(iter(accounts), None)
    if account is None:
        return "no account"
    return f"account {account.status}" + (", waiting" if account.rate_limited else "")


def delivered_on(events: Sequence[str]) -> set[tuple[str, str | None]]:
    """Return which events have arrived on which channels, by themselves or in an incident. The channel of a personal
    mail is None."""
    in_incident = Q(status=DeliveryStatus.CANCELLED, error_sentence__code=IN_INCIDENT.code)
    arrived = Q(status=DeliveryStatus.DELIVERED) | in_incident
    done = Delivery.objects.filter(arrived, event__in=events)
    return set(done.values_list("event_id", "channel_id"))


def wait_for(condition: Callable[[], bool], seconds: float = EFFECT_TIMEOUT) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.03)
    return True


def _rejected(source: Source) -> int:
    return RejectedRequest.objects.filter(source=source).aggregate(sum=Sum("count"))["sum"] or 0


def _describe(answer: Answer) -> str:
    word = answer.body.get("status") if isinstance(answer.body, dict) and answer.status_code == 200 else ""
    return f"{answer.status_code} {word}".strip()
