"""Encrypt columns at rest with FIELD_ENCRYPTION_KEYS. The newest key comes first; every key decrypts."""

import json
from functools import lru_cache
from typing import Any, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def fernet() -> MultiFernet:
    return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS))


class UnreadableValue(str):
    """A stored value that no key decrypts. It reads as an empty text; saving its row stores the same token again."""

    __slots__ = ("stored",)
    stored: str

    def __new__(cls, stored: str) -> Self:
        value = super().__new__(cls)
        value.stored = stored
        return value


class EncryptedJSONField(models.TextField):  # type: ignore[type-arg]
    """A column that stores any JSON value as a Fernet token.

    Reading a row that no key decrypts raises `cryptography.fernet.InvalidToken`. A `tolerant` field returns Unreadable
    instead, for columns that appear in lists and whose readers check for it.
    """

    def __init__(self, *args: Any, tolerant: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tolerant = tolerant

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, UnreadableValue):
            return value.stored
        return fernet().encrypt(json.dumps(value).encode()).decode()

    def from_db_value(self, value: str | None, *_: Any) -> Any:
        if value is None:
            return None
        try:
            return json.loads(fernet().decrypt(value.encode()))
        except InvalidToken:
            if self.tolerant:
                return UnreadableValue(value)
            raise

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> str:
        return json.dumps(self.value_from_object(obj))
