"""How long the portal's pages take, and how large they are, beside a plain Django admin list of the same rows.

It seeds an agency (`config.seeding`), multiplies its rows in PostgreSQL to 100,000 leads, 1,000 accounts and 50
channels (BENCH_SCALE multiplies them), and asks for every page of `tests/portal/routes.py` and for lists with filters,
in process, with all middlewares. Static files are collected as for production. Bars: a median of 100 ms and 60 KB of
HTML; gzipped, 40 KB of style and 60 KB of scripts, with what a script loads after the page is shown (Chart.js, for the
bars that the server has drawn already). That has a column of its own, too.
"""

import gc
import gzip
import math
import os
import re
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.figures import write_figures
from tests import servers

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
LEADS, ACCOUNTS, CHANNELS = int(100_000 * SCALE), int(1_000 * SCALE), int(50 * SCALE)
ROUNDS = 5
SLOW = 2.0  # seconds: what takes longer is asked for once more only
KB = 1000
BARS = {"ms": 100.0, "html": 60.0, "css": 40.0, "js": 60.0}
LINKED = re.compile(r'(?:href|src)="(/static/[^"]+\.(css|js))"')
LOADED_LATER = re.compile(r'data-module="(/static/[^"]+\.js)"')
PLAIN_LISTS = {"leads": "/admin/leads/lead/", "accounts": "/admin/accounts/account/"}
#: Lists as people ask for them. `{…}` stands for the id of a row.
LISTS = (
    "/leads?q=lindqvist",
    "/leads?q=an",
    "/leads?q=nobody%20at%20all",
    "/leads?status=REPLY_RECEIVED",
    "/leads?status=DONE&sort=received",
    "/leads?waiting=yes&sort=status_since",
    "/leads?assigned_to=me",
    "/leads?assigned_to=none&sort=-received",
    "/leads?campaign={campaign}",
    "/leads?account={account}",
    "/leads?source={source}&age=7",
    "/leads?tag=nobody",
    "/leads?before={lead}",
    "/linkedin?status=disconnected",
    "/linkedin?q=dahlgren",
    "/linkedin?provider=salesflow",
    "/campaigns?status=paused",
    "/campaigns?q=q4",
    "/incidents?state=open",
    "/sub-accounts?q=alder",
    "/search?q=lindqvist",
    "/search?q=nobody%20at%20all",
    "/reports?period=30d",
    "/reports?period=13w",
    "/received?status=quarantined",
    "/received?source={source}",
    "/notifications/deliveries?status=failed",
    "/notifications/deliveries?status=retrying",
    "/notifications/deliveries?channel={webhook}",
    "/notifications/deliveries?event_type=lead_replied",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """What one page takes: milliseconds at the median, queries, kilobytes of HTML, and gzipped of style and scripts.

    `js` are all scripts, `later` those of them that a script loads after the page is shown.
    """

    ms: float
    queries: int
    html: float
    css: float
    js: float
    later: float

    def over(self) -> list[str]:
        """Return what is above its bar."""
        return [name for name, bar in BARS.items() if getattr(self, name) > bar]


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.database(f"leadline_bench_{secrets.token_hex(4)}") as database,
    ):
        os.environ |= {
            "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "tests.settings", "LOG_FORMAT": "json",
            "LEADLINE_TEST_SCRATCH": folder, "REDIS_URL": "",
        }  # fmt: skip
        return run(database, Path(folder, "static"))


def run(database: str, static: Path) -> int:
    import django
    from django.conf import settings

    settings.STATIC_ROOT, settings.DEBUG = static, False
    settings.STORAGES["staticfiles"] = {"BACKEND": "config.static.Storage"}
    django.setup()
    import logging

    from django.core.management import call_command

    logging.getLogger().setLevel("ERROR")
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("migrate", verbosity=0)
    from config.seeding import seed_agencies

    began = time.monotonic()
    agency = seed_agencies().agencies[0]
    print(f"seeded in {time.monotonic() - began:.1f} s", flush=True)
    fill(database)
    pages = measure_portal(agency, static)
    plain = measure_plain()
    return report(pages, plain)


def fill(database: str) -> None:
    from accounts.models import Account
    from benchmarks.copies import Copies, multiply
    from leads.models import Lead
    from notifications.models import Channel

    copies = Copies(
        *(math.ceil(wanted / model.objects.count()) - 1 for model, wanted in
          ((Lead, LEADS), (Account, ACCOUNTS), (Channel, CHANNELS)))
    )  # fmt: skip
    began = time.monotonic()
    with psycopg.connect(database, autocommit=True) as connection:
        seconds = multiply(connection, copies)
    counts = {model.__name__: model.objects.count() for model in (Lead, Account, Channel)}
    print(f"filled in {time.monotonic() - began:.1f} s: {counts}", flush=True)
    slowest = sorted(seconds.items(), key=lambda item: -item[1])[:5]
    print("  " + ", ".join(f"{table} {took:.1f} s" for table, took in slowest), flush=True)


