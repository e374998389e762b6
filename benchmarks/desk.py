"""What the lead desk costs: rules beside a plain loop of Django's ORM filters, previews, reports, lists.

It makes fifty routing and fifty scoring rules and compares one lead's way through them with a hundred queries that ask
the same. It previews the rules over 20,000 leads. It processes reports about leads with and without what the desk does
(`lead_reports`), and asks for lists among a million leads (`lead_lists`). Bars: 1.5 ms a lead, 5 s a preview, 10 % a
report, 50 ms a list. BENCH_SCALE multiplies the leads of previews and lists.
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
BARS = {"lead_ms": 1.5, "scoring_preview_seconds": 5.0, "routing_preview_seconds": 5.0, "report_growth": 0.1}
TITLES = ("VP Sales", "Head of Growth", "Chief Executive Officer", "Sales Manager", "Account Executive", "Data Analyst")
STATES = ("California", "Oregon", "Texas", "New York", "Ohio", "Florida")
SIZES = ("1-10", "11-50", "51-200", "201-500", "501-1,000", "1,001-5,000")


def main(url: str = "") -> int:
    if url:
        return run(url)
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


def run(url: str) -> int:
    import django

    django.setup()
    import logging

    from django.core.management import call_command

    from benchmarks import lead_lists, lead_reports

    logging.getLogger().setLevel("ERROR")
    call_command("migrate", verbosity=0)
    figures = measure_rules()
    print(f"One lead through {RULES} routing and {RULES} scoring rules: {figures['lead_ms']:.2f} ms")
    print(f"  by {2 * RULES} ORM filters {figures['plain_ms']:.2f} ms: {figures['ratio']:.1f} times as long")
    for kind in ("scoring", "routing"):
        print(f"Preview of {RULES} {kind} rules over {PREVIEWED:,} leads: {figures[f'{kind}_preview_seconds']:.1f} s")
    reports = lead_reports.measure_reports()
    print(
        f"A report about a lead: {reports['off_ms']:.3f} ms of CPU without the desk, {reports['on_ms']:.3f} ms with it"
    )
    print(f"  {100 * reports['growth']:+.1f} %, {reports['statements']:+.2f} statements")
    figures |= {f"report_{name}": value for name, value in reports.items()}
    print(f"bars: {BARS}", flush=True)
    lists = lead_lists.measure_lists(url)
    is_above = lead_lists.report(lists)
    write_figures("desk", {**figures, "bars": BARS, "lists": lists})
    return int(is_above or any(figures[name] > bar for name, bar in BARS.items()))


def measure_rules() -> dict[str, float]:
    """Return what a lead's way through the rules takes, beside plain filters, and previews over many leads."""
    from django.utils import timezone

    from accounts.tenancy.agencies import create_agency
    from leads.models import Lead, RoutingSettings
    from leads.routing.router import Router
    from leads.routing.rules import KIND as ROUTING
    from leads.rules.active import active_rules
    from leads.rules.preview import preview
    from leads.rules.service import create_rule, rules_of
    from leads.scoring.kind import KIND as SCORING
    from leads.scoring.scores import judge_leads, score_lead

    agency, random = create_agency(name="Bench")[0], Random(7)
    RoutingSettings.objects.create(agency=agency, same_company=False)
    asked = [question(random) for _ in range(RULES)]
    for number, (conditions, _) in enumerate(asked):
        create_rule(SCORING, agency, name=f"{number}", group="fit", points=3, conditions=conditions)
        elsewhere = {"all": [conditions, {"field": "country", "op": "equals", "value": "de"}]}  # none matches
        create_rule(ROUTING, agency, name=f"{number}", keeps=True, conditions=elsewhere)
    fill(agency, random)
    leads = list(Lead.objects.filter(agency=agency)[:LEADS])
    router = Router(agency, timezone.now())

    def by_rules(lead: Any) -> int:
        rules = active_rules(SCORING, agency).rules
        verdicts = judge_leads([lead], rules)[0]
        score = score_lead(lead, rules, verdicts, half_life=timedelta(days=14), now=timezone.now())
        return sum(1 for one in score.contributions if one.rule) + (router.destination(lead) is not None)

    def by_queries(lead: Any) -> int:
        here = Lead.objects.filter(pk=lead.pk)
        return sum(here.filter(q).exists() for _, q in asked) + any(
            here.filter(q, country_code="DE").exists() for _, q in asked
        )

    assert [by_rules(lead) for lead in leads[:50]] == [by_queries(lead) for lead in leads[:50]]
    ours, plain = (median_of(way, leads) for way in (by_rules, by_queries))
    figures = {"lead_ms": ours * 1e3, "plain_ms": plain * 1e3, "ratio": plain / ours}
    for kind in (SCORING, ROUTING):
        began = time.perf_counter()
        preview(kind, agency, rules_of(kind, agency), days=90, now=timezone.now())
        figures[f"{kind.name}_preview_seconds"] = time.perf_counter() - began
    return figures


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
