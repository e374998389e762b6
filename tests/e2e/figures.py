"""What the fault tests counted: a file for each fault, and one table of them, in docs/reliability.md too."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "var" / "faults"
PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- the table of the last run -->", "<!-- end of the table -->"
COLUMNS = ("accepted", "processed", "delivered", "lost", "invented", "seconds")


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What became of the events that were accepted around one fault. None: the test does not count that.

    `lost` were accepted and never had their effect, `invented` had an effect and were never sent. `seconds` is how long
    after the end of the fault everything that was accepted by then had its effect.
    """

    fault: str
    backend: str
    accepted: int
    processed: int
    delivered: int | None = None
    lost: int = 0
    invented: int = 0
    seconds: float | None = None


def write_row(figures: Figures) -> None:
    """Write the row of one fault."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "-", f"{figures.backend} {figures.fault}".lower()).strip("-")
    (FOLDER / f"{name}.json").write_text(json.dumps(asdict(figures), indent=2) + "\n")


def write_page(page: Path = PAGE) -> None:
    """Put the table into the page about reliability, in place of the last run's."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    assert end, f"{page} has no place for the table"
    lines = ["| " + " | ".join(("fault", "back end", *COLUMNS)) + " |", "|---" * 2 + "|---:" * len(COLUMNS) + "|"]
    for row in _rows():
        values = (row["fault"], row["backend"], *(_format_value(row[name]) for name in COLUMNS))
        lines.append("| " + " | ".join(values) + " |")
    page.write_text(before + begin + "\n\n" + "\n".join(lines) + "\n\n" + end + after)


def _rows() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]


def remove_rows() -> None:
    """Remove the rows of an earlier run."""
    for path in FOLDER.glob("*.json"):
        path.unlink()


def table() -> str:
    """All rows as text; empty if there are none."""
    rows = _rows()
    if not rows:
        return ""
    wide = max(len(row["fault"]) for row in rows)
    side = max(len(row["backend"]) for row in rows)
    lines = [f"{'fault':<{wide}}  {'back end':<{side}}" + "".join(f"{name:>11}" for name in COLUMNS)]
    for row in rows:
        figures = "".join(f"{_format_value(row[name]):>11}" for name in COLUMNS)
        lines.append(f"{row['fault']:<{wide}}  {row['backend']:<{side}}{figures}")
    return "\n".join(lines)


def _format_value(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
