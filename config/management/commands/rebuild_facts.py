import time
from typing import Any

from config.management.jsoncommand import JsonCommand
from leads.analytics.rebuilding import rebuild_facts


class Command(JsonCommand):
    help = "Computes what reports count of leads anew from their history, while everything works."

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        began = time.monotonic()
        leads = rebuild_facts()
        return {"leads": leads, "seconds": round(time.monotonic() - began, 3)}

    def print_result(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['leads']} leads in {answer['seconds']} s.")
