"""Write drafts of messages to a lead: from a template, or by a model of the operator's choice.

A draft is never sent by itself. Each word, number and name of it that occurs in nothing that the drafter was given is
marked as unsupported; such a draft can only be sent by a person.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
import urllib3
from django.conf import settings
from django.utils.translation import gettext
from urllib3.exceptions import HTTPError

from accounts.core.derived_fields import fold
from accounts.core.text import plain, shorten
from leads.enums import MessageAuthor
from leads.models import Lead, MessageTemplate
from leads.models.templates import MAX_TEXT_LENGTH
from leads.sequences.template_fields import FIELDS, values_for
from leads.sequences.templates import fill_for

log = structlog.get_logger(__name__)

MAX_MESSAGES = 20
MAX_ANSWER_BYTES = 256 * 1024
TIMEOUT = urllib3.Timeout(connect=5, read=30)
_pool = urllib3.PoolManager(num_pools=2, maxsize=4, retries=False, timeout=TIMEOUT)
_WORD = re.compile(r"[^\W_]+(?:['’\-.,][^\W_]+)*")
#: What a model is told before the facts.
_INSTRUCTIONS = (
    "You draft a short message from a sales team to a lead. Use only the facts that are given, each with its id. "
    "Invent no name, number, date, price or promise. Answer with the text of the message alone, in the language of "
    "the conversation, without a subject and without placeholders."
)


class DraftError(Exception):
    """No draft could be written. The message is for people."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is known of a lead, and where it comes from: `answer: Budget`, `field: company`, `message`."""

    id: str
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class DraftPart:
    """A piece of a draft. `sources` are the facts that its word occurs in. Unsupported words have none."""

    text: str
    sources: tuple[str, ...] = ()
    is_unsupported: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    text: str
    parts: Sequence[DraftPart]

    @property
    def needs_person(self) -> bool:
        """Return whether only a person may send it."""
        return any(part.is_unsupported for part in self.parts)


class Drafter(Protocol):
    """Writes a draft to a lead from facts and the agency's brief. Raises DraftError."""

    def write(self, lead: Lead, facts: Sequence[Fact], brief: str) -> Draft: ...


class TemplateDrafter:
    """Fills a template. All that it says is the template's or the lead's, so nothing is unsupported."""

    def __init__(self, template: MessageTemplate) -> None:
        self.template = template

    def write(self, lead: Lead, facts: Sequence[Fact], brief: str) -> Draft:
        filled = fill_for(self.template, lead)
        if filled.missing:
            raise DraftError(gettext("This lead has no value for %(fields)s.") % {"fields": ", ".join(filled.missing)})
        parts = [
            DraftPart(part.text, (f"field: {part.field}",) if part.field else (f"template: {self.template}",))
            for part in filled.text
        ]
        return Draft(filled.body_text, parts)


class ModelDrafter:
    """Asks an OpenAI-compatible endpoint, `{url}/chat/completions`, that the operator has chosen."""

    def __init__(self, url: str, model: str, key: str) -> None:
        self.url, self.model, self.key = url.rstrip("/"), model, key

    def write(self, lead: Lead, facts: Sequence[Fact], brief: str) -> Draft:
        known = "\n".join(f"[{fact.id}] {fact.source}: {fact.text}" for fact in facts)
        body = {
            "model": self.model,
            "temperature": 0.3,
            "messages": [
                {"role": "system", "content": _INSTRUCTIONS},
                {"role": "user", "content": f"Brief of the team:\n{brief or '-'}\n\nFacts:\n{known}"},
            ],
        }
        text = plain(shorten(_text_of(self._ask(body)), MAX_TEXT_LENGTH), lines=True).strip()
        if not text:
            raise DraftError(gettext("The drafter answered nothing."))
        return marked(text, [*facts, Fact("brief", "brief", brief)])

    def _ask(self, body: Any) -> Any:
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        try:
            response = _pool.request(
                "POST", f"{self.url}/chat/completions", body=json.dumps(body).encode(), headers=headers,
                preload_content=False, redirect=False,
            )  # fmt: skip
            try:
                content = response.read(MAX_ANSWER_BYTES + 1)
            finally:
                response.release_conn()
        except HTTPError as error:
            log.warning("drafter_failed", error=type(error).__name__)
            raise DraftError(gettext("The drafter did not answer.")) from error
        if response.status != 200 or len(content) > MAX_ANSWER_BYTES:
            log.warning("drafter_failed", status=response.status)
            raise DraftError(gettext("The drafter refused, with status %(status)s.") % {"status": response.status})
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise DraftError(gettext("The drafter's answer cannot be read.")) from error


def has_model() -> bool:
    """Return whether the operator has chosen a model."""
    return bool(settings.DRAFTER_URL and settings.DRAFTER_MODEL)


def drafter_for(template: MessageTemplate | None) -> Drafter | None:
    """Return the template's drafter if there is one, else the operator's model. None: no draft can be written."""
    if template is not None:
        return TemplateDrafter(template)
    if has_model():
        return ModelDrafter(settings.DRAFTER_URL, settings.DRAFTER_MODEL, settings.DRAFTER_KEY)
    return None


def facts_about(lead: Lead) -> list[Fact]:
    """Return what is known of a lead: fields, answers of the form, and the latest messages of all conversations."""
    found = [(f"field: {name}", value) for name, value in values_for(lead).items() if value and name in FIELDS]
    for answer in lead.answers:
        if isinstance(answer, dict) and answer.get("value"):
            found.append((f"answer: {answer.get('label') or answer.get('question_id') or '?'}", str(answer["value"])))
    messages = lead.messages.filter(thread__isnull=False).order_by("-occurred_at", "-pk")[:MAX_MESSAGES]
    for message in reversed(messages):
        who = "message of the lead" if message.author == MessageAuthor.LEAD else "message of the team"
        found.append((who, message.text))
    return [Fact(f"f{number}", source, text) for number, (source, text) in enumerate(found, 1)]


def marked(text: str, facts: Sequence[Fact]) -> Draft:
    """Link each word, number and name of a text to the facts that it occurs in. Those in no fact are unsupported."""
    known: dict[str, list[str]] = {}
    for fact in facts:
        of_source = fact.source.partition(": ")[2]  # a question's or a field's name
        for word in {fold(one) for one in _WORD.findall(f"{of_source} {fact.text}")}:
            known.setdefault(word, []).append(fact.source)
    parts: list[DraftPart] = []
    end = 0
    for found in _WORD.finditer(text):
        if found.start() > end:
            parts.append(DraftPart(text[end : found.start()]))
        word = found[0]
        sources = tuple(dict.fromkeys(known.get(fold(word), ())))
        parts.append(DraftPart(word, sources, is_unsupported=not sources))
        end = found.end()
    if end < len(text):
        parts.append(DraftPart(text[end:]))
    return Draft(text, parts)


def _text_of(answer: Any) -> str:
    """Return the text of the first choice. Raises DraftError."""
    try:
        text = answer["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise DraftError(gettext("The drafter's answer cannot be read.")) from error
    if not isinstance(text, str):
        raise DraftError(gettext("The drafter's answer cannot be read."))
    return text
