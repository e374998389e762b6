from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from config.management.jsoncommand import JsonCommand
from leads.enrichment.service import request_all


class Command(JsonCommand):
    help = "Enrich the existing leads with LEAD_ENRICHERS. The worker does it after all new leads."

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        if not settings.LEAD_ENRICHERS:
            raise CommandError("LEAD_ENRICHERS names no enricher.")
        return {"asked": request_all()}

    def print_result(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['asked']} leads will be enriched.")
