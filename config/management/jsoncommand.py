"""Define the behaviour of all commands: `--json` prints one JSON object on stdout and nothing else, errors are one
sentence."""

import json
import sys
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError


class JsonCommand(BaseCommand):
    """A command whose `build_result` returns an object. With `--json` it is printed as JSON, otherwise by
    `print_result`, for people.

    A CommandError ends the command with exit code 1 and, with `--json`, prints the object `{"error": …}`.
    """

    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **options)
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        options["no_color"] = options["no_color"] or (options["json"] and not options["force_color"])
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            answer = self.build_result(*args, **options)
        except (CommandError, DatabaseError) as error:
            if isinstance(error, DatabaseError):
                error = CommandError(
                    f"The database did not answer ({error}). Is it running, and migrated?".replace("\n", " ")
                )
            if options["json"]:
                print(json.dumps({"error": str(error)}), flush=True)  # noqa: T201 (stdout is for the JSON)
                sys.exit(error.returncode)
            raise error from None
        if options["json"]:
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
        else:
            self.print_result(answer)
        code = self.exit_code(answer)
        if code:
            sys.exit(code)

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        raise NotImplementedError

    def print_result(self, answer: dict[str, Any]) -> None:
        for name, value in answer.items():
            self.stdout.write(f"{name:<12} {'–' if value is None else value}")

    def exit_code(self, answer: dict[str, Any]) -> int:
        return 0


class ProcessCommand(JsonCommand):
    """A command that keeps running. Its `build_result` describes the process, and is printed first; people read the log
    instead."""

    requires_system_checks = [Tags.security]

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        self.run_process(**options)

    def run_process(self, **options: Any) -> None:
        raise NotImplementedError

    def print_result(self, answer: dict[str, Any]) -> None:
        pass
