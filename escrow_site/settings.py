"""All settings, from environment variables; README.md lists them.

Two modes. *Local* (`ESCROW_LOCAL=1`, set by `make run`, `manage.py` and the tests): plain HTTP on this machine,
a generated secret, mail into files. Otherwise everything that matters must be given, and cookies and pages go
over HTTPS only. A missing or wrong value stops the start with one list of all of them.
"""

import logging
import os
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url

from escrow_site import logs, schedule
from escrow_site.environment import (
    Environment,
    broker_url,
    cache_url,
    email_settings,
    kept_secret,
)

BASE_DIR = Path(__file__).resolve().parent.parent
environment = Environment(os.environ)

# --- Where we are ---------------------------------------------------------------------------------

LOCAL = environment.flag("ESCROW_LOCAL", default=False)
DEBUG = environment.flag("DEBUG", default=False)
if DEBUG and not LOCAL:
    environment.problems.append("DEBUG shows every error with its values: in local mode alone")
DATA_DIR = Path(environment.text("ESCROW_DATA_DIR", default=str(BASE_DIR / ".local"))).absolute()
SITE_NAME = environment.text("SITE_NAME", default="Escrow Workroom")
SITE_URL = environment.url(
    "SITE_URL",
    ["http", "https"] if LOCAL else ["https"],
    default="http://localhost:8000" if LOCAL else None,
).rstrip("/")
SITE_HOST = urlsplit(SITE_URL).hostname or ""
ALLOWED_HOSTS = environment.names(
    "ALLOWED_HOSTS", default="localhost,127.0.0.1,[::1]" if LOCAL else None
)
# Where the desk is; with ADMIN_HOST it answers there and the site's own host knows of none (docs/security.md).
ADMIN_PATH = environment.path("ADMIN_PATH", default="admin/")
ADMIN_HOST = environment.text("ADMIN_HOST", default="")
if ADMIN_HOST:
    ALLOWED_HOSTS.append(ADMIN_HOST)
    if ADMIN_HOST == SITE_HOST:
        environment.problems.append("ADMIN_HOST must be another host than that of SITE_URL")
CSRF_TRUSTED_ORIGINS = [SITE_URL, *([f"https://{ADMIN_HOST}"] if ADMIN_HOST else [])]
SECRET_KEY = environment.text(
    "SECRET_KEY", default=kept_secret(DATA_DIR / "secret_key") if LOCAL else None
)
SECRET_KEY_FALLBACKS = environment.names("SECRET_KEY_FALLBACKS", default="")
if not LOCAL:
    environment.refuse_weak("SECRET_KEY", SECRET_KEY, least=50, local=DATA_DIR / "secret_key")
    for fallback in SECRET_KEY_FALLBACKS:
        environment.refuse_weak("SECRET_KEY_FALLBACKS", fallback, least=50)

# --- Applications ---------------------------------------------------------------------------------

INSTALLED_APPS = [
    "escrow_site.apps.SiteConfig",
    "workroom",
    "billing",
    "jobs",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",  # its templates, some of which are replaced by templates/django/forms
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_cotton.apps.SimpleAppConfig",
    "django_filters",
    "django_fsm",
    "django_htmx",
    "django_structlog",
]
MIDDLEWARE = [
    "escrow_site.request_log.RequestLogMiddleware",
    "escrow_site.headers.HeadersMiddleware",
    "escrow_site.methods.MethodsMiddleware",
    "escrow_site.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "escrow_site.limits.BodyLimitMiddleware",
    "escrow_site.desk_host.DeskHostMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "jobs.middleware.TimeZoneMiddleware",
    "jobs.middleware.SecondFactorMiddleware",
    "workroom.seeing.SeenAsMiddleware",
]
ROOT_URLCONF = "escrow_site.urls"
WSGI_APPLICATION = "escrow_site.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "builtins": [
                "django_cotton.templatetags.cotton",
                "django.templatetags.static",
                "escrow_site.lib.templatetags.escrow",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "escrow_site.context_processors.site",
                "jobs.context_processors.notices",
                "workroom.context_processors.clock_bar",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Database, cache, broker ----------------------------------------------------------------------

DATABASE_URL = environment.url("DATABASE_URL", ["postgres", "postgresql"])
if not LOCAL:
    environment.refuse_weak_login("DATABASE_URL", DATABASE_URL)
