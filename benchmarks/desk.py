"""What a lead costs on its way through the rules, beside a plain loop of Django's ORM filters in the same run.

It makes fifty rules of a kind and compares one lead's way through them with fifty queries that ask the same. Then it
previews the rules over 20,000 leads. Bars: 1.5 ms a lead, 5 s a preview. BENCH_SCALE multiplies the previewed leads.
"""

import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.figures import write_figures
from tests import servers

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
PREVIEWED = int(20_000 * SCALE)
RULES, LEADS = 50, 200
BARS = {"lead_ms": 1.5, "preview_seconds": 5.0}
TITLES = ("VP Sales", "Head of Growth", "Chief Executive Officer", "Sales Manager", "Account Executive", "Data Analyst")
STATES = ("California", "Oregon", "Texas", "New York", "Ohio", "Florida")
SIZES = ("1-10", "11-50", "51-200", "201-500", "501-1,000", "1,001-5,000")


def main(url: str = "") -> int:
    if url:
        return run()
    name = f"leadline_bench_{secrets.token_hex(4)}"
    with psycopg.connect(servers.DATABASE_URL, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    try:
        with tempfile.TemporaryDirectory() as folder:
            own = urlunsplit(urlsplit(servers.DATABASE_URL)._replace(path=f"/{name}"))
            environment = {
                **os.environ, "DATABASE_URL": own, "DJANGO_SETTINGS_MODULE": "tests.settings", "LOG_FORMAT": "json",
                "LEADLINE_TEST_SCRATCH": folder, "REDIS_URL": "",
            }  # fmt: skip
            return subprocess.run([sys.executable, "-m", "benchmarks.desk", own], env=environment).returncode
    finally:
        with psycopg.connect(servers.DATABASE_URL, autocommit=True) as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def run() -> int:
    import django

    django.setup()
    import logging

    from django.core.management import call_command
    from django.utils import timezone

    from accounts.tenancy.agencies import create_agency
    from leads.models import Lead
    from leads.rules.active import active_rules
    from leads.rules.preview import preview
    from leads.rules.service import create_rule, rules_of
    from leads.scoring.kind import KIND
    from leads.scoring.scores import judge_lead, score_lead

    logging.getLogger().setLevel("ERROR")
    call_command("migrate", verbosity=0)
    agency, random = create_agency(name="Bench")[0], Random(7)
    asked = [question(random) for _ in range(RULES)]
    for number, (conditions, _) in enumerate(asked):
        create_rule(KIND, agency, name=f"{number}", group="fit", points=3, conditions=conditions)
    fill(agency, random)
    leads = list(Lead.objects.filter(agency=agency)[:LEADS])

    def by_rules(lead: Any) -> int:
        rules = active_rules(KIND, agency).rules
        score = score_lead(lead, rules, judge_lead(lead, rules), half_life=timedelta(days=14), now=timezone.now())
        return sum(1 for one in score.contributions if one.rule)

    def by_queries(lead: Any) -> int:
        return sum(Lead.objects.filter(pk=lead.pk).filter(q).exists() for _, q in asked)

    assert [by_rules(lead) for lead in leads[:50]] == [by_queries(lead) for lead in leads[:50]]
    ours, plain = (median_of(way, leads) for way in (by_rules, by_queries))
    began = time.perf_counter()
    preview(KIND, agency, rules_of(KIND, agency), days=90, now=timezone.now())
    seconds = time.perf_counter() - began
    print(f"One lead through {RULES} scoring rules: {ours * 1e3:.2f} ms; by {RULES} ORM filters {plain * 1e3:.2f} ms")
    print(f"  {plain / ours:.1f} times as fast (bar: {BARS['lead_ms']} ms a lead)")
    print(f"Preview of {RULES} rules over {PREVIEWED:,} leads: {seconds:.1f} s (bar: {BARS['preview_seconds']} s)")
    write_figures(
        "desk", {"lead_ms": ours * 1e3, "plain_ms": plain * 1e3, "ratio": plain / ours, "preview_seconds": seconds}
    )
    return int(ours * 1e3 > BARS["lead_ms"] or seconds > BARS["preview_seconds"])


def median_of(way: Callable[[Any], int], leads: list[Any]) -> float:
    """Return the median seconds that one lead takes, after a first round that does not count."""
    way(leads[0])
    taken = []
    for lead in leads:
        began = time.perf_counter()
        way(lead)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def question(random: Random) -> tuple[dict[str, Any], Any]:
    """Return a tree of conditions, and the filter of the ORM that asks the same."""
    from django.db.models import Q

    levels = random.sample(["c_level", "vp", "head", "manager", "director"], 2)
    state, word = random.choice(["CA", "OR", "TX", "NY"]), random.choice(["sales", "growth", "data", "chief"])
    low = random.choice([1, 11, 51, 201])
    leaves: list[tuple[dict[str, Any], Q]] = [
        ({"field": "seniority", "op": "in", "value": levels}, Q(seniority__in=levels)),
        ({"field": "place", "op": "in_states", "value": [state]}, Q(state_code=state)),
        ({"field": "title", "op": "contains", "value": word}, Q(title__icontains=word)),
        ({"field": "company_size", "op": "overlaps", "value": [low, 500]}, Q(size_min__lte=500, size_max__gte=low)),
        ({"field": "is_free_mail", "op": "is", "value": False}, Q(is_free_mail=False)),
    ]
    chosen = random.sample(leaves, random.choice([1, 2, 3]))
    q = Q()
    for _, part in chosen:
        q &= part
    return {"all": [tree for tree, _ in chosen]}, q


def fill(agency: Any, random: Random) -> None:
    """Make the leads of the last 90 days."""
    from django.utils import timezone

    from leads.models import Lead

    now = timezone.now()
    made = []
    for number in range(PREVIEWED):
        at = now - timedelta(minutes=random.randrange(85 * 24 * 60))
        made.append(
            Lead(
                agency=agency,
                name=f"Lead {number}",
                email=f"lead{number}@company{number % 900}.example.com",
                title=random.choice(TITLES),
                state=random.choice(STATES),
                country="US",
                company_size=f"{random.choice(SIZES)} employees",
                received_at=at,
                status_since=at,
            )
        )
    Lead.objects.bulk_create(made, batch_size=2000)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
