"""Read every setting of Leadline with django-environ from the environment, then `.env`, then `var/env`."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from whitenoise.compress import Compressor

from config import __version__
from config.api_settings import REST_FRAMEWORK as REST_FRAMEWORK
from config.api_settings import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from config.broker_options import broker_options
from config.ops.logs import LOGGING as LOGGING
from config.ops.logs import configure_structlog

os.umask(0o077)  # only the owner may read what a process writes: the database, mails, the erasure log

VERSION = __version__
BASE_DIR = Path(__file__).resolve().parent.parent
VAR = BASE_DIR / "var"


class Env(environ.Env):  # type: ignore[misc]
    def get_value(self, var: str, *args: Any, **options: Any) -> Any:
        """Return a setting's value. Raises ImproperlyConfigured with a sentence if it cannot be parsed."""
        try:
            return super().get_value(var, *args, **options)
        except (ValueError, AttributeError):
            raise ImproperlyConfigured(f"{var} cannot be read: its value is not of the kind it takes.") from None


env = Env()
for _file in (BASE_DIR / ".env", VAR / "env"):
    if _file.is_file():
        env.read_env(_file, overwrite=False)

# --- identity and keys -------------------------------------------------------------------------

SECRET_KEY = env.str("SECRET_KEY", "")
FIELD_ENCRYPTION_KEYS: list[str] = env.list("FIELD_ENCRYPTION_KEYS", default=[])
if not SECRET_KEY or not FIELD_ENCRYPTION_KEYS:
    raise ImproperlyConfigured(
        "SECRET_KEY and FIELD_ENCRYPTION_KEYS are not set. `make run` writes them to var/env once; "
        "a deployment sets them in the environment or in .env."
    )

DEBUG = env.bool("DEBUG", False)
PUBLIC_URL = env.str("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
_public = urlsplit(PUBLIC_URL)
LOOPBACK = _public.hostname in {"127.0.0.1", "localhost", "::1"}
HTTPS = _public.scheme == "https"
if not HTTPS and not LOOPBACK:
    raise ImproperlyConfigured(
        f"PUBLIC_URL is {PUBLIC_URL}: outside loopback it must start with https://, because providers' secrets "
        "and people's passwords would otherwise travel in the clear."
    )
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=[_public.hostname or "", *(["127.0.0.1", "localhost"] if LOOPBACK else [])]
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "accounts.web.portal.unsent_forms.answer_expired_form"

# --- what agencies, providers and staff may tune (the contract's table) --------------------------

OUTBOUND_ALLOWED_NETWORKS: list[str] = env.list("OUTBOUND_ALLOWED_NETWORKS", default=[])
RETENTION_DAYS = env.int("RETENTION_DAYS", 365)
SIGNATURE_TOLERANCE_SECONDS = env.int("SIGNATURE_TOLERANCE_SECONDS", 300)
SECRET_OVERLAP_HOURS = env.int("SECRET_OVERLAP_HOURS", 24)
LINKEDIN_CLIENT_ID = env.str("LINKEDIN_CLIENT_ID", "")
LINKEDIN_CLIENT_SECRET = env.str("LINKEDIN_CLIENT_SECRET", "")
LINKEDIN_API_BASE = env.str("LINKEDIN_API_BASE", "https://api.linkedin.com")
LINKEDIN_OAUTH_BASE = env.str("LINKEDIN_OAUTH_BASE", "https://www.linkedin.com/oauth/v2")
LINKEDIN_VERSION = env.str("LINKEDIN_VERSION", "202609")
LEAD_ENRICHERS: list[str] = env.list("LEAD_ENRICHERS", default=[])
SENDPILOT_API_BASE = env.str("SENDPILOT_API_BASE", "https://api.sendpilot.ai/v1")
SALESFLOW_API_BASE = env.str("SALESFLOW_API_BASE", "https://api.salesflow.io")
WELINK_API_BASE = env.str("WELINK_API_BASE", "https://api.we-link.ai")
HIGHLEVEL_PUBLIC_KEY = env.str("HIGHLEVEL_PUBLIC_KEY", "", multiline=True)
HIGHLEVEL_ACCEPT_RSA = env.bool("HIGHLEVEL_ACCEPT_RSA", False)
HIGHLEVEL_APP_ID = env.str("HIGHLEVEL_APP_ID", "")
STAFF_ALERT_EMAILS: list[str] = env.list("STAFF_ALERT_EMAILS", default=[])
STAFF_SLACK_URL = env.str("STAFF_SLACK_URL", "")
STAFF_TWO_FACTOR = env.bool("STAFF_TWO_FACTOR", True)
API_RATE = env.int("API_RATE", 1200)
REJECT_RATE = env.int("REJECT_RATE", 300)
MAX_CONNECTIONS = env.int("MAX_CONNECTIONS", 2000)
INGEST_FAST_PATH = env.bool("INGEST_FAST_PATH", True)
RATE_LIMIT_FALLBACK_SECONDS = env.int("RATE_LIMIT_FALLBACK_SECONDS", 3600)
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
DATABASE_BYTES = env.int("DATABASE_BYTES", 0)
BOUNCE_TOKEN = env.str("BOUNCE_TOKEN", "")
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", default=[])
LOG_FORMAT = env.str("LOG_FORMAT", "console")
configure_structlog(LOG_FORMAT)
if SENTRY_DSN := env.str("SENTRY_DSN", ""):
    from config.ops.errors import report_errors_to

    try:
        report_errors_to(SENTRY_DSN, release=f"leadline@{VERSION}")
    except ValueError:
        raise ImproperlyConfigured("SENTRY_DSN cannot be read. It looks like https://key@host/1.") from None

# --- Django -------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",
    "accounts",
    "leads",
    "webhooks",
    "notifications",
    "config.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_structlog",
]

