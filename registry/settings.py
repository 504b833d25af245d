# SPDX-License-Identifier: Apache-2.0
"""Django's settings: constants of the project, and what registry/env.py reads for this deployment.

Importing this module needs no variable at all: registry/checks.py says what a deployment lacks.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from wsgiref.headers import Headers

from registry.env import CHECKOUT, Environment

environment = Environment()

# --- This deployment -----------------------------------------------------------------------------
DATA_DIR = environment.path("ASSAY_DATA_DIR", CHECKOUT / ".data")
# Both are baked into certificates and statements: fixed at `authority init`, for ever.
PUBLIC_URL = environment.url("ASSAY_PUBLIC_URL", "http://localhost:8000")
LEDGER_ORIGIN = environment.text("ASSAY_LEDGER_ORIGIN", f"{urlsplit(PUBLIC_URL).netloc}/ledger")
LEDGER_POLICY = environment.text("ASSAY_LEDGER_POLICY", "")
SIGNER_SOCKET = environment.path("ASSAY_SIGNER_SOCKET", DATA_DIR / "signer" / "signer.sock")
SECRET_KEY_FILE = environment.text("ASSAY_SECRET_KEY_FILE", "")
SECRET_KEY = environment.secret("ASSAY_SECRET_KEY_FILE")
DEBUG = environment.flag("ASSAY_DEBUG", default=False)
OIDC_PROVIDERS = environment.text("ASSAY_OIDC_PROVIDERS", "")
DSSE_ENTRY_KIND = environment.choice("ASSAY_DSSE_ENTRY_KIND", "dsse/0.0.1", "hashedrekord/0.0.2")
# PostgreSQL's log alone may take max_wal_size, 1 GB by default; as much again is for the ledger and
# the programs' logs. Uploads stop before they take it away.
DISK_RESERVE = environment.portion("ASSAY_DISK_RESERVE", "2G")
# What a person or an organisation may store where `accounts quota` says nothing else: half a dozen
# checkpoints of a model of 8 billion parameters, at two bytes each.
STORAGE_QUOTA = environment.size("ASSAY_STORAGE_QUOTA", "100G")
# Texts that a person may ask for in a day: one each minute and a half, around the clock.
GENERATION_QUOTA = environment.number("ASSAY_GENERATION_QUOTA", 1000)
# By which text that is generated here is marked, and found again.
WATERMARK_KEY_FILE = environment.text("ASSAY_WATERMARK_KEY_FILE", "")
# A folder with TrustMark's networks, by which pictures are marked and found as well.
TRUSTMARK = environment.text("ASSAY_TRUSTMARK", "")
# Outputs that a person may have signed in batches in a day: a gigabyte and a half of rows.
BATCH_QUOTA = environment.number("ASSAY_BATCH_QUOTA", 10_000_000)
# Where a test or a demonstration receives: never on a server that others use.
WEBHOOKS_TO_LOOPBACK = environment.flag("ASSAY_WEBHOOKS_TO_LOOPBACK", default=False)
# In whose account with DataCite DOIs are registered: all of it, or no DOIs at all.
DATACITE_URL = environment.url("ASSAY_DATACITE_URL", "https://api.datacite.org")
DATACITE_ACCOUNT = environment.text("ASSAY_DATACITE_ACCOUNT", "")
DATACITE_PASSWORD_FILE = environment.text("ASSAY_DATACITE_PASSWORD_FILE", "")
DOI_PREFIX = environment.text("ASSAY_DOI_PREFIX", "")
# For how long exports of a period are to be kept, and which rule says so: each of them repeats it.
RETENTION_DAYS = environment.number("ASSAY_RETENTION_DAYS", 3653, most=36_525)  # a century
RETENTION_SOURCE = environment.text(
    "ASSAY_RETENTION_SOURCE",
    "Chosen here: ten years, as Article 18 of Regulation (EU) 2024/1689 has providers of high-risk "
    "systems keep their documentation. No rule names a period for evidence under Article 50.",
)
# A Python with torch and assay.trainers, in which files of torch.save's are converted.
CONVERTER = environment.text("ASSAY_CONVERTER", "")
BUCKET = environment.text("ASSAY_BUCKET", "")
SECOND_COPY = environment.text("ASSAY_SECOND_COPY", "")
IS_LOCAL = PUBLIC_URL.startswith("http://")
ALLOWED_HOSTS = [
    *environment.names("ASSAY_ALLOWED_HOSTS", (urlsplit(PUBLIC_URL).hostname or "localhost",)),
    "localhost",  # the node, the generator and the health checks of this machine
    "127.0.0.1",
]

# --- Applications: foreign keys point from the lower to the upper line only ---------------------
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "csp",
    "servestatic",
    "registry.storage",
    "registry.audit",
    "registry.events",
    "registry.idempotency",
    "registry.accounts",
    "registry.oidc",
    "registry.ledger",
    "registry.timestamps",
    "registry.conduct",
    "registry.authority",
    "registry.sigstore",
    "registry.catalog",
    "registry.publishers",
    "registry.hub",
    "registry.notices",
    "registry.imports",
    "registry.mlflow",
    "registry.oci",
    "registry.swarms",
    "registry.pool",
    "registry.outputs",
    "registry.moderation",
    "registry.periods",
    "registry.site",
    "registry.supervisor",
    "registry.backup",
    "registry.checks.Deployment",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "registry.api.middleware.refuse_nul",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "registry.accounts.middleware.RefuseSuspended",
    "registry.api.middleware.Refusals",
]
ROOT_URLCONF = "registry.urls"
ASGI_APPLICATION = "registry.asgi.application"
APPEND_SLASH = False
CSRF_FAILURE_VIEW = "registry.api.pages.csrf_failure"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [CHECKOUT / "frontend" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database -------------------------------------------------------------------------------------
ONE_PLAN = "-c plan_cache_mode=force_generic_plan"
DATABASES: dict[str, dict[str, Any]] = {
    "default": environment.database("DATABASE_URL", "postgresql:///assay"),
}
# Under ASGI a persistent connection per thread exhausts PostgreSQL (measured: thousands of errors
# in 8 s), so connections end with the request and the web process (asgi.py) lends from a pool.
DATABASES["default"]["CONN_MAX_AGE"] = 0
# What is prepared (prepared.py) is planned once for each connection, whatever its values are. All
# else has its values in its text, and a plan for them.
DATABASES["default"]["OPTIONS"] |= {
    "prepare_threshold": 0,
    "options": f"{DATABASES['default']['OPTIONS'].get('options', '')} {ONE_PLAN}".strip(),
}
_POOL_SIZE = environment.number("ASSAY_DATABASE_POOL", 0)
if _POOL_SIZE:
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": _POOL_SIZE,
        "timeout": 10,
        # The pool doubles its pauses between attempts (1, 2, 4, … s, for five minutes), and makes
        # none besides while all its places wait: measured, 7 s without a database after one of 8.
        # Given up so soon, the next request is the next attempt.
        "reconnect_timeout": 1,
    }
    # A pool keeps its connections over a restart of PostgreSQL; each is asked before it is lent.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# One advisory lock for everything that is numbered in commit order (audit chain, events): with one
# lock instead of two, no pair of transactions can wait for each other's.
JOURNAL_LOCK = 0x6173736179_01

# --- People ---------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["registry.accounts.passwords.PasswordBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

# --- Languages and time ---------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [CHECKOUT / "registry" / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True


def confine_workers(headers: Headers, _path: str, url: str) -> None:
    """A worker obeys the policy of its own file, not its page's: it hashes, and reaches nobody."""
    if IS_WORKER.search(url):
        headers["Content-Security-Policy"] = "default-src 'none'; script-src 'wasm-unsafe-eval'"


