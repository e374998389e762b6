"""Compute percentiles and write figures."""

import json
import math
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FIGURES_FOLDER = Path(__file__).resolve().parents[1] / "var" / "bench"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` (0–1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def write_figures(name: str, figures: dict[str, Any]) -> None:
    FIGURES_FOLDER.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    (FIGURES_FOLDER / f"{name}.json").write_text(json.dumps({"machine": machine, **figures}, indent=2) + "\n")
