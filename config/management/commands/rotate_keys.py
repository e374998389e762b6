from argparse import ArgumentParser
from typing import Any

from config.management.jsoncommand import JsonCommand
from config.ops import rotation


class Command(JsonCommand):
    help = (
        "Encrypt all stored secrets anew under the newest of FIELD_ENCRYPTION_KEYS, while the product runs. "
        "If it is interrupted, run it again. Exit code 1 if no key decrypts a value."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=rotation.BATCH, help="rows a transaction (200)")
        parser.add_argument("--check", action="store_true", help="change nothing, say what would change")

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        tallies = {
            str(column): rotation.rotate(column, batch=max(1, options["batch"]), change=not options["check"])
            for column in rotation.columns()
        }
        unreadable = {name: tally.unreadable for name, tally in tallies.items() if tally.unreadable}
        left = sum(tally.rotated for tally in tallies.values()) if options["check"] else 0
        return {
            "checked": sum(tally.checked for tally in tallies.values()),
            "rotated": 0 if options["check"] else sum(tally.rotated for tally in tallies.values()),
            "left": left,
            "unreadable": sum(map(len, unreadable.values())),
            "old_keys_needed": bool(left or unreadable),
            "columns": {
                name: {"checked": tally.checked, "rotated": tally.rotated, "unreadable": len(tally.unreadable)}
                for name, tally in tallies.items()
            },
            "unreadable_rows": {name: keys[: rotation.MAX_NAMED] for name, keys in unreadable.items()},
        }

    def print_result(self, answer: dict[str, Any]) -> None:
        for name, tally in answer["columns"].items():
            self.stdout.write(
                f"{name:<45}{tally['checked']:>8} values, {tally['rotated']} not under the newest key"
                + (f", {tally['unreadable']} that no key decrypts" if tally["unreadable"] else "")
            )
        for name, keys in answer["unreadable_rows"].items():
            self.stdout.write(f"No key decrypts {name} of {', '.join(keys)}. Put its key back, or enter it again.")
        if answer["left"]:
            self.stdout.write("Nothing was changed. Without --check they are encrypted anew.")
        elif not answer["old_keys_needed"]:
            self.stdout.write("Everything is under the newest key: the others can be removed, ten minutes from now.")

    def exit_code(self, answer: dict[str, Any]) -> int:
        return 1 if answer["unreadable"] else 0
