"""How long a search takes among very many leads, beside a plain `icontains` over the same columns in the same run.

It fills PostgreSQL with a million leads, 300,000 of them of the agency that searches, and SQLite with a tenth of that,
and asks `/api/v1/search` and the list `/api/v1/leads?q=` for names, companies, titles, addresses and ids: what many
leads have, what few have and what none has. Bar: a 95th percentile of 100 ms. BENCH_SCALE multiplies the leads.
"""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.figures import percentile, write_figures
from tests import servers

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
LEADS = {"postgresql": int(1_000_000 * SCALE), "sqlite": int(100_000 * SCALE)}
SHARE = 0.3  # of the leads that the agency has which searches
ACCOUNTS, CAMPAIGNS = 1000, 200
ROUNDS, PLAIN_ROUNDS = 20, 3  # words of each kind
BAR = 0.1


def main(backend: str = "") -> int:
    if backend:
        return run(backend)
    absent = servers.missing()
    if absent:
        print(f"PostgreSQL is left out: {absent}.")
    return max([0 if absent else on_postgresql(), on_sqlite()])


def on_postgresql() -> int:
    name = f"leadline_bench_{secrets.token_hex(4)}"
    with psycopg.connect(servers.DATABASE_URL, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    try:
        return in_process("postgresql", urlunsplit(urlsplit(servers.DATABASE_URL)._replace(path=f"/{name}")))
    finally:
        with psycopg.connect(servers.DATABASE_URL, autocommit=True) as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def on_sqlite() -> int:
    with tempfile.TemporaryDirectory() as folder:
        return in_process("sqlite", f"sqlite:///{Path(folder, 'bench.sqlite3')}")


def in_process(backend: str, url: str) -> int:
    """Run on one back end, in a process of its own: settings are read once."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings", "LOG_FORMAT": "json",
            "LEADLINE_TEST_SCRATCH": folder, "API_RATE": "10000000", "REDIS_URL": "",
        }  # fmt: skip
        return subprocess.run([sys.executable, "-m", "benchmarks.search", backend], env=environment).returncode


def run(backend: str) -> int:
    import django

    django.setup()
    import logging

    from django.core.management import call_command
    from django.test import Client

    from accounts.tenancy.agencies import create_agency

    logging.getLogger().setLevel("ERROR")
    call_command("migrate", verbosity=0)
    agency, key = create_agency(name="Searching")
    other, _ = create_agency(name="Another")
    began = time.monotonic()
    fill(backend, agency, other)
    print(f"{backend}: {LEADS[backend]:,} leads in {time.monotonic() - began:.0f} s", flush=True)
    client, authorization = Client(), {"Authorization": f"Bearer {key}"}

    def ask(path: str, word: str) -> None:
        answer = client.get(f"/api/v1/{path}", {"q": word}, headers=authorization)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} {word}: {answer.status_code}")

    asked = {"search": lambda word: ask("search", word), "leads?q=": lambda word: ask("leads", word)}
    figures = {name: measure(agency, each, ROUNDS) for name, each in asked.items()}
    figures["icontains"] = measure(agency, lambda word: plain(agency, word), PLAIN_ROUNDS)
    report(backend, figures)
    return int(any(figures[name]["all"]["p95"] > BAR for name in asked))


def fill(backend: str, agency: Any, other: Any) -> None:
    from django.db import connection

    from accounts.models import Account, Campaign
    from leads.models import Lead

    now = agency.created_at
    Account.objects.bulk_create(
        Account(
            agency=agency, provider="salesflow", external_id=str(n), name=name_of(n), status="active", status_since=now
        )
        for n in range(ACCOUNTS)
    )
    Campaign.objects.bulk_create(
        Campaign(agency=agency, provider="sendpilot", external_id=f"c{n}", name=f"Campaign {n}")
        for n in range(CAMPAIGNS)
    )
    count = LEADS[backend]
    rows = (lead_of(n, agency if n % 10 < 10 * SHARE else other) for n in range(count))
    if backend == "sqlite":
        Lead.objects.bulk_create(rows, batch_size=1000)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        return
    columns = [field.column for field in Lead._meta.concrete_fields]
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("DROP INDEX lead_by_text")
        names = ", ".join(f'"{column}"' for column in columns)
        with cursor.copy(f"COPY leads_lead ({names}) FROM STDIN") as copy:
            for lead in rows:
                copy.write_row(
                    [
                        field.get_db_prep_save(field.pre_save(lead, True), connection)
                        for field in Lead._meta.concrete_fields
                    ]
                )
        cursor.execute("CREATE INDEX lead_by_text ON leads_lead USING gin (search_text gin_trgm_ops)")
        cursor.execute("VACUUM ANALYZE")


def lead_of(number: int, agency: Any) -> Any:
    """The lead of this number: always the same person."""
    from accounts.core.linkedin_identity import linkedin_key
    from config.seeding import people
    from leads.models import Lead

    random = Random(number)
    who, firm = people.person(random, number), people.company(random)
    url = f"https://www.linkedin.com/in/{who.slug}"
    return Lead(
        agency=agency, name=who.name, first_name=who.first_name, last_name=who.last_name, company=firm,
        email=f"{who.slug}@{people.slug(firm)}.example.com", title=random.choice(people.TITLES), linkedin_url=url,
        linkedin_key=linkedin_key(url), status_since=agency.created_at, received_at=agency.created_at,
    )  # fmt: skip


def name_of(number: int) -> str:
    from config.seeding import people

    return people.person(Random(number), number).name


def words(agency: Any, rounds: int) -> Iterator[tuple[str, str]]:
    """Yield words to search, each with its kind; half of the people are the agency's."""
    from config.seeding import people
    from leads.models import Lead

    random = Random("words")
    total = Lead.objects.count()
    keys = list(Lead.objects.filter(agency=agency).order_by("pk").values_list("pk", flat=True)[:rounds])
    for number in range(rounds):
        lead = lead_of(random.randrange(total), agency)
        yield "a whole name", lead.name
        yield "a part of a name", lead.last_name[:4]
        yield "a first name", lead.first_name.upper()
        yield "an e-mail address", lead.email
        yield "a company", lead.company
        yield "a word of a company", lead.company.partition(" ")[0]
        yield "a title", lead.title
        yield "a part of a URL", lead.linkedin_url[-12:]
        yield "a part of an id", keys[number % len(keys)][-9:]
        yield "two letters", random.choice(people.LAST_NAMES)[:2]
        yield "three letters", random.choice(people.COMPANY_WORDS)[1:4]
        yield "nothing", f"{lead.first_name} {random.getrandbits(20)}"
        yield "nothing, short", f"{random.choice('qxzj')}{random.choice('qxzj')}{random.choice('kvwb')}"


def plain(agency: Any, word: str) -> None:
    """Search as one would without an index."""
    from functools import reduce
    from operator import or_

    from django.db.models import Q

    names = ("name", "first_name", "last_name", "email", "company", "title", "linkedin_url", "id")
    condition = reduce(or_, (Q(**{f"{name}__icontains": word}) for name in names))
    list(agency.leads.filter(condition).order_by("-pk")[:20])


def measure(agency: Any, ask: Callable[[str], None], rounds: int) -> dict[str, dict[str, float]]:
    """Return percentiles of seconds by kind of word, and of all."""
    asked = list(words(agency, rounds))
    for _, word in asked[:13]:
        ask(word)
    times: dict[str, list[float]] = {}
    for kind, word in asked:
        began = time.perf_counter()
        ask(word)
        times.setdefault(kind, []).append(time.perf_counter() - began)
    times["all"] = [each for found in times.values() for each in found]
    return {kind: {f"p{share}": percentile(found, share / 100) for share in (50, 95)} for kind, found in times.items()}


def report(backend: str, figures: dict[str, dict[str, dict[str, float]]]) -> None:
    print(f"{'ms, p50 / p95':24}" + "".join(f"{name:>20}" for name in figures))
    for kind in figures["search"]:
        cells = (f"{1000 * found[kind]['p50']:.1f} / {1000 * found[kind]['p95']:.1f}" for found in figures.values())
        print(f"{kind:24}" + "".join(f"{cell:>20}" for cell in cells))
    ratio = figures["icontains"]["all"]["p95"] / figures["search"]["all"]["p95"]
    print(
        f"{backend}: p95 of icontains is {ratio:.1f} x that of search (bar: p95 of search at most {1000 * BAR:.0f} ms)"
    )
    write_figures(
        f"search_{backend}", {"leads": LEADS[backend], "seconds": figures, "ratio": ratio, "bar_seconds": BAR}
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
