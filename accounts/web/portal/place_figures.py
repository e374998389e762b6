"""Collect what apps above `accounts` count at sub-accounts. Apps add their figures in `AppConfig.ready`."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from accounts.models import SubAccount

#: Takes the sub-accounts of a page, and returns the number at each by its id.
Count = Callable[[Collection[SubAccount]], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class PlaceFigure:
    name: str
    count: Count


_figures: dict[str, PlaceFigure] = {}


def add_place_figure(name: str, count: Count) -> None:
    """Add a figure; pages show it under its name."""
    _figures[name] = PlaceFigure(name, count)


def figures_at(places: Collection[SubAccount]) -> dict[str, Mapping[str, int]]:
    """Return the numbers of each figure by its name, then by the sub-account's id."""
    return {figure.name: figure.count(places) for figure in _figures.values()}
