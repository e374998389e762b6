"""Say in words what the trigger and the steps of a sequence are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Agency
from leads.conditions.target_lists import sentence_for
from leads.enums import LeadStatus, StepKind, TriggerKind
from leads.labels import STATUSES, STEP_KINDS, TRIGGER_KINDS
from leads.models import SequenceVersion
from leads.sequences.figures import NAMES
from leads.sequences.steps import Step, steps_of

ICONS = {
    StepKind.EMAIL: "mail",
    StepKind.LINKEDIN_CONNECT: "user-plus",
    StepKind.LINKEDIN_MESSAGE: "brand-linkedin",
    StepKind.PHONE_TASK: "list-check",
    StepKind.WAIT: "clock",
}


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step as a page shows it: what it does, when, for whom, and what became of it."""

    id: str
    icon: str
    title: str
    detail: str
    template: str
    when: str
    condition: str
    figures: Mapping[str, int]
    planned_at: datetime | None = None


def step_lines(
    version: SequenceVersion,
    agency: Agency,
    figures: Mapping[str, Mapping[str, int]],
    planned: Mapping[str, datetime],
) -> list[StepLine]:
    """Return the steps of a version in words."""
    names = dict(agency.message_templates.values_list("pk", "name"))
    return [
        StepLine(
            step.id,
            ICONS[step.kind],
            str(STEP_KINDS[step.kind]),
            names.get(step.template, "") or step.note,
            step.template,
            _when(step),
            sentence_for(agency, step.condition) if step.condition else "",
            figures.get(step.id, dict.fromkeys(NAMES, 0)),
            planned.get(step.id),
        )
        for step in steps_of(version.steps)
    ]


def step_names(steps: Sequence[Step]) -> dict[str, str]:
    """Return what each step is called in lists: its number and kind."""
    return {step.id: f"{number}. {STEP_KINDS[step.kind]}" for number, step in enumerate(steps, 1)}


def trigger_words(trigger: Mapping[str, Any], agency: Agency) -> str:
    """Return whom a sequence enrols, as a sentence."""
    kind = TriggerKind(trigger["kind"])
    what = {
        TriggerKind.STATUS: lambda: f": {STATUSES[LeadStatus(trigger['status'])].text}",
        TriggerKind.TAG: lambda: f": {trigger['tag']}",
    }.get(kind, lambda: "")()
    who = f" · {sentence_for(agency, trigger['conditions'])}" if trigger["conditions"] else ""
    return f"{TRIGGER_KINDS[kind]}{what}{who}"


def _when(step: Step) -> str:
    days = ngettext("%(n)d sending day later", "%(n)d sending days later", step.delay) % {"n": step.delay}
    parts = [days if step.delay else _("at once")]
    if step.window:
        times = {"begin": f"{step.window.begin:%H:%M}", "end": f"{step.window.end:%H:%M}"}
        parts.append(_("%(begin)s–%(end)s") % times)
    return ", ".join(parts)
