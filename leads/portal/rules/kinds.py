"""Register what the pages of a kind of rules need beside what all kinds share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from accounts.models import Agency
from leads.models.rules import Rule
from leads.portal.rules.forms import RuleForm
from leads.rules.kinds import RuleKind

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


def _no_context(agency: Agency) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class RulePages:
    """The pages of one kind. `section` is their entry in the menu, `view` the name of the list's URL. `without` says
    what happens as long as there is no rule.

    `form` adds the fields of the kind. `effect_of` says in words what follows from a rule. `outcome` is the template
    that shows what a preview counted. `context` gives the list what `extra`, a template above it, shows.
    """

    kind: RuleKind
    section: str
    view: str
    title: "_StrPromise"
    intro: "_StrPromise"
    without: "_StrPromise"
    form: type[RuleForm]
    effect_of: Callable[[Rule], str]
    outcome: str
    extra: str = ""
    context: Callable[[Agency], dict[str, Any]] = field(default=_no_context)


_pages: dict[str, RulePages] = {}


def add_rule_pages(pages: RulePages) -> None:
    """Add the pages of a kind, by the kind's name."""
    _pages[pages.kind.name] = pages


def rule_pages(kind_name: str) -> RulePages | None:
    """Return the pages of the kind with this name, or None."""
    return _pages.get(kind_name)
