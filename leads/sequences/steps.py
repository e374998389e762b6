"""Check the trigger and the steps of a sequence, and read them from a version."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, Self

from django.utils.translation import gettext

from accounts.core.errors import FieldError
from accounts.core.ids import encode_base32
from accounts.core.text import plain
from accounts.models import Agency
from leads.conditions.errors import ConditionError
from leads.conditions.target_lists import compile_for
from leads.enums import LeadStatus, StepKind, TemplateChannel, TriggerKind
from leads.models import MessageTemplate
from leads.models.activities import MAX_TITLE_LENGTH
from leads.sequences.templates import check_text
from leads.sequences.timing import Window

MAX_STEPS = 30
MAX_DELAY = 180
MAX_TAG_LENGTH = 100
#: The longest note that LinkedIn takes from every account.
MAX_INVITATION_NOTE = 200
#: What the template of a step is sent by.
CHANNELS = {StepKind.EMAIL: TemplateChannel.EMAIL, StepKind.LINKEDIN_MESSAGE: TemplateChannel.LINKEDIN}
#: Kinds of steps that write to the lead by themselves: the contact brake applies to them.
WRITES = frozenset({StepKind.EMAIL, StepKind.LINKEDIN_CONNECT, StepKind.LINKEDIN_MESSAGE})
_ID = re.compile(r"[a-z0-9_]{1,40}", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a version. `id` stays the same over versions, whatever its place is."""

    id: str
    kind: StepKind
    delay: int
    window: Window | None
    template: str
    note: str
    condition: Mapping[str, Any]

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """Return a stored step."""
        window = stored.get("window")
        return cls(
            stored["id"],
            StepKind(stored["kind"]),
            stored["delay"],
            Window(time.fromisoformat(window["from"]), time.fromisoformat(window["to"])) if window else None,
            stored.get("template") or "",
            stored.get("note") or "",
            stored.get("condition") or {},
        )


