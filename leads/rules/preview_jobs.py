"""Work previews off that a page asked for, with their progress."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.core.errors import FieldError
from accounts.core.job_handlers import wake_up_jobs
from accounts.core.jobs import CRASHED, Backoff, claim_due, complete, fail
from accounts.models import Agency
from leads.models import RulePreview
from leads.rules.kinds import RuleKind, rule_kind
from leads.rules.preview import DAYS, preview
from leads.rules.service import draft_rules, rules_of

LEASE = timedelta(minutes=2)
BACKOFF = Backoff([timedelta(seconds=5)])
LIFETIME = timedelta(days=1)


@transaction.atomic
def request_preview(
    kind: RuleKind, agency: Agency, *, days: int, drafts: Sequence[Mapping[str, Any]] | None = None
) -> RulePreview:
    """Ask for a preview of the saved rules, or of `drafts`. Delete those that are a day old. Raises FieldError."""
    if days not in DAYS:
        raise FieldError("days", f"Choose {' or '.join(str(number) for number in DAYS)} days.")
    if drafts is not None:
        draft_rules(kind, agency, drafts)
    RulePreview.objects.filter(agency=agency, created_at__lt=timezone.now() - LIFETIME).delete()
    row = RulePreview.objects.create(agency=agency, kind=kind.name, days=days, drafts=drafts)
    transaction.on_commit(lambda: wake_up_jobs("receipts"), robust=True)
    return row


def preview_due(limit: int = 1) -> int:
    """Work off due previews. Return how many."""
    with claim_due(RulePreview.objects.select_related("agency"), limit=limit, lease=LEASE) as rows:
        for row in rows:
            if not BACKOFF.allows(row.attempts):
                fail(row, CRASHED)
                continue
            try:
                result = _work_off(row)
            except FieldError as error:
                fail(row, str(error))
            else:
                complete(row, result=result)
    return len(rows)


def _work_off(row: RulePreview) -> dict[str, Any]:
    def progress(done: int, total: int) -> None:
        RulePreview.objects.filter(pk=row.pk).update(done=done, total=total)

    kind = rule_kind(row.kind)
    rules = rules_of(kind, row.agency) if row.drafts is None else draft_rules(kind, row.agency, row.drafts)
    return preview(kind, row.agency, rules, days=row.days, now=timezone.now(), progress=progress)
