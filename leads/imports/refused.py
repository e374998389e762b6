"""Write the refused rows of an import as a CSV file, with the reason of each."""

from collections.abc import Iterator, Mapping

from accounts.core.csv_export import BYTE_ORDER_MARK, DELIMITERS, csv_lines
from leads.enums import RowOutcome
from leads.models import ImportRow, LeadImport

PAGE_SIZE = 500


def refused_chunks(found: LeadImport, reasons: Mapping[str, object], *, row: str, reason: str) -> Iterator[str]:
    """Yield the file in chunks: the columns of the upload behind the row's number and why it was refused.

    `row` and `reason` are the headings of the first two columns.
    """
    delimiter = found.delimiter if found.delimiter in DELIMITERS else ","
    yield BYTE_ORDER_MARK + "".join(csv_lines([[row, reason, *found.headings]], delimiter))
    last = 0
    while rows := _page(found, last):
        last = rows[-1].number
        yield "".join(csv_lines(([one.number, str(reasons[one.reason]), *one.cells] for one in rows), delimiter))


def _page(found: LeadImport, last: int) -> list[ImportRow]:
    rows = found.rows.filter(outcome=RowOutcome.REFUSED, number__gt=last)
    return list(rows.order_by("number")[:PAGE_SIZE])
