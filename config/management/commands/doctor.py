from dataclasses import asdict
from typing import Any

from config.management.jsoncommand import JsonCommand
from config.ops.diagnosis import Finding, diagnose


class Command(JsonCommand):
    help = "Check this deployment, and say how to mend each finding. Exit code 1 if there is any."

    def answer(self, *args: Any, **options: Any) -> dict[str, Any]:
        findings = diagnose()
        return {"ok": all(finding.ok for finding in findings), "checks": [asdict(finding) for finding in findings]}

    def show(self, answer: dict[str, Any]) -> None:
        for finding in (Finding(**check) for check in answer["checks"]):
            self.stdout.write(f"{'ok  ' if finding.ok else 'MEND'}  {finding.name:<20}{finding.detail}")
            if not finding.ok:
                self.stdout.write(f"      {'':<20}→ {finding.remedy}")

    def exit_code(self, answer: dict[str, Any]) -> int:
        return 0 if answer["ok"] else 1