MIDDLEWARE = [
    "config.security.request_id",
    "config.problems.api_problems",
    "config.security.proxy_headers",
    "config.security.content_security",
    "config.incoming.allow_probe_hosts",
    "config.incoming.refuse_unstorable_text",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.sessions.expire_sessions",
    "config.sessions.private_responses",
    "config.languages.choose_language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.security.staff_second_factor",
    "accounts.web.portal.viewing.refuse_changes",
    "config.problems.mail_limit_page",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = None
ASGI_APPLICATION = "config.asgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.web.portal.frame.frame",
            ],
        },
    },
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # of the portal, the mails and the pages of owners
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "templates" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static.Storage"},
}
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")  # which no browser requests
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "staticfiles.json").is_file()  # before the first collectstatic

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- database -----------------------------------------------------------------------------------

_embedded = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(VAR / "leadline.sqlite3")}
try:
    _database: dict[str, Any] = env.db_url("DATABASE_URL") if env.str("DATABASE_URL", "") else _embedded
except ValueError:
    _database = {}
if not _database.get("ENGINE"):
    raise ImproperlyConfigured("DATABASE_URL cannot be read. It looks like postgres://user:password@host:5432/name.")
DATABASES = {"default": _database}
if _database["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE takes the write lock at BEGIN, because a transaction that upgrades later fails with "database is
    # locked". Erased data is overwritten in the file; `accounts.tasks.tidy` truncates the write-ahead log.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA mmap_size=0;"
        "PRAGMA secure_delete=ON;",
    }
else:
    _database["ENGINE"] = "config.postgresql"
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True
    _database.setdefault("OPTIONS", {}).update(
        connect_timeout=2,
        # Keepalives end connections on dead networks on both sides: ours, and the server's with a lock that nobody
        # holds.
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=5000,
        options="-c statement_timeout=30000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000"
        " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3",
    )

