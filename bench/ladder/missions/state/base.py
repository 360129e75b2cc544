"""The value of a user and the port to where it is kept."""

import json
from abc import ABC, abstractmethod
from typing import TypedDict, cast


class DoneState(TypedDict):
    """One occurrence of a step. Moments are milliseconds since 1970."""

    step: int
    status: str
    points: int
    booked_ms: int


class ClickState(TypedDict):
    """A participation and what was done since."""

    mission: int
    code: str
    status: str
    deadline_ms: int
    done: list[DoneState]


class UserState(TypedDict):
    """A user: his profile and his clicks, oldest first."""

    user_id: str
    country: str
    platform: str
    gender: str
    age: int | None
    language: str
    clicks: list[ClickState]


class StateStore(ABC):
    """A key-value store with one value per user; the key is the user's app and his id there."""

    @abstractmethod
    def load(self, app_id: int, user_id: str) -> UserState | None:
        """The user's value by one keyed read, or nothing if he was never seen."""

    @abstractmethod
    def check(self) -> None:
        """Fails if the store does not answer."""

    @abstractmethod
    def fill(self, app_id: int, users: list[UserState]) -> None:
        """Writes many values, for the loader."""


def key(app_id: int, user_id: str) -> str:
    """The key of a user's value."""
    return f"{app_id}:{user_id}"


def read(value: str | bytes) -> UserState:
    """The value, as it is kept."""
    return cast(UserState, json.loads(value))


def written(state: UserState) -> str:
    """The value as it is kept: JSON without spaces."""
    return json.dumps(state, separators=(",", ":"), ensure_ascii=False)
