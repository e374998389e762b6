"""Rows in the making: services write into them as into any unit of work, and they are saved in bulk at the end."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random

from django.db import connection, models
from django.utils import timezone

from accounts.core.ids import encode_base32
from accounts.core.unit_of_work import UnitOfWork
from accounts.models import (
    Account,
    AccountReport,
    Campaign,
    Event,
    Incident,
    IncidentStep,
    Outage,
    Reaction,
    ReauthPrompt,
    ReauthStep,
    Sender,
)
from leads.models import Assignment, ClockSegment, Lead, LeadChange, LeadReference, Message, Note, ResponseClock, Task

#: In this order: what others refer to comes first.
ORDER = (
    *(Account, Campaign, Sender, Lead, LeadReference, LeadChange, AccountReport, Event),
    *(Incident, IncidentStep, Outage, ReauthPrompt, ReauthStep),
    *(ResponseClock, ClockSegment, Assignment, Task, Note, Message),
)
BATCH = 500
FANNED_OUT_AFTER = timedelta(seconds=2)


class Rows(UnitOfWork):
    """Collect rows. Events get the time at which they were recorded, and are fanned out: no worker takes them up."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._rows: defaultdict[type[models.Model], dict[int, models.Model]] = defaultdict(dict)
        self._latest: defaultdict[str, int] = defaultdict(int)

    def add(self, row: models.Model, *, now: bool = False) -> None:
        if isinstance(row, Reaction):
            return  # what follows an event is made with it
        if isinstance(row, Event):
            self._date(row)
        if isinstance(row, LeadChange):
            row.created_at = row.occurred_at
        self._rows[type(row)].setdefault(id(row), row)

    def update(self, row: models.Model, *fields: str) -> None:
        """Do nothing: the row is saved as it is in the end."""

    def new_id(self, prefix: str, at: datetime) -> str:
        """Return an id that was made at that time, after all ids of the same millisecond."""
        value = int(at.timestamp() * 1000) << 80 | self.random.getrandbits(79)
        if value >> 80 == self._latest[prefix] >> 80:
            value = self._latest[prefix] + 1 + self.random.getrandbits(32)
        self._latest[prefix] = value
        return f"{prefix}_{encode_base32(value, 26)}"

    def events(self) -> list[Event]:
        """Return the events, the oldest first."""
        return sorted((row for row in self._rows[Event].values() if isinstance(row, Event)), key=lambda row: row.id)

    def save(self) -> None:
        """Insert the rows that were added since the last call."""
        unknown = self._rows.keys() - set(ORDER)
        if unknown:
            raise TypeError(f"Nobody saves {unknown}.")
        for model in ORDER:
            save([row for row in self._rows[model].values() if row._state.adding])

    @contextmanager
    def play(self) -> Iterator[None]:
        """Take back what services ask for after the commit: nobody is to be woken up."""
        hooks = len(connection.run_on_commit)
        yield
        del connection.run_on_commit[hooks:]

    def _date(self, event: Event) -> None:
        at = event.occurred_at + FANNED_OUT_AFTER
        event.id = self.new_id("evt", at)
        event.payload["event_id"] = event.id
        event.created_at = event.next_attempt_at = at
        event.fanned_out_at = at + timedelta(milliseconds=300)


def save(rows: Sequence[models.Model]) -> None:
    """Insert rows of one model with the times that they bear, where Django would write the present one."""
    if not rows:
        return
    model = type(rows[0])
    times = [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.DateTimeField) and (field.auto_now or field.auto_now_add)
    ]
    for row in rows:
        for field in times:
            if getattr(row, field.attname) is None:
                setattr(row, field.attname, timezone.now())
    kept = [(field.auto_now, field.auto_now_add) for field in times]
    try:
        for field in times:
            field.auto_now = field.auto_now_add = False
        model._base_manager.bulk_create(rows, batch_size=BATCH)
    finally:
        for field, (auto_now, auto_now_add) in zip(times, kept, strict=True):
            field.auto_now, field.auto_now_add = auto_now, auto_now_add
