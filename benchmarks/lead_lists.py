"""How long the lists of leads take with owner, score and clock, under each filter, among a million leads of one agency.

It makes some thousand leads, multiplies them in PostgreSQL to a million (BENCH_SCALE multiplies that), and asks for
`/api/v1/leads` with each filter: for a value that many leads have and, where that is another matter, for one that few
or none have; and for the portal's list in the ways in which its tabs and heads sort it. Bar: a median of 50 ms an
answer of the API, with all middlewares. Beside each stands the time of its statements alone.
"""

import os
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import psycopg

from benchmarks.copies import without_indexes

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
LEADS, TEMPLATES = int(1_000_000 * SCALE), 2_000
ROUNDS, SLOW = 5, 1.0
BAR_MS, PORTAL_BAR_MS = 50.0, 100.0
MEMBERS, CAMPAIGNS, ACCOUNTS, SOURCES = 20, 40, 40, 4

#: What is asked of the API. `{…}` stands for an id.
LISTS = (
    "",
    "assigned_to={member}",
    "assigned_to={idle}",
    "assigned_to=none",
    "pool={pool}",
    "grade=A1",
    "grade=C3",
    "grade=B2&assigned_to={member}",
    "score_min=90",
    "score_min=99",
    "clock=open",
    "clock=due_soon",
    "clock=overdue",
    "clock=overdue&assigned_to={member}",
    "waiting=true",
    "status=REPLY_RECEIVED",
    "status=DONE&assigned_to={member}",
    "priority=high",
    "priority=none-has-this",
    "campaign={campaign}",
    "campaign={unused_campaign}",
    "account={account}",
    "account={unused_account}",
    "account_active=true",
    "account_active=false",
    "source={source}",
    "source={unused_source}",
    "lead_type=SPONSORED",
    "lead_type=EVENT",
    "form=form-7",
    "form=no-form",
    "creation_locale=de_DE",
    "is_test=true",
    "tag=vip",
    "tag=nobody",
    "received_after={month}",
    "received_before={year}",
    "updated_after={month}",
    "q=lindqvist",
)
#: What is asked of the portal, as its tabs and heads do.
PAGES = (
    "",
    "waiting=yes&sort=status_since",
    "clock=open&sort=due",
    "clock=overdue",
    "assigned_to=me",
    "assigned_to=me&clock=open&sort=due",
    "assigned_to=none",
    "sort=-received",
)


