"""What a catalogue of translations says, read without gettext's programs."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation.template import templatize

LINE = re.compile(r'(?:(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d)\])? )?(".*")')


@dataclass
class Entry:
    """One text: its English (and its plural), and the translations, of which a text without plural has one."""

    comments: list[str] = field(default_factory=list)
    context: str = ""
    text: str = ""
    plural: str = ""
    translations: list[str] = field(default_factory=list)

    @property
    def fuzzy(self) -> bool:
        return any(comment.startswith("#,") and "fuzzy" in comment for comment in self.comments)


def read(path: Path) -> Iterator[Entry]:
    """The entries of a .po file but its head, in their order. Lines of another form are an error."""
    for block in path.read_text().split("\n\n"):
        entry, parts = Entry(), dict[str, str]()
        keyword = ""
        for line in block.strip().splitlines():
            if line.startswith("#"):
                entry.comments.append(line)
                continue
            match = LINE.fullmatch(line)
            assert match, line
            keyword = f"{match[1]}{match[2] or ''}" if match[1] else keyword
            parts[keyword] = parts.get(keyword, "") + ast.literal_eval(match[3])
        entry.context, entry.text, entry.plural = (parts.get(name, "") for name in ("msgctxt", "msgid", "msgid_plural"))
        entry.translations = [parts[name] for name in ("msgstr", "msgstr0", "msgstr1") if name in parts]
        if entry.text:
            yield entry


#: How texts are marked in Python; Django turns marked templates into the same.
FUNCTIONS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
CALL = re.compile(r"""\b(?:n?gettext|_)\(((?:\s*u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"),?)+)""")


def marked_in(path: Path) -> Iterator[str]:
    """The texts that a module or a template marks for translation, as gettext would gather them."""
    source = path.read_text()
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(source)):
            is_mark = isinstance(node, ast.Call) and getattr(node.func, "id", "") in FUNCTIONS
            text = node.args[0] if is_mark and node.args else None  # type: ignore[attr-defined]
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text.value
        return
    for match in CALL.finditer(templatize(source)):
        yield ast.literal_eval(f"({match[1].strip().rstrip(',')},)")[0]
