"""A conversion pays once, whoever reports it how often, and never beyond the budget."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from missions import dump
from tests.conftest import DUMP, Answer, Application, Stores

TOKEN = "benchmark-partner-token"
Json = dict[str, Any]

# What must always be true of the books: each paid step has one row of each kind.
CHECK = """
from django.db.models import Sum
from conversions.models import *
paid = Completion.objects.filter(ledgerentry__isnull=False)
print(LedgerEntry.objects.count(), OutboxMessage.objects.count(), paid.count())
sums = (LedgerEntry, "points"), (Balance, "points"), (Budget, "booked")
print(*(table.objects.aggregate(sum=Sum(name))["sum"] or 0 for table, name in sums))
"""


class Run(NamedTuple):
    """A run that has done nothing yet."""

    code: str
    mission: int
    line_item: int
    steps: list[Json]


class Books(NamedTuple):
    """Rows and points of the whole database."""

    entries: int
    points: int


def books(stores: Stores) -> Books:
    rows, points = stores.manage("shell", "--command", CHECK).split("\n")[-3:-1]
    assert len(set(rows.split())) == 1, f"entries, messages and completions: {rows}"
    assert len(set(points.split())) == 1, f"entries, balances and budgets: {points}"
    return Books(int(rows.split()[0]), int(points.split()[0]))


@pytest.fixture(scope="module")
def runs() -> Iterator[Run]:
    """Each once, those with two steps first."""
    missions = {row["id"]: row for row in dump.rows(DUMP, "missions")}
    found = [
        Run(run["id"], run["mission_id"], missions[run["mission_id"]]["line_item_id"], steps)
        for user in dump.rows(DUMP, "users")
        for run in user["participations"]
        if run["status"] == "open" and not run["completions"]
        for steps in [missions[run["mission_id"]]["steps"]]
    ]
    return iter(sorted(found, key=lambda run: -len(run.steps)))


@pytest.fixture(scope="module")
def stores(stores: Stores) -> Stores:
    """A database of their own, because other tests want the sample as it is."""
    create = "from django.db import connection as c; c.cursor().execute('CREATE DATABASE booked')"
    stores.manage("shell", "--command", create)
    url = stores.environment["LADDER_DATABASE_URL"].removesuffix("ladder") + "booked"
    own = Stores(stores.folder, {**stores.environment, "LADDER_DATABASE_URL": url})
    own.manage("migrate", "--verbosity", "0")
    own.manage("load", str(DUMP), "--into", "mariadb")
    return own


@pytest.fixture(scope="module")
def partner(stores: Stores) -> Iterator[Application]:
    with stores.serve("before", "gthread") as application:
        yield application


def report(
    partner: Application, click: str, event: str, event_id: str = "1", token: str = TOKEN
) -> Answer:
    query = f"click_id={click}&event={event}&event_id={event_id}"
    return partner.get(f"/v1/postbacks/{token}?{query}", key=None)


def verdict(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    return json.loads(answer.body)["verdict"]


def test_each_step_pays_its_points_in_order(
    stores: Stores, partner: Application, runs: Iterator[Run]
) -> None:
    run, before = next(runs), books(stores)
    first, second = run.steps
    assert verdict(report(partner, run.code, second["event"], "early")) == "parked"
    assert books(stores) == before
    assert verdict(report(partner, run.code, first["event"])) == "rewarded"
    assert verdict(report(partner, run.code, second["event"])) == "rewarded"
    assert verdict(report(partner, run.code, second["event"], "again")) == "ignored"
    points = first["points"] + second["points"]
    assert books(stores) == Books(before.entries + 2, before.points + points)


def test_copies_that_come_at_once_are_paid_once(
    stores: Stores, partner: Application, runs: Iterator[Run]
) -> None:
    run, before = next(runs), books(stores)

    def copy(_: int) -> str:
        own = Application(partner.connection.port)
        try:
            return verdict(report(own, run.code, run.steps[0]["event"]))
        finally:
            own.close()

    with ThreadPoolExecutor(8) as pool:
        verdicts = sorted(pool.map(copy, range(16)))
    assert verdicts == ["duplicate"] * 15 + ["rewarded"]
    assert books(stores) == Books(before.entries + 1, before.points + run.steps[0]["points"])


def test_what_has_no_budget_leaves_nothing(
    stores: Stores, partner: Application, runs: Iterator[Run]
) -> None:
    run, before = next(runs), books(stores)
    budget = (
        f"from conversions.models import *; b = Budget.objects.get(line_item={run.line_item}); "
    )
    stores.manage("shell", "--command", f"{budget} b.total = b.booked; b.save()")
    assert verdict(report(partner, run.code, run.steps[0]["event"])) == "parked"
    assert books(stores) == before
    stores.manage("shell", "--command", f"{budget} b.total += 1_000_000; b.save()")
    assert verdict(report(partner, run.code, run.steps[0]["event"])) == "rewarded"
    assert books(stores).entries == before.entries + 1


def test_what_nobody_started_is_refused(
    stores: Stores, partner: Application, runs: Iterator[Run]
) -> None:
    run, before = next(runs), books(stores)
    assert verdict(report(partner, "nobody", "install")) == "rejected"
    assert verdict(report(partner, run.code, "no_such_event")) == "ignored"
    assert report(partner, run.code, "install", token="another").status == 404
    assert report(partner, run.code, "", "").status == 400
    assert books(stores) == before


def test_a_conversion_takes_a_fixed_number_of_statements(
    partner: Application, runs: Iterator[Run]
) -> None:
    counts = {report(partner, run.code, run.steps[0]["event"]).sql for run in runs}
    # A user's first conversion makes his balance, and a last step closes its run.
    assert counts <= set(range(14, 19)), counts
