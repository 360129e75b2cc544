"""Reads a dump: JSON Lines files in one folder, described in README.md."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def rows(folder: Path, name: str) -> Iterator[Row]:
    """The rows of one file in their order."""
    with (folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def milliseconds(text: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 moment; the dump has none that are finer."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def sql_moment(text: str | None) -> str | None:
    """The moment as MariaDB reads it into a column that is in UTC."""
    if text is None:
        return None
    return datetime.fromisoformat(text).replace(tzinfo=None).isoformat(" ")
