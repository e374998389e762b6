"""Collect what pages show of sources: their state, what was refused, how many events came a day."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.core.enums import IssueKind
from accounts.core.labels import Label
from accounts.core.markup import Tone
from accounts.models import Agency, Source, SourceIssue
from accounts.sources.issues import label_of, open_issues
from webhooks.models import Receipt, ReceiptStatus, RejectedRequest
from webhooks.processing.quarantine import unrecognised

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MAX_WAITING_COUNT = 1000
#: The newest receipts of an agency that are counted by day, and the days shown.
MAX_COUNTED, DAYS = 10_000, 14
#: Samples of a source without any other receipt that are looked through.
MAX_SAMPLES = 50
RECENT_PERIOD = timedelta(days=7)
#: Issues that agencies see, with the remedy. Refused requests have a list of their own; slow responses concern staff.
REMEDIES: "dict[IssueKind, str | _StrPromise]" = {
    IssueKind.SILENT: _("Check in the tool's settings that its webhook is still on and has this URL."),
    IssueKind.LEAD_SYNC: _("See “Connection and set-up”."),
    IssueKind.AT_RISK: _(
        "After three missed checks LinkedIn sends no more leads. See that the secret here is the client secret of your "
        "LinkedIn app."
    ),
    IssueKind.BLOCKED: _(
        "Open your app in LinkedIn's developer portal, find this URL under Webhooks, where it says Blocked, and start "
        "the check there by hand."
    ),
}


@dataclass(frozen=True)
class Card:
    """Hold what a page shows of one source."""

    source: Source
    label: Label
    waiting: int
    refused: list[RejectedRequest]
    issues: list[tuple[SourceIssue, str]]
    days: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Light:
    """Whether the first request of a source has come. `detail` says more; `is_on` ends the waiting."""

    tone: Tone
    text: str
    detail: str = ""
    is_on: bool = False
    receipt: Receipt | None = None


def cards_of(agency: Agency, sources: list[Source]) -> list[Card]:
    """Return the cards of these sources, whose open issues are prefetched, in a constant number of queries."""
    counts = Counter(unrecognised(agency).order_by("-sequence").values_list("source_id", flat=True)[:MAX_WAITING_COUNT])
    refused: dict[str, list[RejectedRequest]] = defaultdict(list)
    recent = RejectedRequest.objects.filter(source__in=sources, last_seen__gte=timezone.now() - RECENT_PERIOD)
    for row in recent.order_by("-last_seen"):
        refused[row.source_id].append(row)
    days = events_per_day(agency)
    return [
        Card(
            source=source,
            label=label_of(source, problems=bool(counts[source.pk] or refused[source.pk])),
            waiting=counts[source.pk],
            refused=refused[source.pk],
            issues=list(_issues(open_issues(source))),
            days=days.get(source.pk, ()),
        )
        for source in sources
    ]


def events_per_day(agency: Agency) -> dict[str, list[int]]:
    """Return how many receipts came on each of the last days, by source, as far back as the newest receipts reach."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    keys = agency.receipts.order_by("-sequence").values_list("sequence", "received_at")
    oldest = list(keys[MAX_COUNTED - 1 : MAX_COUNTED])
    receipts = agency.receipts.order_by()
    if oldest:
        receipts = receipts.filter(sequence__gte=oldest[0][0])
        first = max(first, timezone.localdate(oldest[0][1]) + timedelta(days=1))
    since = timezone.now() - timedelta(days=DAYS)
    rows = receipts.filter(received_at__gte=since).annotate(day=TruncDate("received_at"))
    found: dict[str, list[int]] = {}
    for source_id, day, count in rows.values_list("source_id", "day").annotate(count=Count("sequence")):
        place = (day - first).days
        if 0 <= place <= (today - first).days:  # a clock that was ahead dates receipts after today
            found.setdefault(source_id, [0] * ((today - first).days + 1))[place] = count
    return found


def light_of(source: Source) -> Light:
    """Return whether the source has received its first request, and else what has come instead."""
    if source.last_receipt_at is not None:
        return Light("good", gettext("First event received"), is_on=True)
    newest = None
    for receipt in Receipt.objects.filter(source=source).order_by("-sequence").defer("body")[:MAX_SAMPLES]:
        if not receipt.is_sample and receipt.status == ReceiptStatus.RECEIVED:
            return Light("good", gettext("First event received"), is_on=True, receipt=receipt)
        newest = newest or receipt
    refused = RejectedRequest.objects.filter(source=source).order_by("-last_seen").first()
    if refused and (newest is None or refused.last_seen > newest.received_at):
        return Light("bad", gettext("A request came and was refused"), refused.why)
    if newest:
        text = gettext("Your sample arrived. Waiting for the provider's first request.")
        return Light("busy", text, receipt=newest)
    return Light("busy", gettext("Waiting for the first request"))


def _issues(rows: Iterable[SourceIssue]) -> Iterable[tuple[SourceIssue, str]]:
    for issue in rows:
        if (kind := IssueKind(issue.kind)) in REMEDIES:
            yield issue, str(REMEDIES[kind])
