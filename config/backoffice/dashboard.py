"""Collect what the back office's first page shows: problems, the state of the processes, and first steps."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Func, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone

from accounts.core.enums import IssueKind
from accounts.core.markup import Tone
from accounts.labels import SOURCE_ISSUES, status_badge, status_label
from accounts.models import AccountLink, Agency, CampaignCommand, Heartbeat, Incident, Outage, Source, SourceIssue
from accounts.models.command import CommandStatus
from accounts.models.link import LinkState
from config import figures, health
from leads.models import Enrichment
from notifications.models import Channel, ChannelStatus, DeliveryStatus
from webhooks.models import Receipt, ReceiptStatus, RejectedRequest

MAX_ROWS = 6
REJECTION_WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that staff should look at if it is not zero. `right` is what its page requires, if not the right to view
    the model in its address."""

    label: str
    count: int
    url: str
    advice: str
    tone: Tone = "bad"
    right: str = ""

    @property
    def display(self) -> str:
        return f"{figures.MAX_COUNT:,}+" if self.count >= figures.MAX_COUNT else f"{self.count:,}"


@dataclass(frozen=True, slots=True)
class Pulse:
    """The state of one process or queue. `problem` is empty if it works."""

    label: str
    problem: str


@dataclass(frozen=True, slots=True)
class Bar:
    """The number of accounts in one status; `share` is in percent of all."""

    badge: str
    count: int
    share: float
    url: str
    tone: Tone


def dashboard(user: User | AnonymousUser) -> dict[str, Any]:
    """Return the template's context, without anything that this staff member may not view.

    It takes a dozen index lookups, whatever the size of the tables.
    """
    receipts, deliveries = figures.receipts_by_status(), figures.deliveries_by_status()
    rejecting = list(_rejecting_sources()[:MAX_ROWS])
    failing = list(_failing_channels()[:MAX_ROWS])
    open_issues = _open_issues()
    tiles = [
        Tile(
            "open incidents",
            figures.count_up_to(_open_incidents().filter(part_of=None)),
            _list("accounts_incident", open="yes"),
            "Many accounts dropped at once: look at the suspected cause.",
        ),
        Tile(
            "failed campaign pauses",
            figures.count_up_to(CampaignCommand.objects.filter(status=CommandStatus.FAILED)),
            _list("accounts_campaign", protected="failed"),
            "The provider refused: fix the source's API key, then try again.",
        ),
        Tile(
            "quarantined events",
            receipts[ReceiptStatus.QUARANTINED],
            reverse("admin:webhooks_unrecognised"),
            "Grouped by word: say what each means, and all that wait are processed.",
            "warn",
            "webhooks.view_receipt",
        ),
        Tile(
            "failed receipts",
            receipts[ReceiptStatus.FAILED],
            _list("webhooks_receipt", status=ReceiptStatus.FAILED),
            "Look at the error; then process them again.",
        ),
        Tile(
            "failed deliveries",
            deliveries[DeliveryStatus.FAILED],
            _list("notifications_delivery", status=DeliveryStatus.FAILED),
            "Ask the agency to fix its endpoint, then resend them.",
        ),
        Tile(
            "channels failing",
            figures.count_up_to(_failing_channels()),
            _list("notifications_channel"),
            "Each is retried by itself; after five days of failures it is disabled.",
            "warn",
        ),
        Tile(
            "source issues",
            figures.count_up_to(open_issues),
            _list("accounts_sourceissue", state="open"),
            "No recent events, rejecting requests, or about to be blocked.",
        ),
        Tile(
            "leads not enriched",
            figures.count_up_to(Enrichment.objects.filter(next_attempt_at=None)),
            _list("leads_enrichment"),
            "Each says which enricher failed; once it is fixed, try again.",
            "warn",
        ),
        Tile(
            "sources rejecting requests (24 h)",
            figures.count_up_to(_rejecting_sources().order_by().values("source").distinct()),
            _list("webhooks_rejectedrequest"),
            "Mostly a secret that was changed on one side only.",
            "warn",
        ),
    ]
    tiles = [tile for tile in tiles if _may_open(user, tile)]
    pulses = _pulses()
    sees = {
        "accounts": _may_view(user, "accounts", "account"),
        "links": _may_view(user, "accounts", "accountlink"),
        "receipts": _may_view(user, "webhooks", "receipt"),
        "deliveries": _may_view(user, "notifications", "delivery"),
        "issues": _may_view(user, "accounts", "sourceissue"),
        "incidents": _may_view(user, "accounts", "incident"),
        "rejected": _may_view(user, "webhooks", "rejectedrequest"),
        "channels": _may_view(user, "notifications", "channel"),
        "sources": _may_view(user, "accounts", "source"),
    }
    return {
        "sees": sees,
        "tiles": tiles,
        "needs": sum(1 for tile in tiles if tile.count) + sum(1 for pulse in pulses if pulse.problem),
        "pulses": pulses,
        "waiting": {"receipts": receipts[ReceiptStatus.RECEIVED], "deliveries": deliveries[DeliveryStatus.PENDING]},
        "oldest": figures.oldest_due_receipt(),
        "bars": _bars() if sees["accounts"] else [],
        "namesakes": sees["links"] and figures.count_up_to(AccountLink.objects.filter(state=LinkState.PROPOSED)),
        "open_issues": [
            (issue, SOURCE_ISSUES[IssueKind(issue.kind)]) for issue in open_issues[: MAX_ROWS * sees["issues"]]
        ],
        "quarantined": _newest_receipts(ReceiptStatus.QUARANTINED) if sees["receipts"] else [],
        "incidents": _open_incidents().filter(part_of=None)[:MAX_ROWS] if sees["incidents"] else [],
        "rejecting": rejecting if sees["rejected"] else [],
        "failing": failing if sees["channels"] else [],
        "first_steps": _first_steps(receipts) if sees["sources"] else [],
    }


