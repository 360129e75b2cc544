"""Fills MariaDB: the catalogue by bulk inserts, the users by `LOAD DATA`, which takes millions.

Numbers of users, clicks and completions are given here, so that related rows can be written without
asking the database for them.
"""

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from django.db import connection, transaction

from conversions.models import Budget
from missions import dump
from missions.dump import Row
from missions.models import (
    AdGroup,
    AdGroupTarget,
    App,
    CatalogRevision,
    LineItem,
    Mission,
    MissionText,
    Step,
    StepText,
    Unit,
)

# Users of one `LOAD DATA`: some thousand rows of each table, and a small temporary file.
CHUNK_USERS = 10_000
# More steps than a mission has; a step's number in its mission makes its key.
STEPS_MAX = 1_000
# What a line item may pay. The dump has no budgets; this one is never used up by a benchmark.
BUDGET_POINTS = 1_000_000_000_000

# The columns of the big tables, in the order in which their rows are written.
COLUMNS = {
    "app_user": [
        "id",
        "app_id",
        "external_id",
        "country",
        "platform",
        "gender",
        "age",
        "language",
    ],
    "click": ["id", "user_id", "mission_id", "code", "status", "created_at", "deadline"],
    "completion": ["id", "click_id", "step_id", "occurrence", "status", "points", "booked_at"],
}

Lines = list[list[Any]]


def fill(folder: Path) -> int:
    """Writes everything into empty tables; says how many users there are."""
    with transaction.atomic():
        fill_catalog(folder)
    users = fill_users(folder)
    with connection.cursor() as cursor:
        # Else plans are made from what the tables were while they grew.
        cursor.execute(f"ANALYZE TABLE {', '.join(connection.introspection.table_names(cursor))}")
    return users


def fill_catalog(folder: Path) -> None:
    """Writes what people edit."""
    revision = next(dump.rows(folder, "revision"))
    CatalogRevision.objects.create(number=revision["catalog_revision"])
    apps = list(dump.rows(folder, "apps"))
    App.objects.bulk_create(
        App(
            id=row["id"],
            api_key=row["api_key"],
            currency_name=row["currency_name"],
            minor_units=row["minor_units"],
        )
        for row in apps
    )
    units = [(row["id"], unit) for row in apps for unit in row["unit_ids"]]
    Unit.objects.bulk_create(Unit(id=unit, app_id=app) for app, unit in units)
    line_items = [LineItem(**row) for row in dump.rows(folder, "line_items")]
    LineItem.objects.bulk_create(line_items)
    Budget.objects.bulk_create(Budget(line_item=one, total=BUDGET_POINTS) for one in line_items)
    fill_ad_groups(list(dump.rows(folder, "ad_groups")))
    fill_missions(list(dump.rows(folder, "missions")))


def fill_ad_groups(rows: list[Row]) -> None:
    """Writes the ad groups with a row for each value that they ask for."""
    properties = {"countries": "country", "platforms": "platform", "genders": "gender"}
    ad_groups = [
        AdGroup(**{name: value for name, value in row.items() if name not in properties})
        for row in rows
    ]
    AdGroup.objects.bulk_create(ad_groups, batch_size=1_000)
    AdGroupTarget.objects.bulk_create(
        (
            AdGroupTarget(ad_group_id=row["id"], kind=kind, value=value)
            for row in rows
            for name, kind in properties.items()
            for value in row[name] or [""]
        ),
        batch_size=1_000,
    )


def fill_missions(rows: list[Row]) -> None:
    """Writes the missions with their texts and steps."""
    parts = ("texts", "steps")
    missions = [
        Mission(**{name: value for name, value in row.items() if name not in parts}) for row in rows
    ]
    Mission.objects.bulk_create(missions, batch_size=1_000)
    texts = [MissionText(mission_id=row["id"], **text) for row in rows for text in row["texts"]]
    MissionText.objects.bulk_create(texts, batch_size=1_000)
    steps: list[Step] = []
    step_texts: list[StepText] = []
    for row in rows:
        for position, step in enumerate(row["steps"], start=1):
            steps.append(read_step(row["id"], position, step))
            step_texts.extend(StepText(step_id=steps[-1].pk, **text) for text in step["texts"])
    Step.objects.bulk_create(steps, batch_size=1_000)
    StepText.objects.bulk_create(step_texts, batch_size=1_000)


