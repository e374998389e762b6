"""A source's rhythm: how busy each hour of its week usually is, and how surprising it is that nothing comes. Pure.

A week has 168 slots. For each the mean number of minutes is kept in which something came, over about the last four
weeks. If such a minute has the chance p, a minute without is worth -ln(1 - p) of surprise: nothing at night where
nights are quiet, much at noon where noons are busy. A sum of 7 stands for a chance of about one in a thousand. What a
source is unlikely to do but does now and then (it is a person's business that pauses) raises its own limit.
"""

from dataclasses import dataclass, field
from datetime import datetime
from math import log

SLOTS = 168
WEEKS = 4.0  # of memory
SURPRISE = 7.0
MAX_SURPRISE = 40.0  # at which every source is called silent
NATURAL = 1.5  # a silence is one and a half times as surprising as those that ended by themselves
FADES = 0.999  # an hour
SURE = 0.95  # no minute is surer than that


def slot_of(moment: datetime) -> int:
    """The hour of the week, in the moment's own time zone."""
    return moment.weekday() * 24 + moment.hour


@dataclass(slots=True)
class TrafficBaseline:
    """Mean busy minutes for each slot, and how many weeks each was watched (at most WEEKS)."""

    busy: list[float] = field(default_factory=lambda: [0.0] * SLOTS)
    weeks: list[float] = field(default_factory=lambda: [0.0] * SLOTS)

    def learn(self, slot: int, minutes: int) -> None:
        """Take in one whole hour that was watched."""
        weeks = self.weeks[slot]
        self.busy[slot] += (minutes - self.busy[slot]) / (weeks + 1)
        self.weeks[slot] = min(weeks + 1, WEEKS)

    def surprise(self, slot: int) -> float:
        """How surprising one quiet minute is in this slot; 0 as long as it was never watched."""
        chance = self._expected(slot) / 60
        return -log(1 - min(chance, SURE))

    def _expected(self, slot: int) -> float:
        """Smoothed over the neighbours, and the more believed the more weeks speak for it."""
        weeks = self.weeks[slot]
        before, after = self.busy[slot - 1], self.busy[(slot + 1) % SLOTS]
        mean = min(self.busy[slot], 0.5 * self.busy[slot] + 0.25 * before + 0.25 * after)
        return mean * weeks / (weeks + 1)


def limit(most_natural: float) -> float:
    """The surprise from which on a source is silent, given the greatest that ended by itself."""
    return min(max(SURPRISE, NATURAL * most_natural), MAX_SURPRISE)
