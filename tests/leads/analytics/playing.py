"""Leads of an agency, to which things happen by chance."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from accounts.events.ordering import Origin
from accounts.models import Account, Agency
from leads.enums import ChangedBy, LeadStatus
from leads.models import Lead
from leads.pipeline.changes import create_lead, set_status, update_lead
from leads.pipeline.dto import Identity
from leads.pipeline.merge_by_hand import merge_by_hand
from leads.pipeline.reports import report_status
from leads.pipeline.unmerge import unmerge
from leads.privacy.erasure import erase_lead
from leads.sla.responses import answer_elsewhere
from tests.leads.routing.teams import make_member

MONDAY = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)


class Play:
    """An agency with leads to which things happen by chance."""

    def __init__(self, agency: Agency, seed: int) -> None:
        self.agency, self.chance = agency, random.Random(seed)
        self.members = [make_member(agency, name) for name in ("anna", "ben")]
        self.account = Account.objects.create(
            agency=agency, provider="sendpilot", external_id="a", status="active", status_since=MONDAY
        )
        self.merged: list[str] = []
        self.change_account()
        self.create()

    def step(self) -> None:
        """Let one thing happen."""
        if Lead.objects.count() < 2:
            self.create()
        happen: list[Callable[[], object]] = [self.create, self.report, self.report, self.move, self.move]
        happen += [self.assign, self.merge, self.part, self.change_account]
        happen += [lambda: answer_elsewhere(self.some()), lambda: erase_lead(self.some())]
        self.chance.choice(happen)()

    def some(self) -> Lead:
        return self.chance.choice(list(Lead.objects.order_by("pk")))

    def create(self) -> None:
        address = f"{self.chance.random()}@example.com"
        create_lead(self.agency, name="Ada", email=address, account=self.chance.choice([None, self.account]))

    def report(self) -> None:
        report_status(
            self.agency,
            provider="sendpilot",
            identity=Identity(external_id=f"l{self.chance.randrange(4)}"),
            status=self.chance.choice(list(LeadStatus)),
            stated=self.chance.random() < 0.6,
            origin=Origin(by="sendpilot", at=timezone.now() - timedelta(hours=self.chance.choice([0, 0, 5]))),
            account=self.account,
        )

    def move(self) -> None:
        set_status(self.some(), status=self.chance.choice(list(LeadStatus)), changed_by=ChangedBy.USER)

    def assign(self) -> None:
        owner = self.chance.choice([None, *self.members])
        update_lead(self.some(), assigned_to=owner.user if owner else None)

    def merge(self) -> None:
        one, other = self.some(), self.some()
        if one.pk != other.pk:
            merge_by_hand(self.agency, one.pk, other.pk)
            self.merged.append(max(one.pk, other.pk))

    def part(self) -> None:
        if self.merged and Lead.all_records.filter(pk=self.merged[-1], merged_into__isnull=False).exists():
            unmerge(self.agency, self.merged.pop())

    def change_account(self) -> None:
        before, after = self.account.status, "blocked" if self.account.status == "active" else "active"
        self.account.status = after
        self.account.save(update_fields=["status"])
        self.account.reports.create(
            from_status=before, to_status=after, occurred_at=timezone.now(), reported_by="sendpilot", applied=True
        )
