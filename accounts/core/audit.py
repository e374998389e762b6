"""The audit trail: who of staff or of an agency did what. Rows of Django's admin log."""

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model


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
