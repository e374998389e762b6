from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.events.ordering import Origin
from config.management.jsoncommand import JsonCommand
from leads.models import Lead
from leads.privacy.erasure import erase_lead


class Command(JsonCommand):
    help = (
        "Erase a lead and every copy of what is known of the person; says what was erased where. It cannot be undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("lead", metavar="ID")

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        lead = Lead.all_records.select_related("agency").filter(pk=options["lead"]).first()
        if lead is None:
            raise CommandError(f"There is no lead with the id {options['lead']!r}.")
        return {"lead_id": lead.pk, "erased": erase_lead(lead, origin=Origin(by="staff", at=timezone.now()))}

    def print_result(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['lead_id']} is gone.")
        for place, count in answer["erased"].items():
            self.stdout.write(f"{count:>8}  {place}")
