"""What every stage can do."""

from abc import ABC, abstractmethod
from datetime import datetime

from django.db import connection
from django.http import HttpResponse, JsonResponse

from missions.answer import Json
from missions.asker import Asker


class Stage(ABC):
    """One way to get the list of missions."""

    @abstractmethod
    def list_missions(self, asker: Asker, now: datetime) -> Json:
        """The user's runs that can still earn, and what he can start."""

    def prepare(self) -> None:  # noqa: B027 (a stage without caches has nothing to do)
        """Fills the process's caches, if the stage has any."""

    def check(self) -> None:
        """Fails if a store that each request needs does not answer."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    def respond(self, document: Json) -> HttpResponse:
        """Writes the JSON as Django does, without spaces and in UTF-8."""
        return JsonResponse(
            document, json_dumps_params={"separators": (",", ":"), "ensure_ascii": False}
        )
