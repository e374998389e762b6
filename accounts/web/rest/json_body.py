"""Limit what a request may carry: strict JSON in a body of bounded size. Responses are always JSON."""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.metadata import BaseMetadata
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.core.strict_json import MAX_DEPTH, Flaw, UnreadableJSON, parse_object
from accounts.core.text import UNSTORABLE
from accounts.web.rest.problems import LengthRequired, TooLarge

MAX_BYTES = 1024 * 1024
TOO_DEEP = "The body is nested too deeply."


class StrictJSONParser(BaseParser):
    """Parser of a UTF-8 JSON object without duplicate names, NaN, infinities, NUL or lone surrogates. Any other body is
    a 400."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        return parse_body(stream.read(MAX_BYTES + 1))


def parse_body(raw: bytes) -> dict[str, Any]:
    """Return the object in `raw`. Raises TooLarge or ParseError."""
    if len(raw) > MAX_BYTES:
        raise TooLarge()
    try:
        value = parse_object(raw)
    except UnreadableJSON as unreadable:
        raise ParseError(_sentence(unreadable)) from None
    _check_texts(value, 0)
    return value


def _sentence(unreadable: UnreadableJSON) -> str:
    match unreadable.flaw:
        case Flaw.BYTE_ORDER_MARK:
            return str(unreadable)
        case Flaw.NOT_UTF8:
            return "The body is not UTF-8."
        case Flaw.TOO_DEEP:
            return TOO_DEEP
        case Flaw.NOT_AN_OBJECT:
            return "The body must be a JSON object."
        case Flaw.NOT_JSON | Flaw.TOO_MANY_DIGITS:
            return f"The body is not JSON: {unreadable.detail}"
        case Flaw.DUPLICATE_NAME:
            return "The body is not JSON: an object has the same name twice"
        case Flaw.CONSTANT:
            return f"The body is not JSON: {unreadable.detail} is not a JSON value"
        case Flaw.NUMBER_TOO_LARGE:
            return "The body is not JSON: a number is too large"


def _check_texts(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ParseError(TOO_DEEP)
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(name, depth)
            _check_texts(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_texts(inner, depth + 1)
    elif isinstance(value, str) and UNSTORABLE.search(value):
        raise ParseError("The body has a NUL character or half a surrogate pair in a text.")


def check_body(request: Request) -> None:
    """Refuse a body by its headers, before any of it is read."""
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("", "Send the body uncompressed.")
    if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
        raise LengthRequired()
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not re.fullmatch(r"[0-9]{1,18}", length):
        raise ParseError("The Content-Length is not a number.")
    if int(length) > MAX_BYTES:
        raise TooLarge()


class JSONNegotiation(BaseContentNegotiation):
    """Negotiation that answers in JSON whatever `Accept` says. Bodies must declare JSON as their type."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class MethodsMetadata(BaseMetadata):
    """The response to OPTIONS."""

    def determine_metadata(self, request: Request, view: APIView) -> dict[str, list[str]]:
        return {"methods": view.allowed_methods}