DATABASES = {"default": dj_database_url.parse(DATABASE_URL or "postgres://", conn_max_age=0)}
DATABASES["default"]["ATOMIC_REQUESTS"] = False
# A connection that a restart of the server has cut is found out before a page gets it, at one empty message a page.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    "server_side_binding": True,
    "prepare_threshold": 2,
    # Small statements by index, on solid-state disks: compiling them or reading whole tables never pays.
    "options": "-c random_page_cost=1.1 -c jit=off",
    # A pool of each process. The time-out is how long a page waits when the database is away.
    "pool": {
        "min_size": 1,
        "max_size": environment.number("DATABASE_POOL_SIZE", default=10, least=1),
        "timeout": 5,
    },
}

REDIS_URL = environment.url("REDIS_URL", ["redis", "rediss", "unix"])
CACHES = {
    "default": {
        "BACKEND": "escrow_site.caching.ForgivingRedisCache",
        "LOCATION": environment.url(
            "CACHE_URL",
            ["redis", "rediss", "unix"],
            default=cache_url(REDIS_URL) if REDIS_URL else "",
        ),
        "KEY_PREFIX": environment.text("CACHE_KEY_PREFIX", default="escrow"),
    }
}

CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Worker and beat wait for the broker for ever.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A task that runs when the broker goes is let finish; leases keep its twin from doing things twice.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
# A page must answer soon when the broker is away, or there and silent: one attempt, no retry. The beat picks up
# what was left.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "max_retries": 0,
    "socket_connect_timeout": 1,
    "socket_timeout": 3,
    "visibility_timeout": 600,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
# Below the visibility time-out, after which the broker would hand a running task to a second worker.
CELERY_TASK_TIME_LIMIT = 540
CELERY_TASK_DEFAULT_QUEUE = environment.text("CELERY_QUEUE", default="escrow")
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = environment.text(
    "CELERY_BEAT_FILE", default=str(DATA_DIR / "celerybeat-schedule")
)
CELERY_BEAT_SCHEDULE = schedule.SCHEDULE

# --- People and sign-in ---------------------------------------------------------------------------

