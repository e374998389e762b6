"""Writing everything that is encrypted anew under the newest of FIELD_ENCRYPTION_KEYS, while the product runs.

Row by row, each batch in a transaction of its own that locks its rows: nothing is lost that somebody changes meanwhile.
What is under the newest key already is left alone, so a run that was stopped is simply started again.
"""

from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import F, Field, JSONField, Model, TextField, Value
from django.db.models.functions import Cast

from accounts.core.encrypted_fields import EncryptedJSONField, fernet

BATCH = 200
MAX_NAMED = 20  # unreadable rows that are named
JSON_COLUMNS = (  # encrypted strings inside
    ("accounts.IdempotencyRecord", "body"),
    ("mfa.Authenticator", "data"),
)
TOKEN = "gAAAA"  # noqa: S105 (how every Fernet token begins)


@dataclass(frozen=True, slots=True)
class Column:
    model: type[Model]
    name: str

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.name}"


@dataclass(slots=True)
class Tally:
    """What became of the values of a column."""

    checked: int = 0
    rotated: int = 0
    unreadable: list[str] = field(default_factory=list)  # keys of rows


def columns() -> list[Column]:
    """Every column of the product that holds something encrypted."""
    found = [
        Column(model, column.name)
        for model in apps.get_models()
        for column in model._meta.local_fields
        if isinstance(column, EncryptedJSONField)
    ]
    return found + [Column(apps.get_model(label), name) for label, name in JSON_COLUMNS]


def rotate(column: Column, *, batch: int = BATCH, change: bool = True) -> Tally:
    """Renew a column; with `change` off only count what is not under the newest key."""
    tally = Tally()
    after: Any = None
    while (after := _rotate_batch(column, after, batch, change, tally)) is not None:
        pass
    return tally


@transaction.atomic
def _rotate_batch(column: Column, after: Any, batch: int, change: bool, tally: Tally) -> Any:
    """One batch; the key of its last row, None at the end."""
    rows = column.model._default_manager.annotate(stored=_stored(column)).order_by("pk")
    if after is not None:
        rows = rows.filter(pk__gt=after)
    if change:
        rows = rows.select_for_update(no_key=True)
    last = None
    for last, stored in rows.values_list("pk", "stored")[:batch]:
        try:
            renewed = _renewed(stored)
        except InvalidToken:
            tally.checked += 1
            tally.unreadable.append(str(last))
            continue
        tally.checked += bool(stored)
        if renewed != stored:
            tally.rotated += 1
            if change:
                column.model._default_manager.filter(pk=last).update(**{column.name: _as_it_is(column, renewed)})
    return last


def _stored(column: Column) -> Any:
    """What the row holds, not decrypted."""
    return F(column.name) if _is_json(column) else Cast(column.name, TextField())


def _as_it_is(column: Column, value: Any) -> Any:
    """The value for an update, not encrypted once more."""
    return value if _is_json(column) else Value(value, output_field=TextField())


def _is_json(column: Column) -> bool:
    held: Field[Any, Any] = column.model._meta.get_field(column.name)  # type: ignore[assignment]
    return isinstance(held, JSONField)


def _renewed(stored: Any) -> Any:
    """The same with every token in it under the newest key. Raises InvalidToken if no key opens one."""
    match stored:
        case dict():
            return {name: _renewed(value) if _may_hold(value) else value for name, value in stored.items()}
        case list():
            return [_renewed(value) if _may_hold(value) else value for value in stored]
        case str() if stored:
            return _renewed_token(stored)
        case _:
            return stored


def _renewed_token(token: str) -> str:
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(token.encode())
    except InvalidToken:
        return fernet().rotate(token.encode()).decode()
    return token


def _may_hold(value: Any) -> bool:
    """Inside JSON there is also what is not encrypted."""
    return isinstance(value, dict | list) or (isinstance(value, str) and value.startswith(TOKEN))
