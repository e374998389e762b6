"""Gather the texts of the portal, the mails and the pages of owners into `config/locale`, and compile them.

Needs gettext, which nothing needs at run time: what this writes is committed. `make messages` calls it.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import makemessages

NOT_TRANSLATED = ("admin", "api", "benchmarks", "demo", "docs", "seeding", "static", "tests", "var", ".venv")

#: Lines of the head that would be all that changes.
CHANGING = re.compile(r'^"(POT-Creation-Date|Report-Msgid-Bugs-To):.*\n', re.MULTILINE)


class Command(makemessages.Command):
    help = "Gather the texts that are translated into config/locale, and compile them."
    #: A text that resembles an old one is no translation of it.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]

    def handle(self, *args: Any, **options: Any) -> None:
        languages = [code for code, _ in settings.LANGUAGES if code != "en"]
        options |= {"locale": languages, "add_location": "file", "no_obsolete": True, "no_wrap": False}
        options["ignore_patterns"] = [*options["ignore_patterns"], *NOT_TRANSLATED]
        super().handle(*args, **options)
        for language in ["en", *languages]:  # the English one, written by hand, has words of packages
            folder = Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES"
            catalogue = folder / "django.po"
            catalogue.write_text(CHANGING.sub("", catalogue.read_text()))
            target = ["--output-file", str(folder / "django.mo"), str(catalogue)]
            if subprocess.run(
                [shutil.which("msgfmt") or "msgfmt", "--check-format", "--check-domain", *target]
            ).returncode:
                raise CommandError(f"{catalogue} cannot be compiled.")
