"""Write, change and delete notes about leads."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from accounts.core.errors import FieldError
from accounts.core.text import plain
from accounts.tenancy.audit import Actor
from leads.models import Lead, Note
from leads.models.activities import MAX_NOTE_LENGTH
from leads.pipeline.merge import lock_root


@transaction.atomic
def create_note(lead: Lead, *, text: str, by: Actor | None = None) -> Note:
    """Write a note about a lead. Raises FieldError, and Lead.DoesNotExist if the lead was erased."""
    found = lock_root(lead.pk)
    if found is None:
        raise Lead.DoesNotExist
    author = by if isinstance(by, User) else None
    return Note.objects.create(agency=found.agency, lead=found, author=author, text=_text(text))


@transaction.atomic
def update_note(note: Note, *, text: str) -> Note:
    """Replace the text of a note. Raises FieldError."""
    note.text = _text(text)
    note.save(update_fields=["text", "updated_at"])
    return note


def delete_note(note: Note) -> None:
    note.delete()


def _text(text: str) -> str:
    text = plain(text, lines=True).strip()
    if not text or len(text) > MAX_NOTE_LENGTH:
        raise FieldError("text", gettext("Write a note of at most %(n)d characters.") % {"n": MAX_NOTE_LENGTH})
    return text
