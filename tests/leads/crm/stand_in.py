"""Start a stand-in of a CRM as a program of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class CrmStandIn:
    base: str

    def records(self, kind: str) -> list[dict[str, Any]]:
        return list(self._state()["records"].get(kind, {}).values())

    def calls(self, *, method: str = "", path: str = "") -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = self._state()["calls"]
        return [call for call in calls if method in {"", call["method"]} and call["path"].startswith(path)]

    def fail(self, path: str, **fault: Any) -> None:
        """Have the next call under `path` fail. With `done` it is carried out all the same."""
        answer = urllib3.request("POST", f"{self.base}/faults", json=[{"path": path, **fault}])
        assert answer.status == 200

    def reset(self) -> None:
        assert urllib3.request("POST", f"{self.base}/reset", json={}).status == 200

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(urllib3.request("GET", f"{self.base}/state").data)
        return state


@contextmanager
def running(name: str) -> Iterator[CrmStandIn]:
    command = [sys.executable, "-m", "config.demo.crm_api", name]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield CrmStandIn(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.stdin.close()
            process.wait(10)