# --- broker, cache, tasks -------------------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL", "")
REDIS_KEY_PREFIX = env.str("REDIS_KEY_PREFIX", "leadline")
CACHES: dict[str, dict[str, Any]] = (
    {
        "default": {
            "BACKEND": "config.cache.FallbackRedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": REDIS_KEY_PREFIX,
            # A cache that does not answer is treated as absent.
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        }
    }
    if REDIS_URL
    else {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
)
ERASURE_JOURNAL = Path(env.str("ERASURE_JOURNAL", str(VAR / "erasures.jsonl")))
SPOOL_DIR = Path(env.str("SPOOL_DIR", str(VAR / "spool")))

CELERY_BROKER_URL = env.str("BROKER_URL", "") or REDIS_URL or "spool://local"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = broker_options(
    CELERY_BROKER_URL, key_prefix=REDIS_KEY_PREFIX, spool_folder=str(SPOOL_DIR)
)
CELERY_BROKER_HEARTBEAT = 10  # seconds, for RabbitMQ: a connection that broke silently is noticed after twice as long
CELERY_TASK_DEFAULT_DELIVERY_MODE = "transient"  # messages are wake-ups: a broker that restarts may lose them
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CHANNEL_ERROR_RETRY = True  # a Redis that refuses a command does not end a worker
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # unlimited, so that a worker outlives an outage of the broker
CELERY_TASK_PUBLISH_RETRY = False  # a wake-up that cannot be sent must not hold up the sender
CELERY_TASK_DEFAULT_QUEUE = "receipts"
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 300  # seconds; tasks start a successor long before
CELERY_TIMEZONE = TIME_ZONE
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_BEAT_SCHEDULER = "config.celery:HeartbeatScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
CELERY_DB_REUSE_MAX = 1000  # Celery only counts (0: a new connection for every task); `config.task` checks their health

# --- mail -----------------------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Leadline <leadline@example.com>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
if env.str("EMAIL_URL", ""):
    vars().update(env.email_url("EMAIL_URL"))
else:
    EMAIL_BACKEND = "notifications.transports.mailfolder.MailFolderBackend"
    EMAIL_FILE_PATH = VAR / "mail"
EMAIL_TIMEOUT = 15

# --- drafts ---------------------------------------------------------------------------------------

#: An OpenAI-compatible endpoint that writes drafts, up to `/chat/completions`. Without it no data of leads goes to one.
DRAFTER_URL = env.str("DRAFTER_URL", "")
DRAFTER_MODEL = env.str("DRAFTER_MODEL", "")
DRAFTER_KEY = env.str("DRAFTER_KEY", "")

# --- security ---------------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# These apply to a whole domain and can hardly be revoked, so the domain's operator decides.
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS and env.bool("HSTS_INCLUDE_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = HTTPS and env.bool("HSTS_PRELOAD", False)
#: The first two demand these settings; the third says that SQLite leaves out the further columns of an index.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "models.W040"]
SESSION_COOKIE_AGE = 14 * 86_400  # seconds after the sign-in
RECENT_SIGN_IN_SECONDS = ACCOUNT_REAUTHENTICATION_TIMEOUT = 1800  # required before keys, secrets, exports and erasure
SESSION_IDLE_HOURS = env.int("SESSION_IDLE_HOURS", 72)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # probes use plain http inside the network
SECURE_CSP = {  # Django 6's name and form
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "manifest-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

AUTHENTICATION_BACKENDS = ["config.signin.PasswordBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "config.signin.Adapter"
ACCOUNT_FORMS = {"add_email": "config.signin.ChangeEmailForm", "reset_password": "config.signin.PasswordResetForm"}
ACCOUNT_CHANGE_EMAIL = True  # one address, replaced when the user proves the new one
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # nobody signs up: staff add or invite users
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True  # the mailed link signs in a user without their password
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/ip,5/5m/key",  # key: login and address, so that nobody locks out others
    "login_failed_anywhere": "100/h/key",
}
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _public.scheme
ACCOUNT_SESSION_REMEMBER = True
MFA_ADAPTER = "config.signin.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOOPBACK
MFA_TOTP_ISSUER = "Leadline"
MFA_TOTP_TOLERANCE = 1  # steps of 30 s by which a phone's clock may differ
MFA_ALLOW_UNVERIFIED_EMAIL = True
