"""Pages by key: read to the end, forwards and back, they show every row once, also where rows are equal."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.core.keyset import Page, Position, fetch_page, is_key
from accounts.models import Account, Agency, SubAccount
from webhooks.models import Receipt

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


def walk(rows: Any, *, column: str, descending: bool, backwards: bool) -> list[str]:
    """Return the ids of all pages of two, from one end to the other."""
    found: list[str] = []
    position = Position("zzz" if descending else "0", START.replace(year=2030 if descending else 2020))
    if backwards:
        position = Position("0" if descending else "zzz", START.replace(year=2020 if descending else 2030), True)
    while True:
        page: Page[Any] = fetch_page(rows, 2, position, column=column, descending=descending)
        ids = [row.pk for row in page.rows]
        found = ids + found if backwards else found + ids
        if not (page.has_before if backwards else page.has_after):
            return found
        edge = page.rows[0 if backwards else -1]
        position = Position(edge.pk, getattr(edge, column), backwards)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("column", ["pk", "installed_at"])
def test_every_row_is_on_one_page(agency: Agency, column: str, descending: bool, backwards: bool) -> None:
    for minute in (3, 1, 1, 1, 2):
        time = START + timedelta(minutes=minute)
        SubAccount.objects.create(agency=agency, location_id=f"l{SubAccount.objects.count()}", installed_at=time)
    rows = agency.sub_accounts.all()
    expected = [row.pk for row in sorted(rows, key=lambda row: (getattr(row, column), row.pk), reverse=descending)]
    assert walk(rows, column=column, descending=descending, backwards=backwards) == expected


def test_the_way_back_may_begin_with_the_row_itself(agency: Agency) -> None:
    first, second, third = (SubAccount.objects.create(agency=agency, location_id=f"l{n}") for n in range(3))
    without = fetch_page(agency.sub_accounts.all(), 5, Position(second.pk))
    included = fetch_page(agency.sub_accounts.all(), 5, Position(second.pk, inclusive=True))
    assert (without.rows, included.rows) == ([first], [second, first])
    assert (included.has_before, included.has_after) == (True, False)
    assert third not in included.rows


def test_a_page_that_is_cut_says_that_more_follows(agency: Agency) -> None:
    for n in range(3):
        SubAccount.objects.create(agency=agency, location_id=f"l{n}")
    page = fetch_page(agency.sub_accounts.all(), 3, trim=lambda rows: rows[:1])
    assert (len(page.rows), page.has_before, page.has_after) == (1, False, True)


@pytest.mark.parametrize(
    ("model", "value", "can_be"),
    [
        (Account, "acc_1", True),
        (Account, "a b", False),
        (Account, "a" * 41, False),
        (Account, 1, False),
        (Receipt, 1, True),
        (Receipt, 2**63, False),
        (Receipt, -1, False),
        (Receipt, True, False),
        (Receipt, "1", False),
    ],
)
def test_what_can_be_a_key(model: Any, value: Any, can_be: bool) -> None:
    assert is_key(model, value) is can_be
