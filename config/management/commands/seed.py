from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from config.management.jsoncommand import JsonCommand
from config.seeding import has_real_agencies, seed_agencies

SCALES = {"small": 1, "large": 50}
MAX_AGENCIES = 1000


class Command(JsonCommand):
    help = "Fill the database with believable agencies: sixty days of accounts, leads, replies, incidents and failures."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--scale", default="1", help="how many agencies; small: 1, large: 50")
        parser.add_argument("--seed", default="leadline", help="another word makes other people")
        parser.add_argument(
            "--beside-real-data", action="store_true", help="also where agencies are that were not made by this command"
        )

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        count = _count(options["scale"])
        if has_real_agencies() and not options["beside_real_data"]:
            raise CommandError(
                "There are agencies here that were not made by this command. Invented ones would stand among them, and "
                "workers would mail their people. If that is wanted, add --beside-real-data."
            )
        seeded = seed_agencies(count, seed=options["seed"])
        return {
            "agencies": [
                {"agency_id": agency.id, "name": agency.name, "owner": owner}
                for agency, owner in zip(seeded.agencies, seeded.owners, strict=True)
            ],
            "password": seeded.password,
        }

    def print_result(self, answer: dict[str, Any]) -> None:
        for agency in answer["agencies"]:
            self.stdout.write(f"{agency['name']:<32} sign in as {agency['owner']}")
        self.stdout.write(f"Password of all of them, shown only here: {answer['password']}")


def _count(scale: str) -> int:
    count = SCALES.get(scale) or (int(scale) if scale.isascii() and scale.isdigit() else 0)
    if not 0 < count <= MAX_AGENCIES:
        raise CommandError(f"A scale is a number of agencies from 1 to {MAX_AGENCIES}, small or large.")
    return count
