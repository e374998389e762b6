from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from config.management.jsoncommand import JsonCommand
from leads.enrichment.service import request_all


class Command(JsonCommand):
    help = "Let LEAD_ENRICHERS look at the leads that are there already. The worker does it, after all that is new."

    def answer(self, *args: Any, **options: Any) -> dict[str, Any]:
        if not settings.LEAD_ENRICHERS:
            raise CommandError("LEAD_ENRICHERS names nobody who could look at them.")
        return {"asked": request_all()}

    def show(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['asked']} leads will be looked at.")
