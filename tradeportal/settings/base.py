"""Django settings shared by every process. Values come from `env`; reasons stand beside the
choices.
"""

from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF

from tradeportal.admin_navigation import UNFOLD  # noqa: F401  # a setting
from tradeportal.settings import env
from tradeportal.settings.logs import logging_config

BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = env.path("PORTAL_DATA_DIR", BASE_DIR / "var")
SERVICE = env.text("PORTAL_SERVICE", "manage")

SECRET_KEY = env.text("PORTAL_SECRET_KEY")
SECRET_KEY_FALLBACKS = env.words("PORTAL_SECRET_KEY_FALLBACKS")  # what was signed before is theirs
# The keys of secrets that are stored encrypted, and the columns that hold such: app, model, field.
ENCRYPTION_KEYSET = env.path(
    "PORTAL_ENCRYPTION_KEYSET", DATA_DIR / "secrets" / "encryption-keyset.json"
)
ENCRYPTED_COLUMNS = [("marketdata", "Feed", "credentials")]
DEBUG = False
PUBLIC_URL = env.text("PORTAL_PUBLIC_URL", "http://127.0.0.1:8001")
ALLOWED_HOSTS = env.words("PORTAL_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL.startswith("https://") else []
IS_HTTPS = PUBLIC_URL.startswith("https://")

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "tradeportal.admin_config.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_prometheus",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "axes",
    "channels",
    "csp",
    "django_vite",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "core",
    "accounts",
    "marketdata",
    "portfolio",
    "risk",
    "orders",
    "strategies",
    "notifications",
    "tradeportal",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "core.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tradeportal.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "accounts.middleware.RequireVerifiedMiddleware",
    "accounts.middleware.RateLimitHeadersMiddleware",
    "accounts.middleware.PrivateAnswersMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "tradeportal.urls"
ASGI_APPLICATION = "tradeportal.asgi.application"
APPEND_SLASH = False  # stock clients do not follow redirects
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

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
                "csp.context_processors.nonce",
            ],
        },
    },
]

# --- Storage
# One pool a process: pages run in a thread pool, and a connection opened for each request costs
# 14 times the throughput (measured). The health check replaces connections that a database
# restart has broken. CONN_MAX_AGE is 0 because the pool, not Django, keeps connections open.
DATABASES: dict[str, dict[str, Any]] = {"default": env.database("DATABASE_URL")}
DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["OPTIONS"]["application_name"] = f"portal-{SERVICE}"
DATABASES["default"]["OPTIONS"]["pool"] = {
    "min_size": 1,
    "max_size": env.whole("PORTAL_DATABASE_POOL", 10),
    "timeout": 10,
    "max_idle": 300,
}

if SERVICE == "worker":
    # Its children are forked and serve one task at a time: a kept connection each, not a pool with
    # threads that a fork would cut off.
    DATABASES["default"]["OPTIONS"].pop("pool")
    DATABASES["default"]["CONN_MAX_AGE"] = 600

REDIS_URL = env.text("REDIS_URL")
REDIS_PREFIX = env.text("PORTAL_REDIS_PREFIX", "portal:")
# redis-py 8 gives every socket a 5 s read timeout, which ends blocking reads (and idle WebSockets)
# by accident. Blocking readers state their own; see ADR 0008.
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_timeout": None}],
            "prefix": f"{REDIS_PREFIX}layer",
        },
    }
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": f"{REDIS_PREFIX}cache",
        "OPTIONS": {"serializer": "core.cache.JsonSerializer", "socket_timeout": 2},
    }
}
SESSION_ENGINE = "core.sessions"  # cached in Redis, kept in the database, alive when Redis is not
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_NAME = "__Host-sessionid" if IS_HTTPS else "sessionid"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_NAME = "__Host-csrftoken" if IS_HTTPS else "csrftoken"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "tradeportal.error_pages.csrf_failure"

