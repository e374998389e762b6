import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from accounts.core.connections import run_through_outages
from config.management.jsoncommand import JsonCommand
from leads.lead_sync import backfill
from leads.models import LeadSync, Pull, RefusedForm

BAR = 30
OUTAGE_SECONDS = 60.0


class Command(JsonCommand):
    help = (
        "Pull LinkedIn's leads now: 365 days on the first run, since the last pull on later ones. It can be "
        "interrupted and continues where it was; no lead is made twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", metavar="ID", help="only this source; all connected ones if absent")
        parser.add_argument("--since", metavar="DATE", help="go back to this day (YYYY-MM-DD), at most 365 days")

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        since = _parse_time(options["since"]) if options["since"] else None
        syncs = _chosen(options["source"])
        planned = [pull.pk for sync in syncs for pull in backfill.plan(sync, since=since)]
        before = {pull.pk: (pull.position, pull.found, pull.skipped) for pull in Pull.objects.filter(pk__in=planned)}
        run_through_outages(partial(self._walk, planned, quiet=options["json"]), seconds=OUTAGE_SECONDS)
        rows = Pull.objects.filter(pk__in=planned).select_related("sync").order_by("pk")
        pulls = [
            {
                "source_id": row.sync.source_id,
                "owner": row.owner,
                "lead_type": row.lead_type,
                "since": row.since.isoformat(),
                "pulled": row.position - before[row.pk][0],
                "new": row.found - before[row.pk][1],
                "skipped": row.skipped - before[row.pk][2],
                "finished": row.finished_at is not None,
                "error": row.error or None,
            }
            for row in rows
        ]
        return {
            "pulled": sum(row["pulled"] for row in pulls),
            "new": sum(row["new"] for row in pulls),
            "finished": all(row["finished"] for row in pulls),
            "skipped": sum(row["skipped"] for row in pulls),
            "refused_forms": sorted({row.form_id for row in RefusedForm.objects.filter(sync__in=syncs)}),
            "pulls": pulls,
        }

    def exit_code(self, answer: dict[str, Any]) -> int:
        return 0 if answer["finished"] and not answer["skipped"] else 1

    def print_result(self, answer: dict[str, Any]) -> None:
        for row in answer["pulls"]:
            end = "" if row["finished"] else f" — not finished: {row['error'] or 'a worker pulls it'}"
            self.stdout.write(f"{row['owner']} {row['lead_type']}: {row['pulled']} pulled, {row['new']} new{end}")
            if row["skipped"]:
                self.stdout.write(f"  {row['skipped']} of them cannot be read; they are asked for again tomorrow.")
        if answer["refused_forms"]:
            forms = ", ".join(answer["refused_forms"])
            self.stdout.write(f"LinkedIn does not show these forms, their answers are without labels: {forms}")
        self.stdout.write(f"{answer['pulled']} pulled, {answer['new']} of them new.")

    def _walk(self, planned: list[int], *, quiet: bool) -> None:
        """Pull page by page, until every pull has ended or waits. While a worker pulls, only watch."""
        while open_ones := list(Pull.objects.filter(pk__in=planned, next_attempt_at__isnull=False)):
            done = backfill.pull_due(planned)
            if not quiet and self.stderr.isatty():
                self._draw(planned)
            if done is None and all(pull.error for pull in open_ones):
                break
            if done is None:
                time.sleep(0.2)
        if not quiet and self.stderr.isatty():
            self.stderr.write("", style_func=str)

    def _draw(self, planned: list[int]) -> None:
        rows = list(Pull.objects.filter(pk__in=planned))
        done, total = sum(row.position for row in rows), sum(max(row.total or 0, row.position) for row in rows)
        full = BAR * done // max(total, 1)
        bar = f"\r[{'█' * full}{'·' * (BAR - full)}] {done:,} of {total:,} leads"
        self.stderr.write(bar, style_func=str, ending="")  # to stderr, but not as an error


def _chosen(source: str | None) -> list[LeadSync]:
    syncs = LeadSync.objects.filter(account__isnull=False, source__removed_at=None).order_by("pk")
    found = list(syncs.filter(pk=source) if source else syncs)
    if source and not found:
        raise CommandError(f"There is no source with the id {source!r} that is connected to LinkedIn.")
    return found


def _parse_time(text: str) -> datetime:
    """Return the time or the beginning of the day that a text names. Raises CommandError."""
    try:
        day, time = parse_date(text), parse_datetime(text)
    except ValueError:
        day = time = None
    if day is not None and len(text) == len("2026-01-31"):
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    if time is None:
        raise CommandError(f"--since {text!r} is no date. Give one such as {timezone.now():%Y-%m-%d}.")
    return time if time.tzinfo else time.replace(tzinfo=UTC)
