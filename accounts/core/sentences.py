"""Store what Leadline says about a row as a code with values, and say it in the language of whoever reads.

A row keeps the English text as well, which programs read, and `stored(text)` beside it. A page shows
`in_readers_language(row.sentence, row.text)`. The code is stable; the wording may change.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext, override

from accounts.core.wording import SEVERAL, WORDINGS, Sentence, sentence

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Write = Callable[[Any], str]
_kinds: dict[str, "SentenceKind"] = {}


@dataclass(frozen=True, slots=True)
class SentenceKind:
    """One sentence that Leadline can say. Call it with its values to say it.

    `text` is translated lazily and names its values as `%(name)s`. `writes` say how a value is written for people;
    values are stored as JSON. A value may be a sentence itself.
    """

    code: str
    text: "_StrPromise"
    writes: Mapping[str, Write]

    def __call__(self, **values: Any) -> Sentence:
        with override("en"):
            return sentence(self.say(values), self.code, values)

    def say(self, values: Mapping[str, Any]) -> str:
        """Return the text in the active language."""
        written = {name: self.writes[name](value) if name in self.writes else value for name, value in values.items()}
        return str(self.text % _said(written)).strip()


def define(code: str, text: "_StrPromise", **writes: Write) -> SentenceKind:
    """Define a sentence under a code that no other has. `text` comes from `gettext_lazy` or `ngettext_lazy`."""
    if code in _kinds or code in WORDINGS:
        raise ValueError(f"There are two sentences of the code {code}.")
    _kinds[code] = SentenceKind(code, text, writes)
    return _kinds[code]


def stored(text: str) -> dict[str, Any] | None:
    """Return what a row keeps beside its text: the sentence's code and values, None for a text of somebody else's."""
    return text.stored if isinstance(text, Sentence) else None


def in_readers_language(kept: Mapping[str, Any] | None, text: str) -> str:
    """Return a stored sentence in the active language. Without one that is known, return `text` as `own_words` does.

    A row whose text is empty says nothing, whatever sentence is left in it.
    """
    if not kept or not text:
        return own_words(text)
    try:
        return _say_again(kept)
    except (KeyError, TypeError, ValueError):  # stored by another release
        return text


def own_words(text: str) -> str:
    """Return a stored text in the active language if it is a whole sentence of ours, marked with `gettext_noop`."""
    return gettext(text) if text else ""


def _say_again(kept: Mapping[str, Any]) -> str:
    values = {name: value for name, value in kept.items() if name != "code"}
    if kept["code"] == SEVERAL:
        return " ".join(_say_again(part) if isinstance(part, Mapping) else own_words(part) for part in values["parts"])
    if kept["code"] in _kinds:
        return _kinds[kept["code"]].say(values)
    return gettext(WORDINGS[kept["code"]].text) % _said(values)


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with sentences among them in the active language."""
    return {name: _say_again(value) if isinstance(value, Mapping) else value for name, value in values.items()}