# --- Who
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "accounts.services.authorization.RoleBackend",
]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "/terminal"
LOGOUT_REDIRECT_URL = "/accounts/sign-in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},  # NIST 800-63B-4: 15 where a password may stand alone
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
PROXY_COUNT = env.whole("PORTAL_PROXY_COUNT", 0)  # how many reverse proxies of ours stand in front
AXES_HANDLER = "accounts.services.lockout.LockoutHandler"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = "accounts.services.lockout.cool_off"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # a stranger cannot lock the owner out
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "core.request_context.client_address_of"
AXES_ENABLE_ADMIN = False  # the users' page of the console unlocks
# Its middleware only puts another answer in the place of ours; locked and wrong must look alike.
SILENCED_SYSTEM_CHECKS = ["axes.W002"]
OTP_TOTP_ISSUER = "Tradeportal"
OTP_TOTP_THROTTLE_FACTOR = 1

# --- API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["core.api.StrictJsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.ForgivingNegotiation",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.api.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    # Names of the choices that several answers have under one name, such as `state`.
    "ENUM_NAME_OVERRIDES": {
        "MarketStateEnum": "orders.domain.market_request.STATES",
        "PlannedMarketStateEnum": "orders.domain.market_request.PLANNED_STATES",
        "MarketPlanStatusEnum": "orders.native.markets.STATUSES",
        "ChangeRequestStatusEnum": "orders.native.risk.REQUEST_STATUSES",
        "TradingStateEnum": "orders.native.risk.STATES",
    },
    "TITLE": "Tradeportal API",
    "DESCRIPTION": "Trading and data in the Alpaca v2 dialect: alpaca-py and ccxt run unmodified.",
    "VERSION": "2",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.schemas.add_refusals",
    ],
}

# --- Background work
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": f"{REDIS_PREFIX}celery:",
    "visibility_timeout": 3600,
    "socket_timeout": 30,
}
CELERY_TASK_IGNORE_RESULT = True  # results that matter are rows
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 100
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "run" / "beat-schedule")

# --- Mail
SMTP_URL = env.text("PORTAL_SMTP_URL", "")
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("PORTAL_MAIL_FROM", "Tradeportal <portal@localhost>")
globals().update(env.mail(SMTP_URL))

# --- Pages
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static" / "dist"] if (BASE_DIR / "static" / "dist").is_dir() else []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
# Vite has put a content hash into every name under assets/, so those may be kept for ever.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^.+/assets/.+-[\w-]{8}\..+$"
DJANGO_VITE = {
    "default": {
        "dev_mode": False,
        "manifest_path": BASE_DIR / "static" / "dist" / "manifest.json",
        "static_url_prefix": "",
    }
}

# --- Browser safety
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [NONCE, "'strict-dynamic'"],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["portal", "lit-html"],
    }
}

# --- The portal
ENGINE_SOCKET = env.text("PORTAL_ENGINE_SOCKET", str(DATA_DIR / "run" / "engine.sock"))
ENGINE_SEGMENT = "main"
ENGINE_REPLY_TIMEOUT_SECONDS = 5
MARKET = env.text("PORTAL_MARKET", "simulated")
MARKET_SEED = env.whole("PORTAL_MARKET_SEED", 1)
REPLAY_FOLDER = env.text("PORTAL_REPLAY_FOLDER", "")
TRADES_KEPT_DAYS = env.whole("PORTAL_TRADES_KEPT_DAYS", 30)
QUOTES_KEPT_DAYS = env.whole("PORTAL_QUOTES_KEPT_DAYS", 3)
SECONDS_KEPT_DAYS = env.whole("PORTAL_SECONDS_KEPT_DAYS", 3)
# What marketdata needs from above it, named here because it may not import it.
MARKET_SINK = "orders.engine.feed_sink.EngineFeedSink"
LIVE_TOPIC_PROVIDERS = {
    "account": "orders.live.AccountTopic",
    "trails": "orders.live.TrailsTopic",
    "notifications": "notifications.live.NotificationsTopic",
}
DESK_MATES = "portfolio.selectors.share_a_desk"
DIALECT_ACCOUNT = "portfolio.selectors.default_account_id"

PROMETHEUS_EXPORT_MIGRATIONS = False
# /metrics answers requests straight from this machine; through a proxy or from elsewhere only with
# `Authorization: Bearer <token>`. Everybody else gets 404.
METRICS_TOKEN = env.text("PORTAL_METRICS_TOKEN", "")
PROMETHEUS_LATENCY_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LOGGING_CONFIG = None
logging_config(service=SERVICE, level=env.text("PORTAL_LOG_LEVEL", "INFO"))
