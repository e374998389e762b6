import secrets
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

import urllib3
from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from accounts.models import Agency
from config.demo.leadsync import play_lead_sync
from config.demo.provider import CannotSign, NoAnswer
from config.demo.receiver import Receiver
from config.demo.runner import Runner, StepResult
from config.demo.scenario import day
from config.demo.setup import COMPANY_ID, MAILBOX
from config.demo.table import table
from config.management.jsoncommand import JsonCommand
from notifications.channels.service import create_channel, disable_channel, enable_channel, update_channel
from notifications.models import Channel, ChannelKind

ENDPOINT = "make demo's receiver"


class Command(JsonCommand):
    help = "Play a day of every provider's webhooks into a running `make run`, and show what became of each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--base-url", default=settings.PUBLIC_URL, help="where Leadline runs; PUBLIC_URL if absent")

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        base_url = options["base_url"].rstrip("/")
        agency = Agency.objects.filter(ghl_company_id=COMPANY_ID).first()
        if agency is None or not healthy(base_url):
            raise CommandError(f"Leadline does not run at {base_url}. Start it in another terminal: make run")
        began = time.monotonic()
        with Receiver() as receiver:
            runner = Runner(agency, base_url, mailbox(agency), endpoint(agency, receiver), receiver)
            try:
                results = self.run_steps(runner, quiet=options["json"])
            except (CannotSign, NoAnswer) as error:
                raise CommandError(str(error)) from None
            finally:
                disable_channel(runner.endpoint, "make demo has ended")
        faults = [f"{each.provider} {each.title}: {fault}" for each in results for fault in each.faults]
        if receiver.refused:
            faults.append(f"{receiver.refused} webhooks were not signed as they should be")
        return {
            "ok": not faults,
            "seconds": round(time.monotonic() - began, 1),
            "base_url": base_url,
            "steps": [asdict(each) for each in results],
            "faults": faults,
        }

    def run_steps(self, runner: Runner, *, quiet: bool) -> list[StepResult]:
        run = secrets.token_hex(4)
        results = []
        for step in day(run, timezone.now()):
            results.append(runner.run_step(step))
            if not quiet:
                self.stderr.write(f"{step.provider:<16}{step.title}", self.style.NOTICE if results[-1].faults else str)
        return [*results, *play_lead_sync(runner)]

    def print_result(self, answer: dict[str, Any]) -> None:
        self.stdout.write(table([StepResult(**step) for step in answer["steps"]], answer["base_url"]))
        mails, webhooks = (sum(step[kind] for step in answer["steps"]) for kind in ("mails", "webhooks"))
        self.stdout.write(
            f"\n{len(answer['steps'])} requests, {mails} e-mails (to {MAILBOX} and accounts' owners), "
            f"{webhooks} webhooks to a local receiver, in {answer['seconds']} s."
        )
        if any(step["later_mails"] for step in answer["steps"]):
            self.stdout.write(
                "+1 is a mail that waits a minute: accounts that drop together are told of together, "
                "and one that is soon back is not told of."
            )
        if folder := getattr(settings, "EMAIL_FILE_PATH", None):
            self.stdout.write(f"The mails lie in {folder}.")
        for fault in answer["faults"]:
            self.stdout.write(self.style.ERROR(f"NOT AS IT MUST BE  {fault}"))
        if answer["ok"]:
            self.stdout.write(self.style.SUCCESS("Everything became what the contract says."))

    def exit_code(self, answer: dict[str, Any]) -> int:
        return 0 if answer["ok"] else 1


def healthy(base_url: str) -> bool:
    try:
        return urllib3.request("GET", f"{base_url}/healthz", retries=False, timeout=5).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def mailbox(agency: Agency) -> Channel:
    """Return the demo agency's mailbox channel, created again or enabled if necessary."""
    channel = Channel.objects.filter(agency=agency, kind=ChannelKind.EMAIL, email=MAILBOX).first()
    if channel is None:
        channel, _ = create_channel(agency, kind="email", name="The team's mailbox", email=MAILBOX, verified=True)
    elif channel.status != "enabled":
        enable_channel(channel)
    return channel


def endpoint(agency: Agency, receiver: Receiver) -> Channel:
    """Return the channel to the local receiver, whose URL changes with each run."""
    channel = Channel.objects.filter(agency=agency, kind=ChannelKind.WEBHOOK, name=ENDPOINT).first()
    if channel is None:
        channel, secret = create_channel(agency, kind="webhook", name=ENDPOINT, url=receiver.url)
        receiver.secret = secret or ""
        return channel
    newest = channel.secrets.order_by("-pk").first()
    receiver.secret = newest.secret if newest else ""
    channel = update_channel(channel, url=receiver.url)
    enable_channel(channel)
    return channel
