"""The audit trail: who of staff or of an agency did what. Rows of Django's admin log."""

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model


def added(by: User | None, obj: Model, message: str) -> None:
    """Note that a person made something; by nobody (a program, Leadline itself) writes nothing."""
    _note_by(by, obj, ADDITION, message)


def changed(by: User | None, obj: Model, message: str) -> None:
    """Note that a person changed something."""
    _note_by(by, obj, CHANGE, message)


def removed(by: User | None, obj: Model, message: str) -> None:
    """Note that a person took something away. Call it before the row goes: the key goes with it."""
    _note_by(by, obj, DELETION, message)


def _note_by(by: User | None, obj: Model, flag: int, message: str) -> None:
    if by is not None:
        note(by.pk, obj, flag, message)


def note(user_id: int, obj: Model, flag: int, message: str) -> LogEntry:
    """The id stands instead of the object's name: a name must not outlive the person's row."""
    return LogEntry.objects.create(
        user_id=user_id,
        content_type_id=ContentType.objects.get_for_model(obj, for_concrete_model=False).pk,
        object_id=str(obj.pk),
        object_repr=str(obj.pk),
        action_flag=flag,
        change_message=message,
    )
