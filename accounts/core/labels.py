"""Label states for people: a text and a tone."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.safestring import SafeString

from accounts.core import markup

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class Label:
    """A state as people read it in their language, with the tone of its badge."""

    words: "str | _StrPromise"
    tone: markup.Tone

    @property
    def text(self) -> str:
        return str(self.words)

    def badge(self, text: str = "") -> SafeString:
        """Return the badge. `text` replaces the label's text where the back office shows the state's technical name."""
        return markup.badge(text or self.text, self.tone)
