from dataclasses import asdict
from typing import Any

from config.management.jsoncommand import JsonCommand
from config.ops.diagnosis import CheckResult, diagnose


class Command(JsonCommand):
    help = "Check this deployment, and say how to mend each finding. Exit code 1 if there is any."

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        results = diagnose()
        return {"ok": all(result.ok for result in results), "checks": [asdict(result) for result in results]}

    def print_result(self, answer: dict[str, Any]) -> None:
        for result in (CheckResult(**check) for check in answer["checks"]):
            self.stdout.write(f"{'ok  ' if result.ok else 'MEND'}  {result.name:<20}{result.detail}")
            if not result.ok:
                self.stdout.write(f"      {'':<20}→ {result.remedy}")

    def exit_code(self, answer: dict[str, Any]) -> int:
        return 0 if answer["ok"] else 1
