"""The product's settings with throw-away keys, for the suite, `mypy` and `make lint`."""

import os
import secrets
import tempfile
from pathlib import Path

os.environ.setdefault("SECRET_KEY", "for-tests-only-" + "0" * 50)
os.environ.setdefault("FIELD_ENCRYPTION_KEYS", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
os.environ.setdefault("LEADLINE_TEST_SCRATCH", tempfile.mkdtemp(prefix="leadline-test-"))
os.environ["SPOOL_DIR"] = os.environ["LEADLINE_TEST_SCRATCH"] + "/spool"
os.environ["ERASURE_JOURNAL"] = os.environ["LEADLINE_TEST_SCRATCH"] + "/erasures.jsonl"
os.environ["PUBLIC_URL"] = "http://127.0.0.1:8000"

from config.settings import *  # noqa: F403
from config.settings import DATABASES, LOGGING, STORAGES

SCRATCH = Path(os.environ["LEADLINE_TEST_SCRATCH"])
SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")
#: A migrated database that `make test` made once: every worker starts from a copy.
TEMPLATE = os.environ.get("LEADLINE_TEST_TEMPLATE", "")
if SQLITE:
    # A file, not memory: threads and processes of a test share it.
    DATABASES["default"]["TEST"] = {"NAME": str(SCRATCH / "test.sqlite3")}
    # Nobody cuts its power: that a commit waits for the disk is left to real processes.
    OPTIONS = DATABASES["default"]["OPTIONS"]
    OPTIONS["init_command"] = OPTIONS["init_command"].replace("synchronous=FULL", "synchronous=OFF")
else:
    # A database of its own, so that several runs share one server.
    DATABASES["default"]["TEST"] = {
        "NAME": os.environ.setdefault("LEADLINE_TEST_DATABASE", f"leadline_test_{secrets.token_hex(4)}"),
        "TEMPLATE": TEMPLATE or None,
    }
DATABASES["default"]["TEST"]["MIGRATE"] = not TEMPLATE
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
#: What is no news is not written out; pytest shows the entries of a test that fails.
HANDLERS = LOGGING["handlers"]
LOGGING = {**LOGGING, "handlers": {**HANDLERS, "stderr": {**HANDLERS["stderr"], "level": "WARNING"}}}
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
WHITENOISE_USE_FINDERS = False  # scanned for every new test client otherwise
STAFF_TWO_FACTOR = False
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
OUTBOUND_ALLOWED_NETWORKS = []
