import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Q

from accounts.core.enums import ProviderSlug
from accounts.models import Source
from config.demo.provider import CannotSign, NoAnswer, compact, post, sign, webhook_url
from config.management.jsoncommand import JsonCommand
from webhooks import samples


class Command(JsonCommand):
    help = "Sign a sample as the provider would, and post it to a running Leadline."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("provider", help=", ".join(ProviderSlug))
        parser.add_argument("sample", help="the name of a file in webhooks/samples/<provider>/, without .json")
        parser.add_argument("--source", help="the source's id or URL token; the provider's newest source if absent")
        parser.add_argument("--base-url", default="", help="where Leadline runs; PUBLIC_URL if absent")
        parser.add_argument(
            "--set",
            nargs="+",
            action="extend",
            default=[],
            metavar="key=value",
            help="change a field: data.leadId=lead_7; the value is JSON, or else text",
        )

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        provider = options["provider"]
        if provider not in list(ProviderSlug):
            raise CommandError(f"There is no provider {provider!r}. Providers: {', '.join(ProviderSlug)}.")
        try:
            payload = samples.load_sample(provider, options["sample"])
        except KeyError:
            known = ", ".join(samples.sample_names(provider))
            raise CommandError(f"{provider} has no sample {options['sample']!r}. Samples: {known}.") from None
        for assignment in options["set"]:
            assign(payload, assignment)
        source = find_source(provider, options["source"])
        try:
            body, headers = sign(source, compact(payload))
            answer = post(webhook_url(source, options["base_url"]), body, headers)
        except (CannotSign, NoAnswer) as error:
            raise CommandError(str(error)) from None
        return {"status_code": answer.status_code, "body": answer.body}


def find_source(provider: str, name: str | None) -> Source:
    sources = Source.objects.filter(provider=provider)
    if name:
        source = sources.filter(Q(pk=name) | Q(token=name)).first()
        if source is None:
            raise CommandError(f"There is no {provider} source {name!r}.")
        return source
    source = sources.filter(enabled=True).order_by("-pk").first()
    if source is None:
        raise CommandError(f"There is no {provider} source yet: manage.py create_source {provider} --agency ID")
    return source


def assign(payload: Any, assignment: str) -> None:
    """Apply an assignment such as `a.b=1` to the payload. Missing names are created; numbers index lists."""
    path, equals, text = assignment.partition("=")
    if not equals or not path:
        raise CommandError(f"--set takes key=value, not {assignment!r}.")
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    *steps, last = path.split(".")
    try:
        for step in steps:
            payload = payload[int(step)] if isinstance(payload, list) else payload.setdefault(step, {})
        payload[int(last) if isinstance(payload, list) else last] = value
    except (AttributeError, IndexError, TypeError, ValueError):
        raise CommandError(f"--set {assignment!r}: there is no such place in the sample.") from None
