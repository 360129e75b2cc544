"""The state in Redis: one string of JSON per user."""

import redis
from django.conf import settings

from missions.counting import count_kv_call
from missions.state.base import StateStore, UserState, key, read, written


class Redis(StateStore):
    """A pool of kept connections to one node."""

    def __init__(self) -> None:
        self.client = redis.Redis.from_url(settings.REDIS_URL)

    def load(self, app_id: int, user_id: str) -> UserState | None:
        if settings.COUNTS_CALLS:
            count_kv_call()
        value = self.client.get(name(app_id, user_id))
        return None if value is None else read(value)

    def check(self) -> None:
        self.client.ping()

    def fill(self, app_id: int, users: list[UserState]) -> None:
        with self.client.pipeline(transaction=False) as pipeline:
            for user in users:
                pipeline.set(name(app_id, user["user_id"]), written(user))
            pipeline.execute()


def name(app_id: int, user_id: str) -> str:
    """The key in a server that others may share."""
    return f"user_state:{key(app_id, user_id)}"
