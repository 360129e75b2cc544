"""The path that partners report conversions to."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from conversions.book import Event, book
from missions.views import with_length


@require_safe
def receive(request: HttpRequest, token: str) -> HttpResponse:
    """Answers once the conversion is booked, and on disk."""
    if not constant_time_compare(token, settings.PARTNER_TOKEN):
        return with_length(HttpResponse("no partner has this token", status=404))
    fields = [request.GET.get(name, "") for name in ("click_id", "event", "event_id")]
    if not all(fields):
        text = "click_id, event and event_id are needed"
        return with_length(HttpResponse(text, status=400))
    verdict = book(Event(*fields), timezone.now())
    document = {
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "transaction_id": None if verdict.entry is None else str(verdict.entry),
    }
    return with_length(JsonResponse(document, json_dumps_params={"separators": (",", ":")}))
