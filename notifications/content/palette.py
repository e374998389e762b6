"""The colours of mails: those of tokens.css, written out: mail programs know neither variables nor light-dark()."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from django.conf import settings

TOKENS = Path(settings.BASE_DIR) / "templates" / "static" / "leadline" / "tokens.css"
_TOKEN = re.compile(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")


@cache
def palette() -> Mapping[str, Mapping[str, str]]:
    """Return the colours by their names (`good_ground`) for `light` and for `dark`."""
    found = _TOKEN.findall(TOKENS.read_text())
    return {
        "light": {name.replace("-", "_"): light for name, light, _ in found},
        "dark": {name.replace("-", "_"): dark for name, _, dark in found},
    }
