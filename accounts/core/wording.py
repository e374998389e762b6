"""Say in English what is stored, with the code and the values that it is made of. Pure.

`accounts.core.sentences` says it again in the language of whoever reads. Pure modules define their sentences here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WORDINGS: dict[str, "Wording"] = {}
SEVERAL = "several"  # the code of sentences in a row


class Sentence(str):
    """The English text of a sentence, with the code and the values that it is made of."""

    stored: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wording:
    """One sentence with values. Call it with them to say it. `text` names them as `%(name)s`."""

    code: str
    text: str

    def __post_init__(self) -> None:
        if self.code in WORDINGS:
            raise ValueError(f"There are two wordings of the code {self.code}.")
        WORDINGS[self.code] = self

    def __call__(self, **values: Any) -> Sentence:
        return sentence(self.text % values, self.code, values)


def sentence(text: str, code: str, values: Mapping[str, Any]) -> Sentence:
    """Return a text with what is stored of it. A value may be a sentence itself."""
    said = Sentence(text)
    said.stored = {"code": code, **{name: as_stored(value) for name, value in values.items()}}
    return said


def several(*texts: str) -> Sentence:
    """Return sentences as one text. Those without a code are whole sentences, or somebody else's words."""
    parts = [text for text in texts if text]
    return sentence(" ".join(parts), SEVERAL, {"parts": [as_stored(part) for part in parts]})


def read_sentence(kept: dict[str, Any] | None, text: str) -> str:
    """Return the sentence that a row keeps, to be part of another."""
    if kept is None:
        return text
    said = Sentence(text)
    said.stored = kept
    return said


def as_stored(value: Any) -> Any:
    """Return a value as JSON: of a sentence its code and values."""
    return value.stored if isinstance(value, Sentence) else value


def gettext_noop(text: str) -> str:
    """Mark a text for translation. It is translated when somebody reads it."""
    return text
