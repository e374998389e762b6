"""Prepare what `make run` serves: the schema, the static files and, once, demonstration data."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from config.demo.first_start import FirstStart
from config.demo.setup import make_demo_agency


def migrate() -> None:
    """Apply missing migrations. An up-to-date database costs one query."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


def collect_static() -> None:
    """Collect the static files under `var/`, unless nothing changed since the last time."""
    stamp = settings.STATIC_ROOT / ".stamp"
    fingerprint = _fingerprint()
    if not stamp.is_file() or stamp.read_text() != fingerprint:
        call_command("collectstatic", verbosity=0, interactive=False)
        stamp.write_text(fingerprint)


def first_start() -> FirstStart | None:
    """Make the demonstration's staff user, agency, sources and channels. Return None if they were made before."""
    try:
        return make_demo_agency(settings.VAR / "demo.json")
    finally:
        connections.close_all()


def _fingerprint() -> str:
    digest = hashlib.sha256((Path(settings.BASE_DIR) / "requirements.txt").read_bytes())
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                digest.update(f"{path}\0{path.stat().st_mtime_ns}\0".encode())
    return digest.hexdigest()
