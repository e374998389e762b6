"""Commands, run with --json."""

import json
from typing import Any

import pytest
from django.core.management import call_command


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The command's JSON. Its exit code is under `exit`, if it is not 0."""
    code = 0
    try:
        call_command(*arguments, "--json")
    except SystemExit as error:
        code = int(str(error.code))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    answer = json.loads(lines[0])
    return {**answer, "exit": code} if code else answer
