"""What gunicorn runs in each worker."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ladder.settings")
application = get_wsgi_application()

from missions.stages import STAGE  # noqa: E402 (the models need the application)

# A worker that has not loaded its caches yet accepts no connection.
STAGE.prepare()
