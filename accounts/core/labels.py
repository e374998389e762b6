"""How a state is shown: as a word and a tone."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from accounts.core import markup


@dataclass(frozen=True, slots=True)
class Label:
    """A state as people read it, with the tone that its badge has."""

    text: str
    tone: markup.Tone

    def badge(self, text: str = "") -> SafeString:
        """The badge; `text` instead of its own word where the back office names the state as programs do."""
        return markup.badge(text or self.text, self.tone)
