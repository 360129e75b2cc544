"""Who asks for which user's missions."""

from typing import NamedTuple, Self

from django.http import HttpRequest


class Refused(Exception):
    """The request is not answered."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Asker(NamedTuple):
    """A publisher's server that asks on behalf of a user."""

    api_key: str
    unit_id: int
    user_id: str

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """Reads the header and the query; the key and the ids are checked by the stage."""
        scheme, _, api_key = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            raise Refused(401, "a key is needed")
        user_id, unit_id = request.GET.get("user_id"), request.GET.get("unit_id", "")
        if not user_id or not unit_id.isdecimal():
            raise Refused(400, "user_id and unit_id are needed")
        return cls(api_key, int(unit_id), user_id)