# --- Static files: built by Vite with a hash in each name, served by this process -----------------
IS_WORKER = re.compile(r"-worker-[0-9A-Za-z_-]{8,}\.js$")
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
_BUILT = CHECKOUT / "frontend" / "built"
STATICFILES_DIRS = [_BUILT] if _BUILT.is_dir() else []
DJANGO_VITE = {"default": {"dev_mode": False, "manifest_path": _BUILT / "manifest.json"}}
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_USE_STATIC_ROOT = False
SERVESTATIC_AUTOREFRESH = False
SERVESTATIC_ALLOW_ALL_ORIGINS = False
SERVESTATIC_ADD_HEADERS_FUNCTION = confine_workers
SERVESTATIC_IMMUTABLE_FILE_TEST = r"^.+[.-][0-9A-Za-z_-]{8,}\.(?:js|css|woff2|svg|png)$"

# --- What a browser is told -----------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    },
}
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SESSION_COOKIE_NAME = "assay-session" if IS_LOCAL else "__Host-assay-session"
CSRF_COOKIE_NAME = "assay-csrf" if IS_LOCAL else "__Host-assay-csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not IS_LOCAL
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The proxy that ends TLS redirects; here, on loopback, the local node and health checks speak http.
SECURE_SSL_REDIRECT = False
# And this registry speaks for its own host alone: a neighbour below its name may have no TLS, and
# a place on the preload list is its operator's to ask for (W005, W021).
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
SECURE_HSTS_SECONDS = 0 if IS_LOCAL else int(timedelta(days=365).total_seconds())
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False
# Only where a proxy always sets the header itself: otherwise any caller could claim to use TLS.
BEHIND_PROXY = environment.flag("ASSAY_BEHIND_PROXY", default=False)
# Where the proxy reads blobs itself. No request says it: whoever sends one could choose the place.
BLOBS_LOCATION = environment.location("ASSAY_BLOBS_LOCATION")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# asgi.py caps each route's body before Django sees it; this is the largest of those caps.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100

