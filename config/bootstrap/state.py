"""Decide whether `make run` has to prepare anything. Standard library only, so that a second start is fast.

A fingerprint covers what preparation depends on: the locks, the migrations, the static files and every setting. Only
the embedded database is assumed to be unchanged; with a database server, preparation always runs.
"""

import hashlib
import os
import sqlite3
from contextlib import closing

from config.bootstrap.envfile import ROOT, read

PREPARED = ROOT / "var" / "prepared"
DATABASE = ROOT / "var" / "leadline.sqlite3"
NOT_SETTINGS = {"PORT", "PWD", "OLDPWD", "SHLVL", "_", "TERM", "COLUMNS", "LINES", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"}


def settings() -> dict[str, str]:
    """Return the settings of the environment, `.env` and `var/env`; the first one with a value counts."""
    return read(ROOT / "var" / "env") | read(ROOT / ".env") | dict(os.environ)


def fingerprint() -> str:
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for folder, pattern in ((ROOT, "*/migrations/*.py"), (ROOT / "templates" / "static", "**/*")):
        for path in sorted(folder.glob(pattern)):
            status = path.stat()
            digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    for name, value in sorted(settings().items()):
        if name not in NOT_SETTINGS:
            digest.update(f"{name}\0{value}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def is_prepared(fingerprint: str) -> bool:
    if settings().get("DATABASE_URL") or not PREPARED.is_file() or not DATABASE.is_file():
        return False
    return PREPARED.read_text() == f"{fingerprint} {_applied_migrations()}"


def mark_prepared(fingerprint: str) -> None:
    PREPARED.write_text(f"{fingerprint} {_applied_migrations()}")


def _applied_migrations() -> int:
    try:
        with closing(sqlite3.connect(f"{DATABASE.as_uri()}?mode=ro", uri=True, timeout=5)) as database:
            (count,) = database.execute("SELECT COUNT(*) FROM django_migrations").fetchone()
            return int(count)
    except sqlite3.Error:
        return -1
