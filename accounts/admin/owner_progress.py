"""Say what the owner of an account was asked, where, and how far they are."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.core.email_addresses import display_email
from accounts.core.markup import ago, badge, list_some
from accounts.linkedin.advice import needs_owner
from accounts.models import Account, ReauthPrompt, ReauthStep
from accounts.models.reauth import StepKind

#: Step of an owner --> how it is said, the furthest first.
OWNER_STEPS = {
    StepKind.FINISHED: "finished at the provider",
    StepKind.SUBMITTED: "signed in",
    StepKind.FAILED: "sign-in failed",
    StepKind.STARTED: "opened the provider's page",
}


def with_open_prompts(accounts: "QuerySet[Account]") -> "QuerySet[Account]":
    """Load with accounts what `owner_progress` reads, in two queries for all of them."""
    steps = ReauthStep.objects.filter(kind__in=[*OWNER_STEPS, StepKind.BOUNCED]).order_by("pk")
    prompts = ReauthPrompt.objects.filter(closed_at__isnull=True).defer("token")
    loaded = prompts.prefetch_related(Prefetch("steps", queryset=steps, to_attr="owner_steps"))
    return accounts.prefetch_related(Prefetch("prompts", queryset=loaded, to_attr="open_prompts"))


def owner_progress(account: Any) -> SafeString | str:
    """Return what the owner was asked and what they did since, "" if nobody has to ask them."""
    prompts: Sequence[Any] = [prompt for prompt in account.open_prompts if prompt.end is None]
    if not prompts:
        return badge("Not asked yet", "warn") if needs_owner(account) else ""
    return format_html_join(" · ", "{}", ([part] for part in _parts(prompts[0])))


def _parts(prompt: Any) -> list[str]:
    addresses = [display_email(address) for address in prompt.recipients]
    where = f"at {list_some(addresses, 2)}" if addresses else "by a link that was handed over"
    parts: list[str] = [format_html("Asked {} {}", ago(prompt.opened_at), where)]
    if prompt.viewed_at:
        parts.append(format_html("opened {}", ago(prompt.viewed_at)))
    last = prompt.owner_steps[-1] if prompt.owner_steps else None
    if last is not None:
        said = "e-mail bounced" if last.kind == StepKind.BOUNCED else OWNER_STEPS[StepKind(last.kind)]
        parts.append(format_html("{} {}", said, ago(last.at)))
    elif not prompt.viewed_at and addresses:
        parts.append("not opened yet")
    if prompt.next_reminder_at:
        parts.append(format_html("reminder {}", ago(prompt.next_reminder_at)))
    return parts
