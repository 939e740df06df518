"""The one settings file. What differs between installations comes from pilotdash.env."""

from datetime import timedelta
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
from csp.constants import NONE, SELF

from pilotdash import egress, env, schedule
from pilotdash.paths import ROOT

SECRET_KEY = env.secret_key()
ENCRYPTION_KEYS = env.encryption_keys()
SITE_URL = env.site_url()
GATEWAY_URL = env.gateway_url()
DATA = env.data()
DEBUG = False
ALLOWED_HOSTS = env.allowed_hosts()
CSRF_TRUSTED_ORIGINS = [SITE_URL]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "django_htmx",
    "pilotdash",
    "apps.core",
    "apps.changes",
    "apps.accounts",
    "apps.catalog",
    "apps.pilots",
    "apps.usage",
    "apps.feedback",
    "apps.metrics",
    "apps.planning",
    "apps.dashboard",
    "apps.digest",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    # Last, so that its answer to "who may see this view" is given after all others have run.
    "apps.accounts.access.AccessMiddleware",
]

ROOT_URLCONF = "pilotdash.urls"
ASGI_APPLICATION = "pilotdash.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.dashboard.navigation.navigation",
            ],
            "builtins": ["apps.core.templatetags.ui", "apps.core.templatetags.format"],
        },
    }
]

# The check replaces a connection that died with its server before it is used again.
DATABASES = {
    "default": dj_database_url.parse(env.database_url())
    | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
}
if env.database_pool():
    # Sync views under ASGI run in a thread of their own each: without a pool every request would
    # open a connection of its own.
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
        "min_size": 1,
        "max_size": 12,
        "timeout": 10,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.redis_url()
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "pilotdash:cache",
    }
}
# In the database as well as the cache, so that losing Redis signs nobody out.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = env.time_zone()

STATIC_URL = "static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS = [ROOT / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "apps.core.static_sources.PlotlyFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"},
}

AUTH_USER_MODEL = "accounts.User"
# The e-mail is unique: a constraint on its lower case sees to it, which the check does not know.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # the invitation link has proven the address
ACCOUNT_ADAPTER = "apps.accounts.adapters.AccountAdapter"
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "join_pilot": "20/m/ip,120/h/key",
}
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # no mail to strangers
ACCOUNT_EMAIL_SUBJECT_PREFIX = "PilotDash: "
SOCIALACCOUNT_ADAPTER = "apps.accounts.adapters.SingleSignOnAdapter"
# By a link: the policy's form-action would stop a form that is redirected to the provider.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_ONLY = not env.password_sign_in()
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ADAPTER = "apps.accounts.adapters.SecondFactorAdapter"
MFA_TOTP_ISSUER = "PilotDash"
MFA_TOTP_TOLERANCE = 1  # a phone's clock may be half a minute off
OIDC_ROLE_CLAIM = env.oidc_role_claim()
PASSWORD_SIGN_IN = env.password_sign_in()
SINGLE_SIGN_ON = env.oidc() is not None
if _oidc := env.oidc():
    _issuer, _client_id, _client_secret = _oidc
    SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "oidc",
                    "name": "single sign-on",
                    "client_id": _client_id,
                    "secret": _client_secret,
                    "settings": {"server_url": _issuer},
                }
            ],
            "OAUTH_PKCE_ENABLED": True,
        }
    }

vars().update(dj_email_url.parse(env.email_url()))
DEFAULT_FROM_EMAIL = env.default_from_email()
EMAIL_TIMEOUT = 15

CA_FILE = env.ca_file()
# No answer of a provider takes longer; the gateway ends it.
LONGEST_ANSWER_SECONDS = env.gateway_limits().stream_seconds
TRUSTED_PROXIES = env.trusted_proxies()

# The gateway, or a trusted proxy before it, says by which scheme and host people came: it sets
# these headers itself and drops what a client sends.
_IS_HTTPS = urlsplit(SITE_URL).scheme == "https"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
USE_X_FORWARDED_HOST = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _IS_HTTPS
# Two installations on one host differ in the port only, which cookies do not see.
SESSION_COOKIE_NAME = f"pilotdash_session_{urlsplit(SITE_URL).port or 0}"
CSRF_COOKIE_NAME = f"pilotdash_csrf_{urlsplit(SITE_URL).port or 0}"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SECURE_HSTS_SECONDS = 31_536_000 if _IS_HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 8
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SOFT_TIME_LIMIT = 540
# Longer than any task may run, or Redis would hand a running one out again.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 1_800, "global_keyprefix": "pilotdash:"}
CELERY_TASK_ROUTES = schedule.ROUTES
CELERY_BEAT_SCHEDULE = schedule.BEAT

MONITORING_TOKEN = env.monitoring_token()

# How the pages reach providers when they test a connection; the gateway does it the same way.
UPSTREAM_POLICY = egress.policy()
EGRESS_PROXY = env.egress_proxy()
WEBHOOK_HOSTS = env.webhook_hosts()
CA_FILE = env.ca_file()
# No answer of a provider takes longer; the gateway ends it.
LONGEST_ANSWER_SECONDS = env.gateway_limits().stream_seconds

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        # "Task received/succeeded" every second says nothing; failures still do.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
