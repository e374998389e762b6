"""Choose colours that can be read beside a colour that people choose (WCAG 2.2: contrast of at least 4.5 to 1)."""

import re

WHITE, BLACK = "#ffffff", "#000000"
#: What text and what the edge of a button need.
TEXT_CONTRAST, EDGE_CONTRAST = 4.5, 3.0
_HEX = re.compile(r"#[0-9a-f]{6}")


def is_colour(text: str) -> bool:
    """Return whether the text is a colour such as `#0b5f5a`."""
    return _HEX.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 (the same) to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable_on(colour: str) -> str:
    """Return white if it can be read on the colour, else black, which then can."""
    return WHITE if contrast(WHITE, colour) >= TEXT_CONTRAST else BLACK


def edge_between(colour: str, ground: str) -> str:
    """Return the colour of a button's edge: its own if that can be told from the ground, else white or black."""
    if contrast(colour, ground) >= EDGE_CONTRAST:
        return colour
    return max((WHITE, BLACK), key=lambda edge: contrast(edge, ground))


def _luminance(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
