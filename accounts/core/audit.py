"""Write the audit log: which staff member or agency member did what. Store its rows in Django's admin log."""

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model


def log_creation(by: User | None, obj: Model, message: str) -> None:
    """Log that a user created an object. Log nothing if `by` is None, which stands for a program or Leadline itself."""
    _log_by(by, obj, ADDITION, message)


def log_change(by: User | None, obj: Model, message: str) -> None:
    """Log that a user changed an object. Log nothing if `by` is None."""
    _log_by(by, obj, CHANGE, message)


def log_deletion(by: User | None, obj: Model, message: str) -> None:
    """Log that a user deletes an object. Call this function before the deletion, which clears the object's primary
    key."""
    _log_by(by, obj, DELETION, message)


def _log_by(by: User | None, obj: Model, flag: int, message: str) -> None:
    if by is not None:
        add_log_entry(by.pk, obj, flag, message)


def add_log_entry(user_id: int, obj: Model, flag: int, message: str) -> LogEntry:
    """Write one row of the log. Store the object's id, not its name, so that no name outlives an erased person."""
    return LogEntry.objects.create(
        user_id=user_id,
        content_type_id=ContentType.objects.get_for_model(obj, for_concrete_model=False).pk,
        object_id=str(obj.pk),
        object_repr=str(obj.pk),
        action_flag=flag,
        change_message=message,
    )
