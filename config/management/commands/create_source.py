from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Q

from accounts.core.enums import ProviderSlug
from accounts.core.errors import FieldError
from accounts.models import Agency
from accounts.sources.service import create_source
from config.management.jsoncommand import JsonCommand


class Command(JsonCommand):
    help = "Make a source: a URL that a provider delivers to, and its secret, which is shown only here."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("provider", help=", ".join(ProviderSlug))
        parser.add_argument("--agency", help="the agency's id or company id; required but for highlevel")
        parser.add_argument("--secret", help="generated if absent, if the provider lets us choose it")
        parser.add_argument("--name", default="")

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        provider = options["provider"]
        if provider not in list(ProviderSlug):
            raise CommandError(f"There is no provider {provider!r}. Providers: {', '.join(ProviderSlug)}.")
        try:
            source, secret = create_source(
                agency=find_agency(options["agency"]) if options["agency"] else None,
                provider=provider,
                name=options["name"],
                secret=options["secret"],
            )
        except FieldError as error:
            raise CommandError(f"--{error.field}: {error}") from None
        return {
            "source_id": source.id,
            "provider": source.provider,
            "webhook_url": source.webhook_url,
            "secret": secret,
        }


def find_agency(name: str) -> Agency:
    agency = Agency.objects.filter(Q(pk=name) | Q(ghl_company_id=name)).first()
    if agency is None:
        raise CommandError(f"There is no agency with the id or company id {name!r}.")
    return agency
