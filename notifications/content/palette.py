"""Read the colours of mails from tokens.css. Mail programs support neither CSS variables nor light-dark()."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from django.conf import settings

TOKENS = Path(settings.BASE_DIR) / "templates" / "static" / "leadline" / "tokens.css"
_COLOUR_LINE = re.compile(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")


@cache
def palette() -> Mapping[str, Mapping[str, str]]:
    """Return the colours by their names (`good_ground`) for `light` and for `dark`."""
    lines = (_COLOUR_LINE.fullmatch(line.strip()) for line in TOKENS.read_text().splitlines())
    found = [line.groups() for line in lines if line]
    return {
        "light": {name.replace("-", "_"): light for name, light, _ in found},
        "dark": {name.replace("-", "_"): dark for name, _, dark in found},
    }
