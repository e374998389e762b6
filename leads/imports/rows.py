"""Read what a row of a file says of a lead. Preview, check and import read rows with this module alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from accounts.core.email_addresses import normalize_email
from accounts.core.linkedin_identity import linkedin_key, public_identifier_key
from leads.enums import RowReason
from leads.models import Lead
from leads.pipeline.phones import e164

MAX_TAGS = 20
MAX_TAG_LENGTH = 100
MAX_LENGTHS = {field.name: getattr(field, "max_length", None) or 0 for field in Lead._meta.concrete_fields}


@dataclass(frozen=True, slots=True)
class ReadRow:
    """What a row says: a value for each field, the keys of the person, and why the row is refused, if it is."""

    values: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    profile_key: str = ""
    email_key: str = ""
    phone_key: str = ""
    refused: RowReason | None = None


def read_row(cells: Sequence[str], mapping: Sequence[str]) -> ReadRow:
    """Read a row by the fields that its columns stand for."""
    if any(cells[len(mapping) :]):
        return ReadRow(refused=RowReason.TOO_MANY_COLUMNS)
    values = {name: cell for name, cell in zip(mapping, cells, strict=False) if name and cell}
    tags = tuple(dict.fromkeys(part.strip() for part in values.pop("tags", "").split(",") if part.strip()))
    if any(len(value) > MAX_LENGTHS[name] for name, value in values.items()):
        return ReadRow(refused=RowReason.TOO_LONG)
    if len(tags) > MAX_TAGS or any(len(tag) > MAX_TAG_LENGTH for tag in tags):
        return ReadRow(refused=RowReason.TOO_LONG)
    return _identified(values, tags)


def _identified(values: dict[str, str], tags: tuple[str, ...]) -> ReadRow:
    """Return what a row says, with the keys of the person that it is about."""
    if "email" in values:
        try:
            values["email"] = normalize_email(values["email"])
        except ValidationError:
            return ReadRow(refused=RowReason.BAD_EMAIL)
    profile_key = ""
    if url := values.get("linkedin_url", ""):
        profile_key = linkedin_key(url) or public_identifier_key(url)
        if not profile_key:
            return ReadRow(refused=RowReason.BAD_URL)
    if not any(values.get(name) for name in ("linkedin_url", "email", "phone")):
        return ReadRow(refused=RowReason.NO_CONTACT)
    phone = values.get("phone", "")
    number = e164(phone, country=values.get("country", "")) if phone else ""
    if not (profile_key or values.get("email") or number):
        return ReadRow(refused=RowReason.BAD_PHONE)
    return ReadRow(values, tags, profile_key[:500], values.get("email", ""), number)
