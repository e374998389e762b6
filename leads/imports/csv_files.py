"""Read CSV files as people have them, a piece at a time: encoding and delimiter are guessed from what is in the file.

One reader for everything that is uploaded. A file may be as large as MAX_BYTES and is never held in memory whole.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from accounts.core.errors import FieldError
from accounts.core.text import plain

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 100_000
#: Lines from which the delimiter is guessed.
SAMPLE_LINES = 20
SAMPLE_LENGTH = 10_000
DELIMITERS = ";,\t|"
#: A delimiter that no file has: every line is one value.
NO_DELIMITER = "\x1f"
#: How people call the encodings.
ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}
_PIECE = 64 * 1024
#: What other kinds of files begin with --> what they are.
_SIGNATURES = {
    b"PK\x03\x04": _("The file is an Excel workbook or an archive. Save it as CSV, and upload that."),
    b"\xd0\xcf\x11\xe0": _("The file is an Excel workbook. Save it as CSV, and upload that."),
    b"%PDF": _("The file is a PDF. Save it as CSV, and upload that."),
    b"\x1f\x8b": _("The file is compressed. Unpack it, and upload the CSV file."),
}

IsHeading = Callable[[Sequence[str]], bool]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written."""

    encoding: str
    delimiter: str


def detect_dialect(file: BinaryIO, is_heading: IsHeading) -> Dialect:
    """Return how a file is written. `is_heading` says whether a line's cells name columns. Raises FieldError for `csv`.

    The file is left at its beginning.
    """
    encoding = _encoding_of(file)
    lines = _sample(file, encoding)
    if not lines:
        raise FieldError("csv", gettext("The file is empty."))
    return Dialect(encoding, _delimiter_of(lines, is_heading))


def read_rows(file: BinaryIO, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that have a value, each with its number in the file, counted from 1. Raises FieldError for `csv`.

    Cells are single lines of visible characters. A row has as many cells as the file gives it.
    """
    count = 0
    reader = csv.reader(_lines(file, dialect.encoding), delimiter=dialect.delimiter)
    try:
        for number, cells in enumerate(reader, start=1):
            values = [" ".join(plain(cell).split()) for cell in cells]
            if not any(values):
                continue
            count += 1
            if count > MAX_ROWS + 1:  # one may be a heading
                raise FieldError("csv", gettext("The file has more than %(n)d rows.") % {"n": MAX_ROWS})
            yield number, values
    except csv.Error as error:
        text = gettext("Line %(line)d cannot be read as CSV. Perhaps a quotation mark before it is not closed.")
        raise FieldError("csv", text % {"line": reader.line_num}) from error


def _encoding_of(file: BinaryIO) -> str:
    """Return the encoding: UTF-8 or UTF-16 with their marks, UTF-8, or else Windows-1252."""
    file.seek(0)
    decoder, size, encoding, first = codecs.getincrementaldecoder("utf-8")(), 0, "utf-8", b""
    while piece := file.read(_PIECE):
        if not size:
            first = piece
        size += len(piece)
        if size > MAX_BYTES:
            raise FieldError("csv", gettext("The file is larger than %(n)d MB.") % {"n": MAX_BYTES // 1024 // 1024})
        if encoding == "utf-8":
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                encoding = "cp1252"
    for signature, message in _SIGNATURES.items():
        if first.startswith(signature):
            raise FieldError("csv", gettext(message))
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig" if first.startswith(codecs.BOM_UTF8) else encoding


def _sample(file: BinaryIO, encoding: str) -> list[str]:
    """Return the first lines that are not blank, without what is beyond SAMPLE_LENGTH."""
    found: list[str] = []
    for line in _lines(file, encoding):
        if plain(line).strip():
            found.append(line[:SAMPLE_LENGTH])
        if len(found) == SAMPLE_LINES:
            break
    return found


def _lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    """Yield the lines with their ends. What is no character in the encoding is U+FFFD."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, errors="replace", newline="")
    try:
        for line in text:  # noqa: UP028 (`yield from` would close the file when the caller stops early)
            yield line
    finally:
        if not file.closed:
            text.detach()  # else the file is closed with it


def _delimiter_of(lines: Sequence[str], is_heading: IsHeading) -> str:
    """Return what separates the columns. Names with commas in a file of one column are no columns.

    A delimiter stands in the heading, or as often in every line.
    """
    for delimiter in DELIMITERS + NO_DELIMITER:
        cells = next(csv.reader([lines[0]], delimiter=delimiter), [])
        if is_heading(cells) and (delimiter == NO_DELIMITER or len(cells) > 1):
            return delimiter
    for delimiter in DELIMITERS:
        counts = {len(next(csv.reader([line], delimiter=delimiter), [])) for line in lines}
        if len(counts) == 1 and counts != {1}:
            return delimiter
    return NO_DELIMITER
