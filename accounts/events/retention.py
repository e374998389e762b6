"""Define what a step of retention reports, and how long it spares rows that still wait."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

#: How long an event or delivery that waits keeps itself and its lead beyond their time. This is longer than any retry.
SPARED_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Progress:
    """The result of one transaction of a step: its last key, what it erased, what failed, and whether the step is
    done."""

    position: str
    erased: Counter[str] = field(default_factory=Counter)
    failure: str = ""
    is_last: bool = False


#: Takes the key to continue after, and the time before which everything is erased.
Step = Callable[[str, datetime], Iterator[Progress]]
