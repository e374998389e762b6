"""Describe to OpenAPI what all operations share: scopes, errors, `Idempotency-Key`, `X-Request-ID`."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema

from accounts.web.rest.auth import needed_scope
from accounts.web.rest.idempotency import HEADER

PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "What is wrong with which field or parameter.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
ERRORS = {
    "400": "A parameter or field is unknown or wrong; `errors` names it.",
    "401": "No API key, or one that is unknown, expired or revoked.",
    "403": "The key lacks the scope.",
    "404": "There is no such object, or it is another agency's.",
    "409": "It contradicts what is there, or the first request with this Idempotency-Key still runs.",
    "413": "The body is larger than 1 MiB.",
    "415": "The body is not JSON, or compressed.",
    "422": "This Idempotency-Key was used for another request.",
    "429": "Too many requests with this key; `Retry-After` says how many seconds to wait.",
    "503": "The database cannot be reached; `Retry-After` says how many seconds to wait.",
}
VERBS = ("get", "post", "patch", "delete")
WITH_BODY = ("post", "patch")
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
REQUEST_ID = {"X-Request-ID": {"description": "The name of this request in our logs.", "schema": {"type": "string"}}}
IDEMPOTENCY_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "The same key and body within 24 hours get the first success again, without a second effect.",
}


#: Action of a viewset --> how its summary begins, and whether it concerns many objects.
VERBS_OF_ACTIONS = {
    "list": ("List", True),
    "retrieve": ("Get", False),
    "create": ("Create", False),
    "partial_update": ("Change", False),
    "destroy": ("Delete", False),
}
CLAUSE_END = re.compile(r"[.,:;]|\s\(")


class OperationSchema(AutoSchema):
    """Schema of an operation, with the required scope in its description."""

    def get_summary(self) -> str:
        """Return a few words that name the operation, where its view states none."""
        action = getattr(self.view, "action", "")
        resource = getattr(self.view, "basename", None) or ""
        if resource and action in VERBS_OF_ACTIONS:
            verb, is_plural = VERBS_OF_ACTIONS[action]
            nouns = resource.replace("-", " ").replace("sub acc", "sub-acc")
            return f"{verb} {nouns if is_plural else _one_of(nouns)}"
        return CLAUSE_END.split(self.get_description().strip(), maxsplit=1)[0].replace("`", "")

    def get_operation(self, *args: Any, **options: Any) -> Any:
        operation = super().get_operation(*args, **options)
        if operation:
            scope = needed_scope(self.view, self.method)
            operation["description"] = f"{operation.get('description', '')}\n\nScope: `{scope}`.".strip()
        return operation


def _one_of(plural: str) -> str:
    noun = f"{plural.removesuffix('ies')}y" if plural.endswith("ies") else plural.removesuffix("s")
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def describe_errors(result: Any, generator: Any, request: Any, public: bool) -> Any:
    """Add the common errors and headers to the schema. A postprocessing hook of drf-spectacular."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    for path, in_any_order in result["paths"].items():  # their order differs between processes
        result["paths"][path] = operations = {verb: in_any_order[verb] for verb in VERBS if verb in in_any_order}
        for method, operation in operations.items():
            if method == "post":
                operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
            for response in operation["responses"].values():
                response.setdefault("headers", {}).update(REQUEST_ID)
            for status in _errors_of(method, path):
                operation["responses"][status] = _error(status)
    return result


def _errors_of(method: str, path: str) -> list[str]:
    left_out = set()
    if "{" not in path:
        left_out.add("404")
    if method not in WITH_BODY:
        left_out |= {"409", "413", "415"}
    if method != "post":
        left_out.add("422")
    return [status for status in ERRORS if status not in left_out]


def _error(status: str) -> dict[str, Any]:
    return {
        "description": ERRORS[status],
        "headers": REQUEST_ID | (RETRY_AFTER if status in ("429", "503") else {}),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