def read_step(mission_id: int, position: int, row: Row) -> Step:
    """A step, from its part of the mission's row."""
    return Step(
        id=step_key(mission_id, row["id"]),
        mission_id=mission_id,
        number=row["id"],
        position=position,
        kind=row["kind"],
        event=row["event"],
        role=row["role"],
        repeat_limit=row["repeat_limit"],
        points=row["points"],
    )


def step_key(mission_id: int, number: int) -> int:
    """The key of a step's row."""
    return mission_id * STEPS_MAX + number


def fill_users(folder: Path) -> int:
    """Writes the users, their clicks and completions; says how many users there are."""
    users = 0
    rows = dump.rows(folder, "users")
    writer = UserWriter()
    with TemporaryDirectory() as folder_name, connection.cursor() as cursor:
        cursor.execute("SET SESSION foreign_key_checks = 0, unique_checks = 0")
        while chunk := list(itertools.islice(rows, CHUNK_USERS)):
            users += len(chunk)
            for table, lines in writer.tables(chunk).items():
                path = Path(folder_name) / table
                with path.open("w", encoding="utf-8") as file:
                    write_lines(file, lines)
                load_data(cursor, path, table)
        cursor.execute("SET SESSION foreign_key_checks = 1, unique_checks = 1")
    return users


class UserWriter:
    """Turns users into rows of the three tables, and numbers them."""

    def __init__(self) -> None:
        self.last = dict.fromkeys(COLUMNS, 0)
        self.lines: dict[str, Lines] = {}

    def tables(self, rows: Iterable[Row]) -> dict[str, Lines]:
        """The rows of each table for some users."""
        self.lines = {table: [] for table in COLUMNS}
        for row in rows:
            profile = (row[name] for name in ("country", "platform", "gender", "age", "language"))
            user_id = self.add("app_user", row["app_id"], row["user_id"], *profile)
            for click in row["participations"]:
                self.add_click(user_id, click)
        return self.lines

    def add_click(self, user_id: int, row: Row) -> None:
        """Adds a participation and what was done since."""
        mission_id = row["mission_id"]
        moments = (dump.sql_moment(row[name]) for name in ("started_at", "deadline"))
        click_id = self.add("click", user_id, mission_id, row["id"], row["status"], *moments)
        occurrences: dict[int, int] = {}
        for done in row["completions"]:
            step_id = step_key(mission_id, done["step_id"])
            occurrence = occurrences[step_id] = occurrences.get(step_id, 0) + 1
            booked_at = dump.sql_moment(done["booked_at"])
            what = (done["status"], done["points"], booked_at)
            self.add("completion", click_id, step_id, occurrence, *what)

    def add(self, table: str, *cells: Any) -> int:
        """Adds a row; its number."""
        self.last[table] += 1
        self.lines[table].append([self.last[table], *cells])
        return self.last[table]


def write_lines(file: TextIO, rows: Lines) -> None:
    """Writes rows as `LOAD DATA` reads them: tabs between, `\\N` for nothing."""
    escapes = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n"})
    for row in rows:
        cells = ("\\N" if cell is None else str(cell).translate(escapes) for cell in row)
        file.write("\t".join(cells) + "\n")


def load_data(cursor: Any, path: Path, table: str) -> None:
    """Has the server read the file through this connection."""
    cursor.execute(
        f"LOAD DATA LOCAL INFILE {json.dumps(str(path))} INTO TABLE {table}"
        f" CHARACTER SET utf8mb4 ({', '.join(COLUMNS[table])})"
    )
    # What does not fit is a warning only, because the file is the client's.
    cursor.execute("SHOW WARNINGS")
    if warning := cursor.fetchone():
        raise ValueError(f"a row of {table} does not fit: {warning}")
