"""Label states for people: a text and a tone."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from accounts.core import markup


@dataclass(frozen=True, slots=True)
class Label:
    """A state as people read it, with the tone of its badge."""

    text: str
    tone: markup.Tone

    def badge(self, text: str = "") -> SafeString:
        """Return the badge. `text` replaces the label's text where the back office shows the state's technical name."""
        return markup.badge(text or self.text, self.tone)
