"""Load sample requests of the providers: `<provider>/<sample>.json`. Signing a sample adds We-Link's `hash`."""

import json
from pathlib import Path
from typing import Any

SAMPLES_FOLDER = Path(__file__).parent


def sample_names(provider: str) -> list[str]:
    return sorted(path.stem for path in (SAMPLES_FOLDER / provider).glob("*.json"))


def load_sample(provider: str, name: str) -> dict[str, Any]:
    """Return a sample's body. Raises KeyError if there is no such sample."""
    if name not in sample_names(provider):
        raise KeyError(name)
    sample: dict[str, Any] = json.loads((SAMPLES_FOLDER / provider / f"{name}.json").read_text())
    return sample
