"""Settings as in production: no debugging, kept connections, nothing that the list does not need.

Everything that differs between two runs comes from the environment; README.md lists it.
"""

import os
from urllib.parse import unquote, urlsplit

DEBUG = False
# Nothing here is signed; Django only asks that there is one.
SECRET_KEY = "latency-ladder"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "ladder.urls"
INSTALLED_APPS = ["missions", "conversions"]
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PARTNER_TOKEN = "benchmark-partner-token"
STAGE = os.environ.get("LADDER_STAGE", "before")
DYNAMODB_URL = os.environ.get("LADDER_DYNAMODB_URL", "")
DYNAMODB_TABLE = "user_state"
REDIS_URL = os.environ.get("LADDER_REDIS_URL", "")
# How often a process that caches the catalogue asks for its revision, in seconds.
CATALOG_CHECK_SECONDS = float(os.environ.get("LADDER_CATALOG_CHECK_SECONDS", "30"))

# Counting is a middleware and wrappers, so it costs nothing where it is off.
COUNTS_CALLS = os.environ.get("LADDER_COUNT") == "1"
MIDDLEWARE = ["missions.counting.CallsMiddleware"] if COUNTS_CALLS else []

_database = urlsplit(os.environ.get("LADDER_DATABASE_URL", "mysql://root@127.0.0.1:3306/ladder"))
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql",
        "HOST": _database.hostname,
        "PORT": _database.port,
        "USER": _database.username,
        "PASSWORD": unquote(_database.password or ""),
        "NAME": _database.path.strip("/"),
        # Connections are kept for as long as their worker lives, and trusted to be up.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {"charset": "utf8mb4", "local_infile": True},
    }
}
LOGGING_CONFIG = None