def steps_of(stored: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Return the steps of a version in their order."""
    return [Step.of(step) for step in stored]


def checked_trigger(agency: Agency, trigger: Mapping[str, Any]) -> dict[str, Any]:
    """Check a sequence's trigger, and return it in the form in which it is stored. Raises FieldError."""
    kind = trigger.get("kind")
    if kind not in set(TriggerKind):
        raise FieldError("trigger.kind", gettext("Use one of %(kinds)s.") % {"kinds": ", ".join(TriggerKind)})
    conditions = trigger.get("conditions") or {}
    _check_conditions(agency, conditions, "trigger.conditions")
    status, tag = trigger.get("status") or "", " ".join(plain(trigger.get("tag") or "").split())
    if (kind == TriggerKind.STATUS) != bool(status) or (status and status not in set(LeadStatus)):
        raise FieldError("trigger.status", gettext("Name the status that enrols a lead, for this kind alone."))
    if (kind == TriggerKind.TAG) != bool(tag) or len(tag) > MAX_TAG_LENGTH:
        raise FieldError("trigger.tag", gettext("Name the tag that enrols a lead, for this kind alone."))
    return {"kind": TriggerKind(kind).value, "status": status, "tag": tag, "conditions": conditions}


def checked_steps(agency: Agency, steps: Sequence[Mapping[str, Any]], known: Sequence[Step]) -> list[dict[str, Any]]:
    """Return steps as they are stored. A step without an id gets one that no `known` step has. Raises FieldError."""
    if not 1 <= len(steps) <= MAX_STEPS:
        raise FieldError("steps", gettext("A sequence has 1 to %(n)d steps.") % {"n": MAX_STEPS})
    given = [step.get("id") or "" for step in steps]
    for place, step_id in enumerate(given):
        if step_id and (not _ID.fullmatch(step_id) or given.count(step_id) > 1):
            raise FieldError(f"steps.{place}.id", gettext("The id of a step is used once, and has no blanks."))
    taken = {*given, *(step.id for step in known)}
    found = []
    for place, step in enumerate(steps):
        step_id = given[place] or _new_id(taken)
        taken.add(step_id)
        found.append({"id": step_id, **_checked_step(agency, step, f"steps.{place}")})
    _check_kinds_stay(found, known)
    return found


def _check_kinds_stay(steps: Sequence[Mapping[str, Any]], known: Sequence[Step]) -> None:
    """Raise FieldError if a step changes its kind: it would be another step, which has not been carried out."""
    kinds = {step.id: step.kind for step in known}
    for place, step in enumerate(steps):
        if kinds.get(step["id"], step["kind"]) != step["kind"]:
            raise FieldError(f"steps.{place}.kind", gettext("Add a new step instead of changing the kind of this one."))


def _new_id(taken: set[str]) -> str:
    return next(one for number in range(1, 10_000) if (one := f"s{encode_base32(number, 2)}") not in taken)


def _checked_step(agency: Agency, step: Mapping[str, Any], path: str) -> dict[str, Any]:
    kind = step.get("kind")
    if kind not in set(StepKind):
        raise FieldError(f"{path}.kind", gettext("Use one of %(kinds)s.") % {"kinds": ", ".join(StepKind)})
    kind = StepKind(kind)
    delay = step.get("delay") or 0
    if not isinstance(delay, int) or not 0 <= delay <= MAX_DELAY:
        raise FieldError(f"{path}.delay", gettext("Wait 0 to %(n)d sending days.") % {"n": MAX_DELAY})
    if kind is StepKind.WAIT and not delay:
        raise FieldError(f"{path}.delay", gettext("Say how many sending days this step waits."))
    condition = step.get("condition") or {}
    _check_conditions(agency, condition, f"{path}.condition")
    return {
        "kind": kind.value,
        "delay": delay,
        "window": _checked_window(step.get("window"), f"{path}.window"),
        "template": _checked_template(agency, kind, step.get("template") or "", f"{path}.template"),
        "note": _checked_note(kind, step.get("note") or "", f"{path}.note"),
        "condition": condition,
    }


def _checked_window(window: Any, path: str) -> dict[str, str] | None:
    if not window:
        return None
    given = (window.get("from"), window.get("to")) if isinstance(window, Mapping) else ("", "")
    begin, end = ("" if one is None else str(one) for one in given)
    if not (_TIME.fullmatch(begin) and _TIME.fullmatch(end) and begin < end):
        raise FieldError(path, gettext("Give a window such as 09:00 to 17:00."))
    return {"from": begin, "to": end}


def _checked_template(agency: Agency, kind: StepKind, template_id: str, path: str) -> str:
    channel = CHANNELS.get(kind)
    if channel is None:
        if template_id:
            raise FieldError(path, gettext("Steps of this kind have no template."))
        return ""
    template = MessageTemplate.objects.filter(agency=agency, pk=template_id).first()
    if template is None or template.channel != channel:
        raise FieldError(path, gettext("Choose a template for %(channel)s.") % {"channel": channel.value})
    return template.pk


def _checked_note(kind: StepKind, note: str, path: str) -> str:
    """Return the note: of an invitation what it says, of a task what is to be done."""
    note = plain(note, lines=True).strip()
    if kind is StepKind.PHONE_TASK:
        if not note or len(note) > MAX_TITLE_LENGTH or "\n" in note:
            text = gettext("Say in up to %(n)d characters what is to be done.") % {"n": MAX_TITLE_LENGTH}
            raise FieldError(path, text)
    elif kind is not StepKind.LINKEDIN_CONNECT and note:
        raise FieldError(path, gettext("Steps of this kind have no note."))
    elif len(note) > MAX_INVITATION_NOTE:
        raise FieldError(path, gettext("Use at most %(n)d characters.") % {"n": MAX_INVITATION_NOTE})
    check_text(path, note)
    return note


def _check_conditions(agency: Agency, tree: Any, path: str) -> None:
    try:
        compile_for(agency, tree)
    except ConditionError as error:
        raise FieldError(path, str(error)) from error
