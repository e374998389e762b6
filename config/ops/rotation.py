"""Encrypt all stored secrets anew under the newest of FIELD_ENCRYPTION_KEYS, while the product runs.

Each batch of rows is locked and changed in a transaction of its own, so that no concurrent change is lost. Values under
the newest key are left alone, so a stopped run can simply be started again.
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
MAX_NAMED = 20  # unreadable rows that are listed
JSON_COLUMNS = (  # columns with encrypted strings inside their JSON
    ("accounts.IdempotencyRecord", "body"),
    ("mfa.Authenticator", "data"),
)
TOKEN = "gAAAA"  # noqa: S105 (the beginning of every Fernet token)


@dataclass(frozen=True, slots=True)
class Column:
    model: type[Model]
    name: str

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.name}"


@dataclass(slots=True)
class Tally:
    """The numbers of a column's values, by result."""

    checked: int = 0
    rotated: int = 0
    unreadable: list[str] = field(default_factory=list)  # primary keys of rows


def columns() -> list[Column]:
    """Return every column of the product that holds encrypted values."""
    found = [
        Column(model, column.name)
        for model in apps.get_models()
        for column in model._meta.local_fields
        if isinstance(column, EncryptedJSONField)
    ]
    return found + [Column(apps.get_model(label), name) for label, name in JSON_COLUMNS]


def rotate(column: Column, *, batch: int = BATCH, change: bool = True) -> Tally:
    """Rotate the values of a column. Without `change`, only count the values that are not under the newest key."""
    tally = Tally()
    after: Any = None
    while (after := _rotate_batch(column, after, batch, change, tally)) is not None:
        pass
    return tally


@transaction.atomic
def _rotate_batch(column: Column, after: Any, batch: int, change: bool, tally: Tally) -> Any:
    """Rotate one batch. Return the key of its last row, or None at the end."""
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
                column.model._default_manager.filter(pk=last).update(**{column.name: _raw_value(column, renewed)})
    return last


def _stored(column: Column) -> Any:
    """Return an expression for the stored value, which is not decrypted."""
    return F(column.name) if _is_json(column) else Cast(column.name, TextField())


def _raw_value(column: Column, value: Any) -> Any:
    """Return the value for an update, which is not encrypted once more."""
    return value if _is_json(column) else Value(value, output_field=TextField())


def _is_json(column: Column) -> bool:
    held: Field[Any, Any] = column.model._meta.get_field(column.name)  # type: ignore[assignment]
    return isinstance(held, JSONField)


def _renewed(stored: Any) -> Any:
    """Return the value with every token in it under the newest key. Raises InvalidToken if no key decrypts one."""
    match stored:
        case dict():
            return {name: _renewed(value) if _may_hold_token(value) else value for name, value in stored.items()}
        case list():
            return [_renewed(value) if _may_hold_token(value) else value for value in stored]
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


def _may_hold_token(value: Any) -> bool:
    """Return whether a value inside JSON may hold a token. Other values are not encrypted."""
    return isinstance(value, dict | list) or (isinstance(value, str) and value.startswith(TOKEN))
