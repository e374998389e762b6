#!/usr/bin/env python
"""Leadline's command line: `manage.py help` lists what it can do."""

import json
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        settings.DEBUG  # noqa: B018 (reads the settings, where most mistakes are)
    except ImproperlyConfigured as error:
        if "--json" in sys.argv:
            sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
        sys.exit(str(error))

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
