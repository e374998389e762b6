"""Model a source's usual traffic in each hour of the week, and how surprising a silence is. Pure.

A week has 168 slots. Each slot has the mean number of minutes with traffic over about the last four weeks. If a minute
with traffic has the probability p, a minute without adds -ln(1 - p) to the surprise: nothing at night where nights are
quiet, much at noon where noons are busy. A sum of 7 has a probability of about one in a thousand. Silences that end by
themselves, such as a person's holiday, raise the source's own limit.
"""

from dataclasses import dataclass, field
from datetime import datetime
from math import log

SLOTS = 168
MEMORY_WEEKS = 4.0
MIN_SURPRISE_LIMIT = 7.0
MAX_SURPRISE_LIMIT = 40.0
NATURAL_FACTOR = 1.5  # limit in multiples of the greatest surprise that ended by itself
HOURLY_DECAY = 0.999  # of the greatest surprise that ended by itself
MAX_CHANCE = 0.95  # of traffic within a minute


def slot_of(local_time: datetime) -> int:
    """Return the hour of the week, in the time's own zone."""
    return local_time.weekday() * 24 + local_time.hour


@dataclass(slots=True)
class TrafficBaseline:
    """Hold for each slot the mean minutes with traffic, and how many weeks were observed (at most MEMORY_WEEKS)."""

    busy: list[float] = field(default_factory=lambda: [0.0] * SLOTS)
    weeks: list[float] = field(default_factory=lambda: [0.0] * SLOTS)

    def learn_hour(self, slot: int, minutes: int) -> None:
        """Add one fully observed hour."""
        weeks = self.weeks[slot]
        self.busy[slot] += (minutes - self.busy[slot]) / (weeks + 1)
        self.weeks[slot] = min(weeks + 1, MEMORY_WEEKS)

    def surprise(self, slot: int) -> float:
        """Return the surprise of one minute without traffic in this slot; 0 if the slot was never observed."""
        chance = self._expected(slot) / 60
        return -log(1 - min(chance, MAX_CHANCE))

    def _expected(self, slot: int) -> float:
        """Return the expected minutes with traffic: smoothed over neighbouring slots, weighted by observed weeks."""
        weeks = self.weeks[slot]
        before, after = self.busy[slot - 1], self.busy[(slot + 1) % SLOTS]
        mean = min(self.busy[slot], 0.5 * self.busy[slot] + 0.25 * before + 0.25 * after)
        return mean * weeks / (weeks + 1)


def surprise_limit(most_natural: float) -> float:
    """Return the surprise from which a source counts as silent.

    `most_natural` is the greatest surprise that ended by itself.
    """
    return min(max(MIN_SURPRISE_LIMIT, NATURAL_FACTOR * most_natural), MAX_SURPRISE_LIMIT)
