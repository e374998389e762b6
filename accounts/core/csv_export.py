"""Write tables as CSV for spreadsheets. No cell runs as a formula, wherever a program splits the file into cells."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from accounts.core.text import plain

#: Characters that begin a formula in a spreadsheet, also in the full-width forms of East Asian keyboards.
FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20"
#: Characters that end a cell in some program. A file read with another delimiter than its own begins a cell after each.
DELIMITERS = ",;\t|"
#: The delimiters that people may ask for, by name.
NAMED_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}
#: What may stand before a formula: delimiters, blanks and quotes. Each such run is matched once.
_BEFORE_FORMULA = re.compile(rf"(?<![{DELIMITERS}\s\"])[{DELIMITERS}\s\"]*+(?=[{FORMULA}])")
_AFTER_WHITE_DELIMITER = re.compile(r"[\t\r\n]")
#: A telephone number in international form, with the separators that people write between its digits.
_DIALLED = re.compile(r"\+[1-9]([ ()./-]{0,2}[0-9]){6,14}", re.ASCII)
#: Makes spreadsheets read the file as UTF-8.
BYTE_ORDER_MARK = "\ufeff"
#: Spreadsheets separate cells by a semicolon where a comma separates decimals.
_COMMA_LANGUAGES = frozenset({"en", "he", "ja", "ko", "th", "zh", "hi", "bn", "ms", "fil"})
_COMMA_COUNTRIES = frozenset({"US", "MX", "GT", "HN", "NI", "SV", "PA", "PR", "DO"})
_SEMICOLON_COUNTRIES = frozenset({"ZA"})


class _Line:
    """A file-like object whose `write` returns the text, for `csv.writer`."""

    def write(self, text: str) -> str:
        return text


def delimiter_for(locale: str) -> str:
    """Return the delimiter that spreadsheets of a locale expect: `;` for de-DE, `,` for en-US."""
    language, _, country = locale.replace("_", "-").partition("-")
    if country.upper() in _SEMICOLON_COUNTRIES:
        return ";"
    return "," if language.lower() in _COMMA_LANGUAGES or country.upper() in _COMMA_COUNTRIES else ";"


def csv_lines(rows: Iterable[Sequence[Any]], delimiter: str = ",") -> Iterator[str]:
    """Yield the CSV lines of the rows. Every text is quoted, so that no delimiter inside a text ends its cell."""
    writer = csv.writer(_Line(), delimiter=delimiter, quoting=csv.QUOTE_NONNUMERIC)
    for row in rows:
        yield writer.writerow([safe_cell(value) for value in row])


def safe_cell(value: Any) -> Any:
    """Return a value in a form that no spreadsheet runs.

    Numbers stay as they are. A telephone number keeps its digits, separated by blanks, so that no spreadsheet computes
    with it. Any other text gets an apostrophe before each formula that may begin a cell, also inside the text.
    """
    if not isinstance(value, str):
        return "" if value is None else value
    text = plain(value, lines=True)
    if _DIALLED.fullmatch(text):
        return "+" + " ".join(re.findall("[0-9]+", text.replace("(0)", " ")))
    guarded = _BEFORE_FORMULA.sub(_add_apostrophes, text)
    return f"'{guarded}" if guarded[:1] in {"\t", "\r", "\n"} else guarded


def _add_apostrophes(match: re.Match[str]) -> str:
    """Put an apostrophe at each place where a cell may begin and only blanks and quotes precede the formula."""
    run = match[0]
    begins = max(run.rfind(sign) for sign in ",;|") + 1
    blank = _AFTER_WHITE_DELIMITER.sub(r"\g<0>'", run[begins:])
    return f"{run[:begins]}'{blank}" if begins or match.start() == 0 else blank
