"""Write the audit logs: that of the agency (`AuditEntry`), and for what people did also Django's admin log."""

from datetime import timedelta

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.utils import timezone

from accounts.models import Agency, ApiKey, AuditEntry, Member
from accounts.models.audit import ActorKind

#: Who makes a change: a person, or a program with an API key.
Actor = User | ApiKey

LIFETIME = timedelta(days=730)
#: Models whose rows are called by their name. Of all others, such as leads and LinkedIn accounts, the log has the id.
NAMED = frozenset(
    {
        *("agency", "apikey", "calendar", "campaign", "channel", "invitation", "pool", "routingrule", "scoringrule"),
        *("messagetemplate", "sequence", "source", "subaccount", "targetlist"),
    }
)


def log_creation(by: Actor | None, obj: Model, action: str, detail: str = "") -> None:
    """Log that somebody created an object. Log nothing if `by` is None, which stands for Leadline itself."""
    _log(by, obj, ADDITION, action, detail)


def log_change(by: Actor | None, obj: Model, action: str, detail: str = "") -> None:
    """Log that somebody changed an object. Log nothing if `by` is None."""
    _log(by, obj, CHANGE, action, detail)


def log_deletion(by: Actor | None, obj: Model, action: str, detail: str = "") -> None:
    """Log that somebody deletes an object. Call this function before the deletion, which clears the object's primary
    key."""
    _log(by, obj, DELETION, action, detail)


def record_audit(
    agency: Agency,
    *,
    by: Actor | None,
    action: str,
    obj: Model | None = None,
    detail: str = "",
    label: str | None = None,
) -> None:
    """Write a change into the agency's audit log alone. Write nothing if `by` is None.

    `action` is a fixed text, marked for translation where it stands (`gettext_noop("Secret rotated")`); `detail` says
    the rest. Neither holds a secret or personal data of a lead. `label` is what the object is called, if it is no
    person; by default its own name where it has one.
    """
    if by is None:
        return
    AuditEntry.objects.create(
        agency=agency,
        actor_kind=_kind_of(by, agency),
        user=by if isinstance(by, User) else None,
        api_key=by if isinstance(by, ApiKey) else None,
        action=action[:100],
        detail=detail[:300],
        object_type=obj._meta.model_name or "" if obj else "",
        object_id=str(obj.pk) if obj else "",
        object_label=(_label_of(obj) if label is None else label)[:200],
    )


def add_log_entry(user: User, obj: Model, flag: int, message: str) -> LogEntry:
    """Write one row of Django's log. Store the object's id, not its name, so that no name outlives an erased person."""
    return LogEntry.objects.create(
        user_id=user.pk,
        content_type_id=ContentType.objects.get_for_model(obj, for_concrete_model=False).pk,
        object_id=str(obj.pk),
        object_repr=str(obj.pk),
        action_flag=flag,
        change_message=message,
    )


def agencies_of(obj: Model) -> list[Agency]:
    """Return the agencies that an object belongs to: its own, those of a user, or none."""
    if isinstance(obj, Agency):
        return [obj]
    if isinstance(obj, User):
        return list(Agency.objects.filter(members__user=obj))
    agency = getattr(obj, "agency", None)
    return [agency] if isinstance(agency, Agency) else []


def delete_old_entries() -> int:
    """Delete the entries past their LIFETIME. Return their number."""
    return AuditEntry.objects.filter(at__lt=timezone.now() - LIFETIME).delete()[0]


def _log(by: Actor | None, obj: Model, flag: int, action: str, detail: str) -> None:
    if by is None:
        return
    if isinstance(by, User):
        add_log_entry(by, obj, flag, f"{action}: {detail}." if detail else f"{action}.")
    for agency in agencies_of(obj):
        record_audit(agency, by=by, action=action, obj=obj, detail=detail)


def _kind_of(by: Actor, agency: Agency) -> ActorKind:
    if isinstance(by, ApiKey):
        return ActorKind.KEY
    is_member = Member.objects.filter(agency=agency, user=by).exists()
    return ActorKind.MEMBER if is_member else ActorKind.STAFF


def _label_of(obj: Model | None) -> str:
    if isinstance(obj, Member):
        return str(obj.user)
    if isinstance(obj, User):
        return str(obj)
    return str(obj) if obj is not None and obj._meta.model_name in NAMED else ""
