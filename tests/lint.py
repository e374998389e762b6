"""`make lint`: everything is checked, also after something failed; exit 1 if anything did."""

import os
import subprocess
import sys
import time
from pathlib import Path

CACHE = "var/cache"
BIN = Path(".venv/bin")
LINT_IMPORTS = "from importlinter.cli import lint_imports_command as run; run()"
CHECKS = {
    "formatter": [str(BIN / "ruff"), "format", "--check", "."],
    "linter": [str(BIN / "ruff"), "check", "."],
    "names": [sys.executable, "-m", "tests.vocabulary"],
    "import contracts": [sys.executable, "-c", LINT_IMPORTS, "--cache-dir", f"{CACHE}/imports"],
    "migrations": [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
    "templates": [sys.executable, "-m", "djlint", "templates", "--lint", "--quiet"],
    "types": [sys.executable, "-m", "mypy", "--cache-dir", f"{CACHE}/mypy"],
}


def main() -> int:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": "",
        "RUFF_CACHE_DIR": f"{CACHE}/ruff",
    }
    failed = []
    for name, command in CHECKS.items():
        began = time.monotonic()
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        verdict = "failed" if result.returncode else "ok"
        sys.stdout.write(f"{name:<18}{verdict:<8}{time.monotonic() - began:5.1f} s\n")
        if result.returncode:
            failed.append(name)
            sys.stdout.write(result.stdout + result.stderr)
        sys.stdout.flush()
    if failed:
        sys.stdout.write(f"Not clean: {', '.join(failed)}.\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
