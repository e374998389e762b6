from typing import Any

from config.management.jsoncommand import JsonCommand
from config.ops.purge import purge


class Command(JsonCommand):
    help = "Erase what is older than RETENTION_DAYS, and again what a restored backup brought back; say what and where."

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        return purge()

    def print_result(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"Everything before {answer['older_than']} is gone.")
        for place, count in answer["erased"].items():
            self.stdout.write(f"{count:>8}  {place}")
        if answer["failures"]:
            self.stdout.write(f"{answer['failures']:>8}  could not be erased: see the log. The next run tries again.")
