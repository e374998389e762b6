"""Believable agencies, as if they had worked with Leadline for sixty days: for trials, browser tests and benchmarks.

Everything is invented, made from a seed, and consistent with what the services would have written. Times are relative
to `now`.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from random import Random

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Agency
from config.demo.setup import COMPANY_ID
from config.seeding.account_stories import account_stories
from config.seeding.deliveries import deliver
from config.seeding.happenings import play
from config.seeding.lead_stories import lead_stories
from config.seeding.place import COMPANY_PREFIX, Place, make_place
from config.seeding.received import other_stories, rejected_requests
from config.seeding.rows import save
from config.seeding.team_work import make_team_work
from leads.analytics.rebuilding import rebuild_facts
from leads.enums import DEFAULT_CONVERSIONS
from leads.inbox.sorting import sort_messages

__all__ = ["Seeded", "has_real_agencies", "seed_agencies"]


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was made, and how its owners sign in; the password is in no other place."""

    agencies: list[Agency]
    owners: list[str]
    password: str


def has_real_agencies() -> bool:
    """Return whether there are agencies that are neither the demonstration's nor made here."""
    invented = Q(ghl_company_id=COMPANY_ID) | Q(ghl_company_id__startswith=COMPANY_PREFIX)
    return Agency.objects.exclude(invented).exists()


def seed_agencies(count: int = 1, *, seed: str = "leadline", now: datetime | None = None) -> Seeded:
    """Make agencies, each in a transaction of its own, beside those that there are."""
    password, now = secrets.token_urlsafe(12), now or timezone.now()
    hashed, first = make_password(password), Agency.objects.count()
    agencies, owners = [], []
    for number in range(first, first + count):
        place = _seed(number, Random(f"{seed}/{number}"), now, hashed)  # noqa: S311 (no secret)
        agencies.append(place.agency)
        owners.append(place.members[0].user.get_username())
    return Seeded(agencies, owners, password)


@transaction.atomic
def _seed(number: int, random: Random, now: datetime, password: str) -> Place:
    place = make_place(number, random, now, password)
    team = make_team_work(place)
    play(place, [*account_stories(place), *lead_stories(place, team), *other_stories(place)])
    place.rows.save()
    team.close()
    with place.rows.play():
        for lead in place.agency.leads.filter(messages__isnull=False).distinct():
            sort_messages(lead, place.rows)
    place.rows.save()
    _count_leads(place.agency, now)
    save(place.requests)
    save(rejected_requests(place))
    deliver(place)
    return place


def _count_leads(agency: Agency, now: datetime) -> None:
    """Compute what reports count. Conversions of the past are not reported any more."""
    converted = Q(furthest_status__in=DEFAULT_CONVERSIONS) | Q(status__in=DEFAULT_CONVERSIONS)
    agency.leads.filter(converted).update(conversion_reported_at=now)
    rebuild_facts(agency)
