"""Requests as the providers send them: `<provider>/<sample>.json`. We-Link's `hash` is made when one is signed."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def names(provider: str) -> list[str]:
    return sorted(path.stem for path in (FOLDER / provider).glob("*.json"))


def load(provider: str, name: str) -> dict[str, Any]:
    """Raises KeyError for a sample that does not exist."""
    if name not in names(provider):
        raise KeyError(name)
    sample: dict[str, Any] = json.loads((FOLDER / provider / f"{name}.json").read_text())
    return sample
