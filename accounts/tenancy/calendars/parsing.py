"""Check working hours as people and programs give them, and read stored ones."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from accounts.core.errors import FieldError
from accounts.models.calendar import Calendar, CalendarException
from accounts.tenancy.calendars.hours import DAY_MINUTES, WHOLE_DAY, Block, DatedException, Hours, merged

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_BLOCKS = 6  # of a day
MAX_EXCEPTIONS = 500
MAX_EXCEPTION_DAYS = 366
MAX_NAME_LENGTH = 120

_CLOCK = re.compile(r"(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)


def hours_of(calendar: Calendar) -> Hours:
    """Return a calendar's hours, with its exceptions."""
    return Hours(
        ZoneInfo(calendar.timezone),
        tuple(merged(_stored(calendar.week.get(day, []))) for day in DAYS),
        tuple(_dated(one) for one in calendar.exceptions.all()),
        calendar.always_open,
    )


def clean_week(week: Any) -> dict[str, list[list[str]]]:
    """Return a week with the blocks of each day in order, overlapping ones as one. Raises FieldError."""
    if not isinstance(week, Mapping):
        raise FieldError("week", f"Give the blocks of each day: {', '.join(DAYS)}.")
    if unknown := week.keys() - set(DAYS):
        raise FieldError("week", f"“{min(map(str, unknown))}” is no day. The days are {', '.join(DAYS)}.")
    return {day: clean_blocks(week.get(day, []), "week") for day in DAYS}


def clean_blocks(blocks: Any, field: str) -> list[list[str]]:
    """Return blocks in order, overlapping ones as one. Raises FieldError."""
    if not isinstance(blocks, Sequence) or isinstance(blocks, str) or len(blocks) > MAX_BLOCKS:
        raise FieldError(field, f"Give at most {MAX_BLOCKS} blocks a day, each as [from, to].")
    together = merged([_block(one, field) for one in blocks])
    if any(one.end - one.start > DAY_MINUTES for one in together):
        raise FieldError(field, "The blocks of one day cover more than 24 hours; give the rest to the next day.")
    return [[_text(one.start), _text(one.end)] for one in together]


def clean_exception(given: Mapping[str, Any]) -> CalendarException:
    """Return an exception that is not saved. Raises FieldError."""
    first, last = given["first"], given.get("last") or given["first"]
    if not isinstance(first, date) or not isinstance(last, date) or last < first:
        raise FieldError("exceptions", "An exception ends on or after the day on which it begins.")
    if last - first >= timedelta(days=MAX_EXCEPTION_DAYS):
        raise FieldError("exceptions", f"An exception lasts at most {MAX_EXCEPTION_DAYS} days.")
    blocks, working = clean_blocks(given.get("blocks") or [], "exceptions"), bool(given.get("working"))
    if working and not blocks:
        raise FieldError("exceptions", "Give the hours that are added.")
    name = str(given.get("name") or "")[:MAX_NAME_LENGTH]
    return CalendarException(name=name, first=first, last=last, working=working, blocks=blocks)


def _block(given: Any, field: str) -> Block:
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != 2:
        raise FieldError(field, "A block is [from, to].")
    start, end = (_minutes(one, field) for one in given)
    if start == DAY_MINUTES:
        raise FieldError(field, "A block begins before 24:00.")
    return Block(start, end if end > start else end + DAY_MINUTES)


def _minutes(clock: Any, field: str) -> int:
    match = _CLOCK.fullmatch(clock) if isinstance(clock, str) else None
    if match is None:
        raise FieldError(field, "Give times of the day as 09:30.")
    return DAY_MINUTES if match[1] is None else int(match[1]) * 60 + int(match[2])


def _text(minutes: int) -> str:
    return "24:00" if minutes == DAY_MINUTES else f"{minutes % DAY_MINUTES // 60:02}:{minutes % 60:02}"


def _stored(blocks: list[list[str]]) -> list[Block]:
    return [_block(one, "week") for one in blocks]


def _dated(row: CalendarException) -> DatedException:
    blocks = tuple(_stored(row.blocks)) or (WHOLE_DAY,)
    return DatedException(row.first, row.last, row.working, blocks)
