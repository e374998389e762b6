from argparse import ArgumentParser
from typing import Any
from zoneinfo import available_timezones

from django.core.management.base import CommandError
from django.db import IntegrityError

from accounts.tenancy.agencies import create_agency
from config.management.jsoncommand import JsonCommand


class Command(JsonCommand):
    help = "Make an agency and its first API key, which is shown only here."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--company-id", help="the agency's HighLevel company id; generated if absent")
        parser.add_argument("--timezone", default="UTC")
        parser.add_argument("--locale", default="en-US")

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        name, company_id = options["name"].strip(), options["company_id"]
        if not 0 < len(name) <= 200:
            raise CommandError("An agency's name has 1 to 200 characters.")
        if company_id is not None and not 0 < len(company_id) <= 100:
            raise CommandError("A company id has 1 to 100 characters.")
        if options["timezone"] not in available_timezones():
            raise CommandError(f"There is no time zone {options['timezone']!r}. Example: Europe/Berlin.")
        if not 0 < len(options["locale"]) <= 16:
            raise CommandError("A locale has 1 to 16 characters. Example: en-US.")
        try:
            agency, key = create_agency(
                name=name, company_id=company_id, timezone=options["timezone"], locale=options["locale"]
            )
        except IntegrityError:
            raise CommandError(f"Another agency has the company id {company_id!r}.") from None
        return {"agency_id": agency.id, "company_id": agency.ghl_company_id, "name": agency.name, "api_key": key}
