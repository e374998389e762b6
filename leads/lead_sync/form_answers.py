"""Turn a lead form's answers into a lead's fields. Pure: a response and a form of LinkedIn's in, plain values out.

An answer carries only the id of its question; the form says what it means. `predefinedField` decides, never the
question's name (that is in its creator's language). Empty optional answers are left out by LinkedIn.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from leads.pipeline.form_fields import PREDEFINED_FIELDS
from leads.pipeline.phones import e164

MAX_LENGTHS = {
    "first_name": 200,
    "last_name": 200,
    "email": 254,
    "phone": 50,
    "title": 300,
    "company": 300,
    "company_size": 100,
    "industry": 200,
    "country": 100,
    "state": 100,
    "postal_code": 32,
    "location": 300,
    "linkedin_url": 500,
}
MAX_ANSWER_LENGTH = 4000
MAX_ANSWERS = 200
SECONDS_BELOW = 10**11


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a response says. `contact` has only fields that were answered."""

    contact: Mapping[str, str]
    answers: list[dict[str, Any]] = field(default_factory=list)
    consents: list[dict[str, Any]] = field(default_factory=list)
    hidden_fields: list[dict[str, str]] = field(default_factory=list)
    locale: str = ""
    is_test: bool = False


class Answered(Protocol):
    """A lead with its answers as they are stored."""

    answers: Any
    consents: Any
    hidden_fields: Any
    is_test: Any


def details(response: Mapping[str, Any], form: Mapping[str, Any]) -> Details:
    """Join a response with its form. Leave out what does not look as documented."""
    locale = locale_of(form)
    content = _record(form.get("content"))
    questions = {str(row.get("questionId")): row for row in _rows(content.get("questions"))}
    said = _record(response.get("formResponse"))
    answers = [_answer(row, questions, locale) for row in _rows(said.get("answers"))[:MAX_ANSWERS]]
    return Details(
        contact=_contact(answers),
        answers=answers,
        consents=_consents(said, content, locale),
        hidden_fields=_hidden(said, form),
        locale=locale,
        is_test=response.get("testLead") is True,
    )


def relabelled(lead: Answered, form: Mapping[str, Any]) -> Details | None:
    """Join answers that are stored by their questions' ids alone with their form. None: they answer another form."""
    known = {str(row.get("questionId")) for row in _rows(_record(form.get("content")).get("questions"))}
    if not any(row["question_id"] in known for row in lead.answers):
        return None
    said = {
        "answers": [
            {
                "questionId": row["question_id"],
                "answerDetails": {"multipleChoiceAnswer": {"options": row["value"]}}
                if isinstance(row["value"], list)
                else {"textQuestionAnswer": {"answer": row["value"]}},
            }
            for row in lead.answers
        ],
        "consentResponses": [{"consentId": row["consent_id"], "accepted": row["accepted"]} for row in lead.consents],
        "hiddenFields": lead.hidden_fields,
    }
    return details({"formResponse": said, "testLead": lead.is_test}, form)


def submitted_at(response: Mapping[str, Any]) -> datetime | None:
    """Return when the person sent the form, or None if that is not said. Some responses have seconds instead of ms."""
    submitted: Any = response.get("submittedAt")
    if isinstance(submitted, str) and submitted.isascii() and submitted.isdigit():
        submitted = int(submitted[:20])
    if type(submitted) not in {int, float} or not 0 < submitted < 10**14:
        return None
    return datetime.fromtimestamp(submitted if submitted < SECONDS_BELOW else submitted / 1000, tz=UTC)


def locale_of(form: Mapping[str, Any]) -> str:
    """Return the form's language and country, such as `en_US`, from `creationLocale`."""
    where = _record(form.get("creationLocale"))
    return tidy("_".join(str(where[part]) for part in ("language", "country") if where.get(part)), 16)


def tidy(text: Any, limit: int = MAX_ANSWER_LENGTH) -> str:
    """Return a text without what databases refuse (NUL, lone surrogates), cut to `limit` characters."""
    if not isinstance(text, str):
        return ""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()[:limit].strip()


def _answer(row: Mapping[str, Any], questions: Mapping[str, Mapping[str, Any]], locale: str) -> dict[str, Any]:
    question_id = tidy(str(row.get("questionId", "")), 64)
    question = questions.get(question_id, {})
    return {
        "question_id": question_id,
        "predefined_field": tidy(question.get("predefinedField"), 64),
        "label": _localized(question.get("question"), locale) or tidy(question.get("name"), 300),
        "value": _value(_record(row.get("answerDetails")), question, locale),
    }


def _value(given: Mapping[str, Any], question: Mapping[str, Any], locale: str) -> str | list[str]:
    """Return the answer's text, or the texts of the choices. A choice that the form does not list is given by its
    number, an answer of an unknown kind as LinkedIn wrote it."""
    if "textQuestionAnswer" in given or not given:
        return tidy(_record(given.get("textQuestionAnswer")).get("answer"))
    if "multipleChoiceAnswer" not in given:
        texts_given = (tidy(_record(kind).get("answer")) for kind in given.values())
        return next(filter(None, texts_given), "") or tidy(json.dumps(given, ensure_ascii=False))
    kinds = _record(question.get("questionDetails"))
    rows = _rows(_record(kinds.get("multipleChoiceQuestionDetails")).get("options"))
    texts = {str(row.get("id")): _localized(row.get("text"), locale) for row in rows}
    chosen = _record(given["multipleChoiceAnswer"]).get("options")
    options = [tidy(str(option), 64) for option in (chosen if isinstance(chosen, list) else [])[:100]]
    return [texts.get(option) or option for option in options]


def _contact(answers: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    given = {row["predefined_field"]: row["value"] for row in reversed(list(answers)) if row["predefined_field"]}
    contact: dict[str, str] = {}
    for theirs, ours in PREDEFINED_FIELDS.items():
        value = given.get(theirs)
        text = ", ".join(value) if isinstance(value, list) else value
        if text and ours not in contact:
            contact[ours] = text[: MAX_LENGTHS[ours]]
    if number := e164(contact.get("phone", ""), country=contact.get("country", "")):
        contact["phone_e164"] = number
    return contact


def _consents(said: Mapping[str, Any], content: Mapping[str, Any], locale: str) -> list[dict[str, Any]]:
    asked = _rows(_record(content.get("legalInfo")).get("consents"))
    texts = {str(row.get("id")): _localized(row.get("consent"), locale) for row in asked}
    return [
        {
            "consent_id": tidy(str(row.get("consentId", "")), 64),
            "text": texts.get(str(row.get("consentId")), ""),
            "accepted": row.get("accepted") is True,
        }
        for row in _rows(said.get("consentResponses"))[:MAX_ANSWERS]
    ]


def _hidden(said: Mapping[str, Any], form: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the form's hidden fields, with the values of the response where it has some."""
    found: dict[str, str] = {}
    for row in (*_rows(form.get("hiddenFields")), *_rows(said.get("hiddenFields"))):
        if name := tidy(row.get("name"), 200):
            found[name] = tidy(row.get("value"))
    return [{"name": name, "value": value} for name, value in list(found.items())[:MAX_ANSWERS]]


def _localized(text: Any, locale: str) -> str:
    """Return a text in the form's language, else in the first it has."""
    texts = _record(_record(text).get("localized"))
    return tidy(texts.get(locale) or next(iter(texts.values()), ""), 1000)


def _record(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
