"""Read and fill the fields of a template: `{{ field }}` and `{{ field|default:"…" }}`, and nothing else."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext

_FIELD = re.compile(r"\{\{(?P<inside>[^{}]*)\}\}")
_INSIDE = re.compile(r'\s*(?P<name>\w+)\s*(\|\s*default\s*:\s*"(?P<default>[^"]*)"\s*)?', re.ASCII)


class TemplateError(ValueError):
    """A template cannot be read. The message names the place."""


class PartKind(StrEnum):
    """List where a part of a filled text comes from. What is `MISSING` has neither a value nor a default."""

    TEXT = "text"
    VALUE = "value"
    DEFAULT = "default"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a filled text. `field` is the name of the field that it stands for."""

    kind: PartKind
    text: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Placeholder:
    name: str
    default: str


def parse(text: str, known: Collection[str]) -> list[str | Placeholder]:
    """Return the pieces of a template: texts and placeholders. Raises TemplateError, which names an unknown field."""
    for braces in ("{{{", "}}}"):  # an empty value between them would leave a pair of braces
        if braces in text:
            raise TemplateError(_alone(braces))
    pieces: list[str | Placeholder] = []
    end = 0
    for found in _FIELD.finditer(text):
        pieces += [_checked(text[end : found.start()]), _placeholder(found["inside"], known)]
        end = found.end()
    return [*pieces, _checked(text[end:])]


def fields_in(text: str, known: Collection[str]) -> list[str]:
    """Return the names of a template's fields, each once, in their order. Raises TemplateError."""
    return list(dict.fromkeys(piece.name for piece in parse(text, known) if isinstance(piece, Placeholder)))


def fill(text: str, values: Mapping[str, str]) -> list[Part]:
    """Fill a template. `values` has every known field, "" where the lead has no value. Raises TemplateError."""
    return [_filled(piece, values) for piece in parse(text, values) if piece != ""]


def joined(parts: Sequence[Part]) -> str:
    """Return the text of filled parts. A missing value leaves nothing."""
    return "".join(part.text for part in parts)


def missing_in(parts: Sequence[Part]) -> list[str]:
    """Return the fields that have neither a value nor a default, each once."""
    return list(dict.fromkeys(part.field for part in parts if part.kind is PartKind.MISSING))


def _filled(piece: str | Placeholder, values: Mapping[str, str]) -> Part:
    if isinstance(piece, str):
        return Part(PartKind.TEXT, piece)
    if value := values[piece.name]:
        return Part(PartKind.VALUE, value, piece.name)
    return Part(PartKind.DEFAULT if piece.default else PartKind.MISSING, piece.default, piece.name)


def _placeholder(inside: str, known: Collection[str]) -> Placeholder:
    found = _INSIDE.fullmatch(inside)
    if found is None:
        raise TemplateError(
            gettext('“{{%(inside)s}}” cannot be read. Write {{ field }} or {{ field|default:"…" }}.')
            % {"inside": inside[:60]}
        )
    if found["name"] not in known:
        raise TemplateError(
            gettext("There is no field “%(name)s”. There are: %(known)s.")
            % {"name": found["name"][:60], "known": ", ".join(known)}
        )
    return Placeholder(found["name"], found["default"] or "")


def _checked(text: str) -> str:
    """Return a text between placeholders. Raises TemplateError for a brace pair that opens or closes nothing."""
    for braces in ("{{", "}}", "{%", "%}"):
        if braces in text:
            raise TemplateError(_alone(braces))
    return text


def _alone(braces: str) -> str:
    return gettext("“%(braces)s” is no field. Write {{ field }}.") % {"braces": braces}
