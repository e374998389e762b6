"""Store what Leadline says about a row as a code with values, and say it in the language of whoever reads.

A row keeps the English text as well, which programs read, and `stored(text)` beside it. A page shows
`in_readers_language(row.sentence, row.text)`. The code is stable; the wording may change.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext, override

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Write = Callable[[Any], str]
_kinds: dict[str, "SentenceKind"] = {}


class Sentence(str):
    """The English text of a sentence, with the code and the values that it is made of."""

    stored: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SentenceKind:
    """One sentence that Leadline can say. Call it with its values to say it.

    `text` is translated lazily and names its values as `%(name)s`. `writes` say how a value is written for people;
    values are stored as JSON.
    """

    code: str
    text: "_StrPromise"
    writes: Mapping[str, Write]

    def __call__(self, **values: Any) -> Sentence:
        with override("en"):
            sentence = Sentence(self.say(values))
        sentence.stored = {"code": self.code, **values}
        return sentence

    def say(self, values: Mapping[str, Any]) -> str:
        """Return the text in the active language."""
        written = {name: self.writes[name](value) if name in self.writes else value for name, value in values.items()}
        return str(self.text % written).strip()


def define(code: str, text: "_StrPromise", **writes: Write) -> SentenceKind:
    """Define a sentence under a code that no other has. `text` comes from `gettext_lazy` or `ngettext_lazy`."""
    if code in _kinds:
        raise ValueError(f"There are two sentences of the code {code}.")
    _kinds[code] = SentenceKind(code, text, writes)
    return _kinds[code]


def stored(text: str) -> dict[str, Any] | None:
    """Return what a row keeps beside its text: the sentence's code and values, None for a text of somebody else's."""
    return text.stored if isinstance(text, Sentence) else None


def in_readers_language(kept: Mapping[str, Any] | None, text: str) -> str:
    """Return a stored sentence in the active language, or `text` if there is none, or none that is known."""
    kind = _kinds.get(kept["code"]) if kept else None
    if kind is None or kept is None:
        return text
    try:
        return kind.say({name: value for name, value in kept.items() if name != "code"})
    except (KeyError, TypeError, ValueError):  # stored by another release
        return text


def own_words(text: str) -> str:
    """Return a stored text in the active language if it is a whole sentence of ours, marked with `gettext_noop`."""
    return gettext(text) if text else ""
