"""Name the sub-accounts of an agency."""

from django.db import transaction

from accounts.core.errors import FieldError
from accounts.core.text import plain
from accounts.models import SubAccount
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor

MAX_NAME_LENGTH = 200


@transaction.atomic
def rename_sub_account(place: SubAccount, name: str, *, by: Actor | None = None) -> SubAccount:
    """Give a sub-account a name; without one it is called by its location id. Raises FieldError."""
    name = " ".join(plain(name).split())
    if len(name) > MAX_NAME_LENGTH:
        raise FieldError("name", f"Use at most {MAX_NAME_LENGTH} characters.")
    place.name = name
    place.save(update_fields=["name"])
    audit.log_change(by, place, "Renamed")
    return place
