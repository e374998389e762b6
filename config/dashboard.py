"""What the back office's first page shows."""

from typing import Any


def dashboard() -> dict[str, Any]:
    return {}