def measure_lists(database: str) -> dict[str, dict[str, float]]:
    """Return milliseconds of each list and of its statements, in a database that is migrated."""
    from django.test import Client
    from django.utils import timezone

    from accounts.core.enums import Role
    from accounts.tenancy.agencies import create_agency

    agency, key = create_agency(name="A million leads")
    ids = make_templates(agency)
    began = time.monotonic()
    with psycopg.connect(database, autocommit=True) as connection:
        multiply_leads(connection, agency.pk, -(-LEADS // TEMPLATES) - 1)
    print(f"{LEADS:,} leads in {time.monotonic() - began:.0f} s", flush=True)
    now = timezone.now()
    ids |= {name: f"{now - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" for name, days in (("month", 30), ("year", 360))}
    client, headers = Client(), {"Authorization": f"Bearer {key}"}
    figures = {}
    for query in LISTS:
        url = f"/api/v1/leads?{query.format(**ids)}"
        figures[f"API {query}"] = measure(client, url, headers)
    client.force_login(agency.members.filter(role=Role.OWNER).order_by("pk")[0].user)
    for query in PAGES:
        figures[f"portal {query}"] = measure(client, f"/leads?{query}", {})
    return figures


def report(figures: dict[str, dict[str, float]]) -> bool:
    """Print the figures. Return whether one is above its bar."""
    above = []
    for name, it in figures.items():
        bar = PORTAL_BAR_MS if name.startswith("portal") else BAR_MS
        mark = "above the bar" if it["ms"] > bar else ""
        print(f"{name:48}{it['ms']:9.1f} ms {it['sql_ms']:9.1f} ms of SQL {it['queries']:4.0f} queries  {mark}")
        above += [name] if mark else []
    print(f"bars: {BAR_MS:.0f} ms an answer of the API, {PORTAL_BAR_MS:.0f} ms a page")
    print(f"above a bar: {', '.join(above) or 'none'}")
    return bool(above)


def measure(client: Any, url: str, headers: dict[str, str]) -> dict[str, float]:
    """Return the median milliseconds of an answer, those of its statements, and how many these are."""
    from django.db import connection

    taken: list[float] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            taken.append(time.perf_counter() - began)

    def ask() -> tuple[float, float, int]:
        taken.clear()
        began = time.perf_counter()
        answer = client.get(url, headers=headers)
        seconds = time.perf_counter() - began
        if answer.status_code != 200:
            raise RuntimeError(f"{url}: {answer.status_code} {answer.content[:300]!r}")
        return seconds, sum(taken), len(taken)

    with connection.execute_wrapper(note):
        first = ask()
        rounds = [ask() for _ in range(ROUNDS if first[0] < SLOW else 1)]
    seconds, sql, queries = (statistics.median(values) for values in zip(*rounds, strict=True))
    return {"ms": 1000 * seconds, "sql_ms": 1000 * sql, "queries": queries}


def make_templates(agency: Any) -> dict[str, str]:
    """Make members, campaigns, accounts, sources, a pool, and the leads that are multiplied. Return ids to ask for."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from accounts.core.enums import Role
    from accounts.models import Account, Campaign
    from accounts.sources.service import create_source
    from leads.models import Lead
    from leads.routing.pools import create_pool

    now = timezone.now()
    people = User.objects.bulk_create(User(username=f"m{n}", email=f"m{n}@example.com") for n in range(MEMBERS + 1))
    members = [
        agency.members.create(user=user, role=Role.MANAGER if number else Role.OWNER)
        for number, user in enumerate(people)
    ]
    sources = [create_source(agency=agency, provider="sendpilot")[0] for _ in range(SOURCES + 1)]
    accounts = Account.objects.bulk_create(
        Account(
            agency=agency, provider="salesflow", external_id=str(n), name=f"Account {n}", status_since=now,
            status="active" if n % 4 else "disconnected",
        )
        for n in range(ACCOUNTS + 1)
    )  # fmt: skip
    campaigns = Campaign.objects.bulk_create(
        Campaign(agency=agency, provider="sendpilot", external_id=f"c{n}", name=f"Campaign {n}")
        for n in range(CAMPAIGNS + 1)
    )
    pool = create_pool(agency, name="All", kind="round_robin", members=[{"member": members[1], "weight": 1}])
    chosen: dict[str, list[Any]] = {
        "people": people[:-1],
        "sources": sources[:-1],
        "accounts": accounts[:-1],
        "campaigns": campaigns[:-1],
    }
    Lead.objects.bulk_create(_templates(agency, now, chosen))
    return {
        "member": members[1].pk,
        "idle": members[-1].pk,
        "pool": pool.pk,
        "campaign": campaigns[0].pk,
        "unused_campaign": campaigns[-1].pk,
        "account": accounts[1].pk,
        "unused_account": accounts[-1].pk,
        "source": sources[0].pk,
        "unused_source": sources[-1].pk,
    }


def _templates(agency: Any, now: Any, chosen: dict[str, list[Any]]) -> Iterator[Any]:
    from config.seeding import people
    from leads.enums import LeadStatus
    from leads.models import Lead

    random, statuses = Random(11), list(LeadStatus)
    for number in range(TEMPLATES):
        who, firm = people.person(random, number), people.company(random)
        at = now - timedelta(minutes=random.randrange(60, 300 * 24 * 60))
        score = min(100, int(random.expovariate(1 / 30)))
        due = now + timedelta(minutes=random.randrange(-600, 600)) if random.random() < 0.03 else None
        yield Lead(
            agency=agency,
            name=who.name,
            email=who.email(f"{people.slug(firm)}.example.com"),
            title=random.choice(("VP Sales", "Founder", "Data Analyst", "Head of Growth")),
            company=firm,
            linkedin_url=f"https://www.linkedin.com/in/{who.slug}",
            linkedin_key=f"linkedin.com/in/{who.slug}",
            status=random.choices(statuses, (40, 20, 15, 10, 6, 3, 2, 3, 1))[0],
            status_since=at,
            received_at=at,
            score=score,
            grade="ABC"[2 - min(2, score // 34)] + random.choice("123"),
            priority=random.choices(("", "high", "low"), (95, 2, 3))[0],
            assigned_to=random.choice(chosen["people"]) if random.random() < 0.9 else None,
            campaign=random.choice(chosen["campaigns"]),
            account=random.choice(chosen["accounts"]),
            source=random.choice(chosen["sources"]),
            lead_type=random.choices(("", "SPONSORED"), (70, 30))[0],
            form=random.choice(("", *(f"form-{n}" for n in range(20)))),
            creation_locale=random.choices(("", "en_US", "de_DE"), (70, 25, 5))[0],
            tags=["vip"] if random.random() < 0.02 else [],
            response_due_at=due,
            response_warn_at=due - timedelta(minutes=60) if due else None,
        )


def multiply_leads(database: psycopg.Connection[Any], agency: str, copies: int) -> None:
    """Copy the agency's leads, each at other times than its template."""
    for setting in ("session_replication_role = replica", "synchronous_commit = off", "statement_timeout = 0"):
        database.execute(f"SET {setting}")
    database.execute("SET maintenance_work_mem = '256MB'")
    earlier = "- n * interval '7 minutes 13 seconds'"
    copy_id = "'lead_' || left(md5(t.id || n), 26)"
    changed = {
        "id": copy_id,
        "linkedin_key": "t.linkedin_key || '-' || n",
        "linkedin_url": "t.linkedin_url || '-' || n",
        "email": "replace(t.email, '@', '-' || n || '@')",
        "search_text": f"replace(t.search_text, lower(t.id), {copy_id})",
        "received_at": f"t.received_at {earlier}",
        "status_since": f"t.status_since {earlier}",
        "updated_at": f"t.updated_at {earlier}",
    }
    columns = [
        name
        for (name,) in database.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'leads_lead'::regclass AND attnum > 0"
            " AND NOT attisdropped ORDER BY attnum"
        )
    ]
    listed = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(changed.get(name, f't."{name}"') for name in columns)
    with without_indexes(database, "leads_lead"):
        database.execute(
            f"INSERT INTO leads_lead ({listed}) SELECT {values} FROM leads_lead t"
            f" CROSS JOIN LATERAL generate_series(1, {copies}) AS n WHERE t.agency_id = %s",
            [agency],
        )
    database.execute("VACUUM ANALYZE leads_lead")
