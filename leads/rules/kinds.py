"""Register the kinds of rules: routing, scoring, response targets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from accounts.models import Agency
from leads.models import Lead
from leads.models.rules import Rule


class Tally(Protocol):
    """Counts, in a preview, what a kind's rules would have done to each lead."""

    def add(self, lead: Lead, verdicts: Sequence[bool | None]) -> None:
        """Count one lead. A verdict for each rule: whether its conditions match, None if a missing value leaves it
        open."""

    def result(self) -> dict[str, Any]:
        """Return the counts as JSON."""


def _nothing(agency: Agency) -> None:
    pass


@dataclass(frozen=True, slots=True)
class RuleKind:
    """A kind of rules.

    `check` returns the kind's own fields, cleaned, or raises FieldError for one that is wrong or belongs to another
    agency. `targets` are those of them that name another object; a rule that comes back after its target is gone loses
    them. `tally` begins a preview of rules, given in their order. `on_change` follows every change of the set, in its
    transaction.
    """

    name: str
    model: type[Rule]
    check: Callable[[Agency, Mapping[str, Any]], dict[str, Any]]
    tally: Callable[[Agency, Sequence[Rule]], Tally]
    targets: tuple[str, ...] = ()
    on_change: Callable[[Agency], None] = _nothing


_kinds: dict[str, RuleKind] = {}


def register_rule_kind(kind: RuleKind) -> None:
    """Add a kind of rules. Versions store its name, so never change it."""
    _kinds[kind.name] = kind


def rule_kinds() -> list[RuleKind]:
    """Return all kinds."""
    return list(_kinds.values())


def rule_kind(name: str) -> RuleKind:
    """Return the kind with this name."""
    return _kinds[name]
