"""Read and label conversations, and list those that wait for an answer."""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext

from accounts.core.errors import FieldError
from accounts.core.text import plain
from accounts.models import Member
from leads.enums import ENDED
from leads.models import Thread, ThreadRead
from leads.models.inbox import MAX_LABEL_LENGTH

#: The condition for conversations whose lead waits for a person. An answer given elsewhere ends the wait too, and so
#: does closing the lead after it wrote last.
WAITING = (
    Q(waiting_since__isnull=False)
    & (Q(lead__last_response_at__isnull=True) | Q(lead__last_response_at__lt=F("waiting_since")))
    & (~Q(lead__status__in=ENDED) | Q(lead__status_since__lt=F("last_received_at")))
)


@transaction.atomic
def mark_read(thread: Thread, *, member: Member | None = None, at: datetime | None = None) -> Thread:
    """Record that a conversation was read up to now, by a member or a program."""
    thread.read_at = at or timezone.now()
    thread.save(update_fields=["read_at"])
    if member is not None:
        ThreadRead.objects.update_or_create(thread=thread, member=member, defaults={"read_at": thread.read_at})
    return thread


def set_label(thread: Thread, label: str) -> Thread:
    """Give a conversation a label, or none. Raises FieldError."""
    label = plain(label).strip()
    if len(label) > MAX_LABEL_LENGTH:
        raise FieldError("label", gettext("Choose a label of at most %(n)d characters.") % {"n": MAX_LABEL_LENGTH})
    thread.label = label
    thread.save(update_fields=["label"])
    return thread
