"""Write what was merged, and what was parted again, into the histories of leads, and into the audit log."""

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.core.wording import Sentence
from accounts.tenancy.audit import Actor, log_change
from leads.enums import ChangedBy
from leads.models import Lead, LeadChange
from leads.sentences import MERGED, PARTED, PARTED_RECORD


def record_merge(kept: Lead, record: Lead, by: Actor | None) -> None:
    """Write that a record was merged. `by` is None where Leadline found that the two are one person."""
    _add_row(kept, MERGED(record=record.pk), by)
    log_change(by, kept, gettext_noop("Leads merged"), record.pk)


def record_undo(root: Lead, record: Lead, by: Actor | None) -> None:
    """Write that a merge was undone, into the histories of both leads."""
    _add_row(root, PARTED(record=record.pk), by)
    _add_row(record, PARTED_RECORD(lead=root.pk), by)
    log_change(by, root, gettext_noop("Merge undone"), record.pk)


def _add_row(lead: Lead, sentence: Sentence, by: Actor | None) -> None:
    user_id = by.pk if isinstance(by, User) else None
    LeadChange.objects.create(
        lead=lead,
        previous_status=lead.status,
        new_status=lead.status,
        stated=False,
        is_report=False,
        applied=False,
        changed_by=ChangedBy.USER if user_id else ChangedBy.API if by else ChangedBy.AUTOMATION,
        user_id=user_id,
        occurred_at=timezone.now(),
        note=sentence,
        sentence=sentence.stored,
    )
