"""The two paths: the list of missions, and whether the process is ready."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from missions.asker import Asker, Refused
from missions.stages import STAGE


@require_safe
def list_missions(request: HttpRequest) -> HttpResponse:
    """The missions of a user, for his publisher's server."""
    try:
        asker = Asker.of(request)
        document = STAGE.list_missions(asker, timezone.now())
    except Refused as refused:
        return with_length(HttpResponse(str(refused), status=refused.status))
    return with_length(STAGE.respond(document))


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answers once the stores of this stage do; a worker has filled its caches before."""
    STAGE.check()
    return with_length(HttpResponse("ready"))


def with_length(response: HttpResponse) -> HttpResponse:
    """Says how long the answer is, as `CommonMiddleware` would; else gunicorn sends chunks."""
    response["Content-Length"] = str(len(response.content))
    return response