# --- The API --------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "registry.accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    # Reading is open unless a view says otherwise; writing is closed unless a view opens it.
    "DEFAULT_PERMISSION_CLASSES": ["registry.api.permissions.ReadOnly"],
    "DEFAULT_PARSER_CLASSES": ["registry.api.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "registry.api.paging.CursorPaging",
    "DEFAULT_SCHEMA_CLASS": "registry.api.schema.Described",
    "EXCEPTION_HANDLER": "registry.api.problems.exception_handler",
    # Whose address a limit counts: the one that our proxy saw, else the connection's own.
    "NUM_PROXIES": 1 if BEHIND_PROXY else 0,
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Assay",
    "DESCRIPTION": "A registry of signed models: checkpoints, their evidence, and signed outputs.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {  # two things that have a state
        "StateEnum": "registry.catalog.models.State",
        "AccessStateEnum": "registry.catalog.models.accesses.AccessState",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "registry.api.schema.complete",
    ],
}

# --- Celery: messages are only wake-ups, the rows are the truth -----------------------------------
CELERY_BROKER_URL = environment.text("BROKER_URL", "redis://localhost:6379/0")
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_DEFAULT_QUEUE = "registry"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
# A killed worker's message comes back: with the default, kill -9 loses it for good.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# How soon it comes back: after visibility_timeout, looked for every interval x throttle seconds.
# The default of 10 x 10 was measured to take more than a minute. It is longer than any task but the
# two of the slow workers. Of those a message comes again to the other process while the first is at
# it, and does no harm: the clock's has expired by then, and a nudge's finds the file or the import
# locked (registry/locks.py), and takes what else waits. Hours in its place would be how long a
# killed worker's messages stay away.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
}
CELERY_TASK_TIME_LIMIT = 540
# What takes minutes has workers of its own (`celery worker --queues slow,imports`).
CELERY_TASK_ROUTES = {
    "catalog.hash": {"queue": "slow"},
    "imports.carry_out": {"queue": "imports"},
}
# How many tasks Celery leaves a process its connection for (registry/celery.py): for good.
CELERY_DB_REUSE_MAX = 1_000_000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5.0
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = {
    name: {"task": name, "schedule": seconds, "options": {"expires": seconds}}
    for name, seconds in {
        "catalog.sweep": 5.0,
        "catalog.hash": 2.0,
        "catalog.register": 30.0,
        "imports.carry_out": 5.0,
        "pool.sweep": 5.0,
        "outputs.sweep": 5.0,
        "ledger.witness": 10.0,
        "ledger.sweep": 3600.0,
        "storage.watch": 60.0,
        "storage.sweep": 600.0,
        "storage.scrub": 300.0,
        "storage.catch_up": 600.0,
        "storage.sweep_orphans": 3600.0,
        "hub.sweep": 600.0,
        "oci.sweep": 300.0,
        "notices.sweep": 2.0,
        "notices.tidy": 3600.0,
        "idempotency.sweep": 600.0,
        "accounts.sweep": 600.0,
        "oidc.sweep": 600.0,
        "authority.sweep": 600.0,
        "sigstore.sweep": 600.0,
        "sigstore.distribute": 3600.0,
    }.items()
}

# --- The program's log: one JSON object a line, on standard error, without secrets ----------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "registry.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": environment.text("ASSAY_LOG_LEVEL", "INFO")},
    "loggers": {
        # Django's own handlers would print plain lines, and mail tracebacks to nobody.
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # It would write whole addresses down, and those of webhooks may hold a password.
        "httpx": {"level": "WARNING"},
        # Anybody can send any Host: the 400 is answer enough, a traceback each would fill the disk.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
