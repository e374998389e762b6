"""Tables for spreadsheets. Whatever a cell came from, no spreadsheet runs it."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

#: What a spreadsheet takes for the beginning of a formula, also in the wide characters of East Asian keyboards.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: A number to dial (E.164): digits alone are no formula, and a CRM wants them as they are.
DIALLED = re.compile(r"\+[1-9][0-9]{6,14}")
#: Without it spreadsheets read UTF-8 as something older.
BYTE_ORDER_MARK = "\ufeff"


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """CSV, a row at a time."""
    writer = csv.writer(_Line())
    for row in rows:
        yield writer.writerow([safe_cell(value) for value in row])


def safe_cell(value: Any) -> Any:
    """Numbers as they are, telephone numbers too; text that would be a formula gets an apostrophe before it."""
    if not isinstance(value, str):
        return "" if value is None else value
    return f"'{value}" if value.startswith(FORMULA) and not DIALLED.fullmatch(value) else value
