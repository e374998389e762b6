"""What a request may carry: strict JSON in a bounded body, and answers that are always JSON."""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.metadata import BaseMetadata
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.web.rest.problems import LengthRequired, TooLarge

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
#: What PostgreSQL's text cannot hold: SQLite could, and both are to answer alike.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class StrictJSONParser(BaseParser):
    """UTF-8 JSON, an object, without duplicate names, NaN, infinities, NUL or lone surrogates. All else is a 400."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        return load(stream.read(MAX_BYTES + 1))


def load(raw: bytes) -> dict[str, Any]:
    """The object in `raw`. Raises TooLarge or ParseError."""
    if len(raw) > MAX_BYTES:
        raise TooLarge()
    if raw.startswith(b"\xef\xbb\xbf"):
        raise ParseError("The body begins with a byte order mark. Send UTF-8 without one.")
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_refuse, parse_float=_float)
    except UnicodeDecodeError:
        raise ParseError("The body is not UTF-8.") from None
    except RecursionError:
        raise ParseError("The body is nested too deeply.") from None
    except ValueError as error:
        raise ParseError(f"The body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ParseError("The body must be a JSON object.")
    _check(value, 0)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("an object has the same name twice")
    return value


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON value")


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ParseError("The body is nested too deeply.")
    if isinstance(value, dict):
        for name, inner in value.items():
            _check(name, depth)
            _check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth + 1)
    elif isinstance(value, str) and UNSTORABLE.search(value):
        raise ParseError("The body has a NUL character or half a surrogate pair in a text.")


def check_body(request: Request) -> None:
    """Refuse, before a byte is read, what we would not read to the end."""
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("", "Send the body uncompressed.")
    if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
        raise LengthRequired()
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not re.fullmatch(r"[0-9]{1,18}", length):
        raise ParseError("The Content-Length is not a number.")
    if int(length) > MAX_BYTES:
        raise TooLarge()


class AlwaysJSON(BaseContentNegotiation):
    """Answers are JSON whatever `Accept` says; bodies must say that they are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class Methods(BaseMetadata):
    """The answer to OPTIONS."""

    def determine_metadata(self, request: Request, view: APIView) -> dict[str, list[str]]:
        return {"methods": view.allowed_methods}