def _may_open(user: User | AnonymousUser, tile: Tile) -> bool:
    return user.has_perm(tile.right) if tile.right else _may_view(user, *tile.url.split("/")[2:4])


def _may_view(user: User | AnonymousUser, app: str, model: str) -> bool:
    return user.has_perm(f"{app}.view_{model}")


def _pulses() -> list[Pulse]:
    late = {
        "Receipt": figures.oldest_due_receipt(),
        "Event": figures.oldest_due_event(),
        "Delivery": figures.oldest_due_delivery(),
    }
    last = dict(Heartbeat.objects.values_list("name", "at"))
    processes = [Pulse(name.capitalize(), health.silence(name, last.get(name))) for name in health.PROCESSES]
    return processes + [Pulse(f"{kind} queue", health.overdue(age)) for kind, age in late.items()]


def _bars() -> list[Bar]:
    counts = figures.accounts_by_status()
    total = sum(counts.values())
    return [
        Bar(
            status_badge(status),
            count,
            round(100 * count / total, 1) if total else 0.0,
            _list("accounts_account", status=status),
            status_label(status).tone,
        )
        for status, count in counts.items()
    ]


def _newest_receipts(status: ReceiptStatus) -> "QuerySet[Receipt]":
    rows = Receipt.objects.filter(status=status).select_related("agency").defer("body", "headers", "dedupe_key")
    return rows.order_by("-sequence")[:MAX_ROWS]


def _open_incidents() -> "QuerySet[Incident]":
    of_incident = Q(incident=OuterRef("pk")) | Q(incident__part_of=OuterRef("pk"))
    down = Outage.objects.filter(of_incident, back_at__isnull=True).order_by().annotate(n=Func("pk", function="COUNT"))
    incidents = Incident.objects.filter(closed_at__isnull=True).select_related("agency").order_by("-id")
    return incidents.annotate(down=Subquery(down.values("n")))


def _rejecting_sources() -> "QuerySet[RejectedRequest]":
    recent = RejectedRequest.objects.filter(last_seen__gte=timezone.now() - REJECTION_WINDOW)
    return recent.select_related("source__agency").defer("source__credentials").order_by("-last_seen")


def _open_issues() -> "QuerySet[SourceIssue]":
    rows = SourceIssue.objects.filter(closed_at__isnull=True).select_related("source__agency")
    return rows.defer("source__credentials").order_by("-pk")


def _failing_channels() -> "QuerySet[Channel]":
    failing = Channel.objects.filter(consecutive_failures__gt=0, status=ChannelStatus.ENABLED)
    return failing.select_related("agency").defer("url", "headers").order_by("failing_since")


def _first_steps(receipts: dict[str, int]) -> list[tuple[str, str, str]]:
    """Return the first steps of an empty Leadline: what to do, the link's text and its target."""
    steps = []
    if not Agency.objects.exists():
        steps.append(("There is no agency yet.", "New agency", reverse("admin:accounts_agency_add")))
    if not Source.objects.exists():
        steps.append(("No provider delivers to Leadline yet.", "Add a source", reverse("admin:accounts_source_add")))
    if not any(receipts.values()):
        steps.append(
            (
                "No provider has sent anything: enter a source's URL there, or play a day of webhooks (make demo).",
                "See the sources and their URLs",
                _list("accounts_source"),
            )
        )
    return steps


def _list(name: str, **filters: str) -> str:
    return reverse(f"admin:{name}_changelist", query=filters or None)
