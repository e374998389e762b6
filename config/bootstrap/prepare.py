"""Prepare what `make run` serves: the schema, the static files and, once, demonstration data."""

import hashlib
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from config.bootstrap import banner
from config.demo.first_start import FirstStart


def main() -> int:
    """Prepare everything and print what the first start shows. Return the exit code."""
    try:
        django.setup()
        migrate()
        collect_static()
        banner.print_banner(first_start())
    except ImproperlyConfigured as error:
        return _complain(str(error))
    except DatabaseError as error:
        return _complain(f"The database cannot be used: {error}".strip())
    return 0


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
    from config.demo.setup import make_demo_agency  # needs Django's apps

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


def _complain(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