def measure_portal(agency: Any, static: Path) -> dict[str, Figure]:
    """Return the figures of each page, asked for by the agency's owner, by its address."""
    from django.test import Client

    from accounts.core.enums import Role
    from tests.portal.routes import ROUTES

    client, things = Client(), things_of(agency)
    client.force_login(agency.members.filter(role=Role.OWNER).order_by("pk")[0].user)
    client.get("/")
    gc.freeze()  # as a web process does once it serves
    ids = {name: getattr(things, name).pk for name in ("campaign", "account", "source", "lead", "webhook")}
    asked = {str(route).strip(): route.url(things) for route in ROUTES if route.is_page}
    asked |= {path: path.format(**ids) for path in LISTS}
    return {name: measure(client, url, static) for name, url in show(asked.items())}


def things_of(agency: Any) -> Any:
    """Return one of everything: of what the seeded agency has, what has most about it."""
    from django.db.models import Count

    from accounts.core.enums import ProviderSlug
    from tests.factories import furnish

    accounts = agency.accounts.annotate(count=Count("leads")).order_by("-count", "pk")
    leads = agency.leads.annotate(count=Count("changes")).order_by("-count", "-pk")
    return replace(
        furnish(agency),
        account=accounts[0],
        campaign=agency.campaigns.annotate(count=Count("leads")).order_by("-count", "pk")[0],
        incident=agency.incidents.order_by("pk")[0],
        lead=leads[0],
        source=agency.sources.filter(provider=ProviderSlug.SENDPILOT).order_by("pk")[0],
        webhook=agency.channels.filter(name="CRM").order_by("pk")[0],
        receipt=agency.receipts.filter(status="processed").order_by("-sequence")[0],
        delivery=agency.deliveries.filter(status="delivered").order_by("-pk")[0],
    )


def show(pages: Any) -> Iterator[tuple[str, str]]:
    """Yield the pages, and print the time of each ten."""
    for number, page in enumerate(pages):
        if number % 20 == 19:
            print(f"  {number + 1} pages asked for", flush=True)
        yield page


def measure_plain() -> dict[str, Figure]:
    """Return the figures of Django's own lists: its templates, its middlewares, no method of ours."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client, override_settings

    django_alone = [name for name in settings.MIDDLEWARE if name.startswith("django.") and "clickjacking" not in name]
    templates = [{**settings.TEMPLATES[0], "DIRS": [], "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]}}]  # fmt: skip
    user = User.objects.create_superuser("plain", "plain@example.com")
    with override_settings(ROOT_URLCONF="benchmarks.plain_admin", MIDDLEWARE=django_alone, TEMPLATES=templates):
        client = Client()
        client.force_login(user)
        return {name: measure(client, url, settings.STATIC_ROOT) for name, url in PLAIN_LISTS.items()}


def measure(client: Any, url: str, static: Path) -> Figure:
    from django.db import connection

    queries: list[str] = []

    def ask() -> Any:
        answer = client.get(url)
        if answer.status_code != 200:
            raise RuntimeError(f"{url}: {answer.status_code}")
        return answer

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        queries.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        first = time_call(ask)
    html = ask().content
    rounds = ROUNDS if first < SLOW else 1
    took = statistics.median(time_call(ask) for _ in range(rounds))
    text = html.decode()
    linked = [*dict(LINKED.findall(text)).items(), *((path, "later") for path in set(LOADED_LATER.findall(text)))]
    sizes = dict.fromkeys(("css", "js", "later"), 0.0)
    for path, kind in linked:
        size = gzipped(static / path.removeprefix("/static/")) / KB
        sizes[kind] += size
        sizes["js"] += size if kind == "later" else 0
    return Figure(1000 * took, len(queries), len(html) / KB, **sizes)


def time_call(function: Callable[[], Any]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def gzipped(path: Path) -> int:
    """Return the bytes of a static file as WhiteNoise sends them."""
    compressed = Path(f"{path}.gz")
    return compressed.stat().st_size if compressed.is_file() else len(gzip.compress(path.read_bytes()))


def report(pages: dict[str, Figure], plain: dict[str, Figure]) -> int:
    line = "{:52}{:>9}{:>9}{:>10}{:>9}{:>9}{:>9}  {}"
    print(line.format("", "ms", "queries", "KB HTML", "KB CSS", "KB JS", "later", ""))
    rows = [*pages.items(), *((f"plain Django admin, {name}", figure) for name, figure in plain.items())]
    for name, it in rows:
        sizes = (f"{size:.1f}" for size in (it.html, it.css, it.js, it.later))
        print(line.format(name, f"{it.ms:.1f}", it.queries, *sizes, " ".join(it.over()) if name in pages else ""))
    ratios = {name: pages[f"portal_{name}"].ms / figure.ms for name, figure in plain.items()}
    for name, ratio in ratios.items():
        print(f"the portal's list of {name} takes {ratio:.2f} × the time of the plain Django admin's")
    print("bars: " + ", ".join(f"{name} {bar:.0f}" for name, bar in BARS.items()))
    above = [f"{name} ({', '.join(it.over())})" for name, it in pages.items() if it.over()]
    print(f"above a bar: {'; '.join(above) or 'none'}")
    write_figures(
        "pages",
        {
            "leads": LEADS, "accounts": ACCOUNTS, "channels": CHANNELS, "bars": BARS, "ratios": ratios,
            "pages": {name: asdict(it) for name, it in pages.items()},
            "plain_django_admin": {name: asdict(it) for name, it in plain.items()},
        },
    )  # fmt: skip
    return int(bool(above))


if __name__ == "__main__":
    sys.exit(main())
