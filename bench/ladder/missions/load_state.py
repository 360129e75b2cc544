"""Fills Redis and DynamoDB with one value per user."""

import itertools
from collections.abc import Iterator
from multiprocessing import Pool
from pathlib import Path

from missions import dump
from missions.dump import Row
from missions.state.base import ClickState, DoneState, StateStore, UserState
from missions.state.dynamodb import DynamoDb
from missions.state.redis import Redis

# Users that are written together.
CHUNK_USERS = 500


def fill_redis(folder: Path) -> int:
    """Writes all users to Redis; says how many."""
    store = Redis()
    return sum(_fill_chunk(store, chunk) for chunk in _chunks(folder))


def fill_dynamodb(folder: Path) -> int:
    """Writes all users to DynamoDB, from several processes because boto3 takes processor time."""
    DynamoDb().create_table()
    with Pool(initializer=_open_dynamodb) as pool:
        return sum(pool.imap_unordered(_fill_dynamodb_chunk, _chunks(folder)))


_dynamodb: DynamoDb


def _open_dynamodb() -> None:
    """A client for each process: connections must not be shared."""
    global _dynamodb
    _dynamodb = DynamoDb()


def _fill_dynamodb_chunk(rows: list[Row]) -> int:
    return _fill_chunk(_dynamodb, rows)


def _fill_chunk(store: StateStore, rows: list[Row]) -> int:
    for app_id, users in itertools.groupby(rows, key=lambda row: row["app_id"]):
        store.fill(app_id, [user_state(row) for row in users])
    return len(rows)


def _chunks(folder: Path) -> Iterator[list[Row]]:
    rows = dump.rows(folder, "users")
    while chunk := list(itertools.islice(rows, CHUNK_USERS)):
        yield chunk


def user_state(row: Row) -> UserState:
    """The value of a user, from his row in the dump."""
    return UserState(
        user_id=row["user_id"],
        country=row["country"],
        platform=row["platform"],
        gender=row["gender"],
        age=row["age"],
        language=row["language"],
        clicks=[_click(one) for one in row["participations"]],
    )


def _click(row: Row) -> ClickState:
    return ClickState(
        mission=row["mission_id"],
        code=row["id"],
        status=row["status"],
        deadline_ms=dump.milliseconds(row["deadline"]),
        done=[_done(one) for one in row["completions"]],
    )


def _done(row: Row) -> DoneState:
    return DoneState(
        step=row["step_id"],
        status=row["status"],
        points=row["points"],
        booked_ms=dump.milliseconds(row["booked_at"]),
    )
