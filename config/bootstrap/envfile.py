"""Read and write `var/env`, the settings that all commands of a checkout share. Standard library only."""

import base64
import os
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEFAULTS = {
    "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
    "STAFF_TWO_FACTOR": "off",
}


def write_settings(port: int, *, root: Path = ROOT) -> None:
    """Write keys (once), defaults for one machine (once) and PUBLIC_URL (each time, unless set elsewhere) to
    `var/env`."""
    path = root / "var" / "env"
    values = read(path)
    elsewhere = read(root / ".env") | dict(os.environ)
    values.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
    values.setdefault("FIELD_ENCRYPTION_KEYS", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    for name, value in DEFAULTS.items():
        values.setdefault(name, value)
    if "PUBLIC_URL" not in elsewhere:
        values["PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    write(path, values)


def read(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = (line.strip().removeprefix("export ") for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, _, value in pairs}


def write(path: Path, values: dict[str, str]) -> None:
    """Replace the file in one step, readable by its owner only. A crash leaves the old file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".tmp")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(
            "# Written by `make run`. The keys are this checkout's secrets: without them its data cannot be read.\n"
        )
        file.writelines(f"{name}={value}\n" for name, value in values.items())
        file.flush()
        os.fsync(file.fileno())
    half.rename(path)
