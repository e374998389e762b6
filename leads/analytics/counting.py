"""Choose the facts that a report counts, and count them by day and by group, in the database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber, TruncDate

from accounts.api.report import Question
from accounts.api.report import Window as Time
from accounts.core.enums import AccountStatus
from accounts.models import Account, Agency, Campaign, Member, Source
from accounts.tenancy.localtime import get_zone
from leads.analytics.definitions import BUCKETS, NEVER
from leads.models import LeadFact, LeadReference

Facts = QuerySet[LeadFact]
Key = Any
#: Times of a fact that have their local day beside them.
DATED = frozenset({"received", "replied", "converted", "lost"})
#: group_by --> the column of a fact.
GROUPS: Mapping[str, str] = {
    "provider": "account__provider",
    "location": "account__sub_account__location_id",
    "account": "account",
    "campaign": "campaign",
    "status": "status",
    "lead_type": "lead_type",
    "source": "source",
    "form": "form",
    "member": "assigned_to",
    "title": "seniority",
    "company_size": "size_band",
    "industry": "industry",
    "state": "state",
    "hour": "received_hour",
    "weekday": "received_weekday",
    "response_bucket": "bucket",
}
MAX_GROUPS = 500


def facts_in(agency: Agency, question: Question) -> Facts:
    """Return the facts of the leads that a question is about, at any time."""
    facts = LeadFact.objects.filter(agency=agency)
    if not question.include_test:
        facts = facts.filter(is_test=False)
    if not question.include_inactive:
        facts = facts.filter(Q(account__isnull=True) | Q(account__status=AccountStatus.ACTIVE))
    if question.provider:
        known = LeadReference.objects.filter(lead=OuterRef("lead"), provider=question.provider)
        facts = facts.filter(Exists(known))
    if place := question.location_id:
        facts = facts.filter(
            Q(account__sub_account__location_id=place) | Q(source__sub_account__location_id=place, account=None)
        )
    if question.campaign:
        facts = facts.filter(campaign=question.campaign)
    if question.member:
        user = agency.members.filter(pk=question.member).values_list("user", flat=True).first()
        facts = facts.filter(assigned_to=user) if user else facts.none()
    return facts


def within(facts: Facts, time: str, window: Time) -> Facts:
    """Return the facts of which a time, such as `received`, lies in the window."""
    return facts.filter(**{f"{time}_at__gte": window.begin, f"{time}_at__lt": window.end}).order_by()


def bucket() -> Case:
    """Return the expression for a lead's bucket of response times, "" if it never had to wait."""
    steps = [
        When(response_seconds__lte=most, then=Value(name))
        if most
        else When(response_seconds__isnull=False, then=Value(name))
        for name, most in BUCKETS.items()
    ]
    waits = When(asked_at__isnull=False, then=Value(NEVER))
    return Case(*steps, waits, default=Value(""), output_field=CharField())


def grouped(facts: Facts, group_by: str) -> "QuerySet[Any]":
    """Return the facts with `key`, by which they are grouped. Without a group all have the same."""
    if group_by not in GROUPS:
        return facts.annotate(key=Value(""))
    return facts.annotate(key=bucket() if group_by == "response_bucket" else F(GROUPS[group_by]))


def by_day(agency: Agency, facts: Facts, time: str, window: Time, **counts: Any) -> dict[str, dict[str, Any]]:
    """Return the counts of those in the window, by the first day of their period. Without `counts` it is `n`."""
    is_local = time in DATED and window.zone.key == get_zone(agency.timezone).key
    day = F(f"{time}_on") if is_local else TruncDate(f"{time}_at", tzinfo=window.zone)
    found: dict[str, dict[str, Any]] = {}
    rows: Any = within(facts, time, window).values(day=day).annotate(**(counts or {"n": Count("*")}))
    for row in rows:
        period = found.setdefault(first_day(row.pop("day"), window), dict.fromkeys(row, 0))
        for name, number in row.items():
            period[name] += number
    return found


def first_day(day: date, window: Time) -> str:
    """Return the first day of the whole period that a day lies in."""
    if window.period == "month":
        day = day.replace(day=1)
    elif window.period == "week":
        day = day.fromordinal(day.toordinal() - day.weekday())
    return f"{day:%Y-%m-%d}"


def by_group(facts: Facts, group_by: str, **counts: Any) -> dict[Key, dict[str, Any]]:
    """Return the counts by group."""
    rows = grouped(facts, group_by).order_by().values("key").annotate(**counts)
    return {row.pop("key"): row for row in rows}


def percentiles(
    facts: Facts, column: str, group_by: str = "", shares: Sequence[int] = (50, 90)
) -> dict[Key, list[Any]]:
    """Return percentiles of a column by group, by nearest rank: the least value that so many percent do not exceed."""
    known = grouped(facts.filter(**{f"{column}__isnull": False}).order_by(), group_by)
    ranked = known.annotate(
        rank=Window(RowNumber(), partition_by=["key"], order_by=[column]),
        of=Window(Count("*"), partition_by=["key"]),
    )
    wanted = Q()
    for share in shares:
        wanted |= Q(rank=(F("of") * share + 99) / 100)
    found: dict[Key, dict[int, Any]] = {}
    sizes: dict[Key, int] = {}
    for key, value, rank, size in ranked.filter(wanted).values_list("key", column, "rank", "of"):
        found.setdefault(key, {})[rank] = value
        sizes[key] = size
    return {key: [values[(sizes[key] * share + 99) // 100] for share in shares] for key, values in found.items()}


def named_groups(
    agency: Agency, group_by: str, found: Mapping[Key, Mapping[str, Any]], order: str = "leads"
) -> list[dict[str, Any]]:
    """Return groups as rows with their key and their name, the largest first."""
    names, keys = _names(agency, group_by, found)
    ordered = sorted(found.items(), key=lambda item: (-item[1][order], str(item[0])))
    return [
        {group_by: keys.get(key, key), "name": names.get(key, "" if key is None else str(key)), **values}
        for key, values in ordered[:MAX_GROUPS]
    ]


def _names(agency: Agency, group_by: str, keys: Iterable[Key]) -> tuple[dict[Key, str], dict[Key, Key]]:
    """Return what groups are called, and the keys by which outsiders know them where those are others."""
    pks = [key for key in keys if key is not None]
    if group_by == "member":
        members = Member.objects.filter(agency=agency, user__in=pks).select_related("user")
        people = {one.user_id: (one.user.get_full_name() or one.user.get_username(), one.pk) for one in members}
        gone = {pk: (None, "") for pk in pks if pk not in people}
        return {pk: name for pk, (name, _) in people.items()} | dict.fromkeys(gone, ""), {
            pk: key for pk, (_, key) in people.items()
        } | dict.fromkeys(gone)
    if group_by == "location":
        places = agency.sub_accounts.filter(location_id__in=pks)
        return dict(places.values_list("location_id", "name")), {}
    tables: dict[str, Any] = {"account": Account, "campaign": Campaign, "source": Source}
    if group_by not in tables:
        return {}, {}
    return dict(tables[group_by].objects.filter(agency=agency, pk__in=pks).values_list("pk", "name")), {}