AUTH_USER_MODEL = "jobs.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "workroom:my_jobs"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "workroom.accounts.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "jobs.forms.people.SignUpForm"
ACCOUNT_FORMS = {
    "login": "jobs.forms.accounts.LoginForm",
    "signup": "jobs.forms.accounts.SignupForm",
    "add_email": "jobs.forms.accounts.AddEmailForm",
    "change_password": "jobs.forms.accounts.ChangePasswordForm",
    "set_password": "jobs.forms.accounts.SetPasswordForm",
    "reset_password": "jobs.forms.accounts.ResetPasswordForm",
    "reset_password_from_key": "jobs.forms.accounts.ResetPasswordKeyForm",
    "reauthenticate": "jobs.forms.accounts.ReauthenticateForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_UNIQUE_EMAIL = True
# Several addresses for one person: a Job may be awarded to any that he has confirmed (R1.1).
ACCOUNT_CHANGE_EMAIL = False
ACCOUNT_MAX_EMAIL_ADDRESSES = 5
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# How long the password or the second factor counts that money and the account's own keys ask for.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if LOCAL else "https"
MFA_ADAPTER = "workroom.second_factors.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "jobs.forms.second_factors.AuthenticateForm",
    "reauthenticate": "jobs.forms.second_factors.ReauthenticateForm",
    "activate_totp": "jobs.forms.second_factors.ActivateTOTPForm",
    "add_webauthn": "jobs.forms.second_factors.AddWebAuthnForm",
    "edit_webauthn": "jobs.forms.second_factors.EditWebAuthnForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# One code before and one after the present one: telephones are some seconds wrong.
MFA_TOTP_TOLERANCE = 1
# Who has a second factor may still add an address; nobody signs in before his first one is confirmed.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Browsers allow passkeys over plain HTTP on the machine's own name, and there only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOCAL

# --- Security -------------------------------------------------------------------------------------

# How many proxies in front of the service may be believed about the caller's address and about HTTPS.
TRUSTED_PROXY_COUNT = environment.number("TRUSTED_PROXY_COUNT", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SECURE_SSL_REDIRECT = environment.flag("SSL_REDIRECT", default=not LOCAL)
SECURE_HSTS_SECONDS = 0 if LOCAL else environment.number("HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = environment.flag("HSTS_INCLUDE_SUBDOMAINS", default=not LOCAL)
SECURE_HSTS_PRELOAD = environment.flag("HSTS_PRELOAD", default=not LOCAL)
# Two weeks for who asks to stay signed in, else until the browser closes; support agents: `workroom.accounts`.
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = not LOCAL
SESSION_COOKIE_NAME = "sessionid" if LOCAL else "__Host-sessionid"
CSRF_COOKIE_SECURE = not LOCAL
CSRF_COOKIE_NAME = "csrftoken" if LOCAL else "__Host-csrftoken"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
# What the caller says about the host is `Host` alone; a proxy must pass it on unchanged.
USE_X_FORWARDED_HOST = False
# The other headers are in `headers.py`; these two agree with them.
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Text of one request, fields, files. A sending with files may announce more: what is beyond the room for files is
# thrown away while it is read (`lib.uploads`), so that a file that is too large keeps what was typed beside it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 50
REQUEST_LARGEST_BYTES = 512 * 1024 * 1024

# --- Money and time -------------------------------------------------------------------------------

GATEWAY = environment.one_of("GATEWAY", ["simulated"], default="simulated")
ALLOW_SIMULATED_GATEWAY = environment.flag("ALLOW_SIMULATED_GATEWAY", default=LOCAL)
# The file that moves the clock forward, so that the timers can be watched. Nowhere but on one's own machine.
CLOCK_OFFSET_FILE = DATA_DIR / "clock" if LOCAL else None
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"

# --- Mail -----------------------------------------------------------------------------------------

EMAIL_URL = environment.url(
    "EMAIL_URL",
    # Mails hold links with which passwords are set: on a server they go into no log and no folder.
    ["smtp", "smtps", "file", "console"] if LOCAL else ["smtp", "smtps"],
    default=f"file://{DATA_DIR / 'mail'}" if LOCAL else None,
)
globals().update(email_settings(EMAIL_URL))
DEFAULT_FROM_EMAIL = environment.text(
    "DEFAULT_FROM_EMAIL", default=f"{SITE_NAME} <no-reply@{SITE_HOST or 'localhost'}>"
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Where people write who need a human, with an account or without: on every page and in every mail.
SUPPORT_EMAIL = environment.address("SUPPORT_EMAIL", default="support@localhost" if LOCAL else None)

# --- Files ----------------------------------------------------------------------------------------

# Uploads are private: views hand them to whoever may see them, no web server does. Hence no MEDIA_URL.
FILES_DIR = Path(environment.text("FILES_DIR", default=str(DATA_DIR / "files") if LOCAL else None))
# What one upload may weigh, and how many one sending may carry.
FILES_LARGEST_BYTES = 10 * 1024 * 1024
FILES_AT_MOST = 10
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "escrow_site.lib.uploads.BoundedUploadHandler",
]
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
STATIC_URL = "static/"
STATIC_ROOT = Path(environment.text("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_MANIFEST = environment.flag("STATIC_MANIFEST", default=True)
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": FILES_DIR},
    },
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_MANIFEST
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Logs -----------------------------------------------------------------------------------------

LOG_LEVEL = environment.one_of("LOG_LEVEL", ["DEBUG", "INFO", "WARNING", "ERROR"], default="INFO")
# Plain words hold people's data: they are for one's own terminal.
LOG_FORMAT = environment.one_of(
    "LOG_FORMAT",
    ["console", "json"] if LOCAL else ["json"],
    default="console" if LOCAL else "json",
)
# Hands the id of a request to its tasks. Of tasks Celery says it itself, with their names.
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_CELERY_TASK_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_CELERY_TASK_SUCCESS_LOG_LEVEL = logging.DEBUG
LOGGING = logs.configure(level=LOG_LEVEL, as_json=LOG_FORMAT == "json")
# Without it there is no /metrics.
METRICS_TOKEN = environment.text("METRICS_TOKEN", default="")
environment.refuse_weak("METRICS_TOKEN", METRICS_TOKEN, least=20)

environment.refuse_problems()
