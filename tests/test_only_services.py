"""Back office, portal and API change nothing past the services: no page or resource saves, deletes or updates rows."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
APPS = ("accounts", "leads", "webhooks", "notifications", "config")
ROOMS = frozenset({"admin", "api", "portal", "backoffice"})
WRITES = frozenset(
    {"save", "delete", "update", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
)
#: A call --> why it is no change past a service.
ALLOWED = {
    "accounts/web/rest/idempotency.py: IdempotencyRecord.objects.create": "the API's own memory of an answer",
    "accounts/web/rest/idempotency.py: _own_record(record).update": "the same",
    "accounts/web/rest/idempotency.py: _own_record(record).delete": "the same",
    "config/signin.py: super().save": "allauth's form mails a link and stores nothing",
}


def answers_requests(path: Path, tree: ast.Module) -> bool:
    """Return whether a module is of pages or resources: by its room, or because it has to do with requests."""
    if ROOMS & {*path.relative_to(ROOT).parts, path.stem}:
        return True
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return bool(imported & {"django.http", "django.shortcuts", "rest_framework.request"})


def writes_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name, value=target)) if name in WRITES:
                yield f"{ast.unparse(target)}.{name}"


def test_pages_and_resources_change_rows_through_services_alone() -> None:
    read, found = 0, set()
    for path in (module for app in APPS for module in (ROOT / app).rglob("*.py")):
        tree = ast.parse(path.read_text())
        if answers_requests(path, tree):
            read += 1
            found |= {f"{path.relative_to(ROOT)}: {write}" for write in writes_in(tree)}
    assert read > 80
    assert found == set(ALLOWED)
