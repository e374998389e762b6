"""What a step of retention reports, and how long what still waits is spared."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

#: An event or a delivery that waits keeps itself and its lead for so long after their time: longer than any retry.
SPARED_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Progress:
    """One transaction of a step: the key it ended at, what it erased, what it could not erase; the last of its step?"""

    position: str
    erased: Counter[str] = field(default_factory=Counter)
    failure: str = ""
    is_last: bool = False


#: Takes the key to go on after, and the time before which everything is erased.
Step = Callable[[str, datetime], Iterator[Progress]]
