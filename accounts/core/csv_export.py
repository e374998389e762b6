"""Tables for spreadsheets. Whatever a cell came from, no spreadsheet runs it, wherever it takes a cell to end."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from accounts.core.text import plain

#: What a spreadsheet takes for the beginning of a formula, also in the wide characters of East Asian keyboards.
FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20"
#: What some program ends a cell with: a file that is read otherwise than it was written begins cells after each.
DELIMITERS = ",;\t|"
#: What people may ask for.
NAMED = {"comma": ",", "semicolon": ";", "tab": "\t"}
#: What may stand before a formula: whatever may end a cell, blanks and quotes. Each such run is looked at once.
_BEFORE_FORMULA = re.compile(rf"(?<![{DELIMITERS}\s\"])[{DELIMITERS}\s\"]*+(?=[{FORMULA}])")
_AFTER_WHITE_DELIMITER = re.compile(r"[\t\r\n]")
#: A number to dial, with what people write between its digits.
_DIALLED = re.compile(r"\+[1-9]([ ()./-]{0,2}[0-9]){6,14}", re.ASCII)
#: Without it spreadsheets read UTF-8 as something older.
BYTE_ORDER_MARK = "\ufeff"
#: Where a comma separates decimals, spreadsheets separate cells by a semicolon.
_COMMA_LANGUAGES = frozenset({"en", "he", "ja", "ko", "th", "zh", "hi", "bn", "ms", "fil"})
_COMMA_COUNTRIES = frozenset({"US", "MX", "GT", "HN", "NI", "SV", "PA", "PR", "DO"})
_SEMICOLON_COUNTRIES = frozenset({"ZA"})


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def delimiter_for(locale: str) -> str:
    """Return what spreadsheets of a country separate cells by: `;` for de-DE, `,` for en-US."""
    language, _, country = locale.replace("_", "-").partition("-")
    if country.upper() in _SEMICOLON_COUNTRIES:
        return ";"
    return "," if language.lower() in _COMMA_LANGUAGES or country.upper() in _COMMA_COUNTRIES else ";"


def lines(rows: Iterable[Sequence[Any]], delimiter: str = ",") -> Iterator[str]:
    """CSV, a row at a time. Every text is quoted, so that no delimiter in it ends a cell."""
    writer = csv.writer(_Line(), delimiter=delimiter, quoting=csv.QUOTE_NONNUMERIC)
    for row in rows:
        yield writer.writerow([safe_cell(value) for value in row])


def safe_cell(value: Any) -> Any:
    """Return numbers as they are, and a telephone number with blanks only between its digits, which no spreadsheet
    computes with; other text with an apostrophe before what would be a formula.

    An apostrophe stands also inside the text, after whatever may be taken for the end of a cell.
    """
    if not isinstance(value, str):
        return "" if value is None else value
    text = plain(value, lines=True)
    if _DIALLED.fullmatch(text):
        return "+" + " ".join(re.findall("[0-9]+", text.replace("(0)", " ")))
    guarded = _BEFORE_FORMULA.sub(_guard, text)
    return f"'{guarded}" if guarded[:1] in {"\t", "\r", "\n"} else guarded


def _guard(found: re.Match[str]) -> str:
    """Put an apostrophe wherever a cell may begin from which blanks and quotes alone lead to the formula."""
    run = found[0]
    begins = max(run.rfind(sign) for sign in ",;|") + 1
    blank = _AFTER_WHITE_DELIMITER.sub(r"\g<0>'", run[begins:])
    return f"{run[:begins]}'{blank}" if begins or found.start() == 0 else blank
