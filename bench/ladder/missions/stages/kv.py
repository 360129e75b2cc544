"""`kv`: the catalogue in the process and the user's state by one keyed read; no SQL for a list.

`kv_fast` differs in the JSON only: orjson writes it, and Redis, the quicker store, keeps the state.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import orjson
from django.http import HttpResponse

from missions import answer, rules
from missions.answer import Json
from missions.asker import Asker, Refused
from missions.catalog import Catalog, CatalogCache, Person, may_start
from missions.models import LineItem, Mission
from missions.rules import Done, Run
from missions.stages.base import Stage
from missions.state.base import StateStore, UserState

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Kv(Stage):
    """One keyed read per list."""

    def __init__(self, store: StateStore) -> None:
        self.store = store
        self.cache = CatalogCache()

    def prepare(self) -> None:
        self.cache.get()

    def check(self) -> None:
        self.store.check()

    def list_missions(self, asker: Asker, now: datetime) -> Json:
        catalog = self.cache.get()
        app = catalog.apps.get(asker.api_key)
        if app is None or catalog.unit_apps.get(asker.unit_id) != app.pk:
            raise Refused(401, "no app has this key and this unit")
        user = self.store.load(app.pk, asker.user_id)
        if user is None:
            raise Refused(404, "no such user")
        every_run = read_runs(user)
        runs, left = shown_runs(catalog, every_run, user["language"], now)
        offers = [
            catalog.offer(mission, line_item, user["language"])
            for mission, line_item in startable(catalog, user, every_run, now)
        ]
        earnable = left + sum(one["reward_total"] for one in offers)
        points = (earnable, rules.earned(every_run))
        return answer.whole(app, catalog.revision, runs, offers, points)


class KvFast(Kv):
    """The same with the quickest JSON there is for Python."""

    def respond(self, document: Json) -> HttpResponse:
        return HttpResponse(orjson.dumps(document), content_type="application/json")


def moment(ms: int) -> datetime:
    """The moment of so many milliseconds since 1970."""
    return EPOCH + timedelta(milliseconds=ms)


def read_runs(user: UserState) -> list[Run]:
    """The user's clicks as the rules want them."""
    return [
        Run(
            click["mission"],
            click["code"],
            click["status"],
            moment(click["deadline_ms"]),
            [
                Done(one["step"], one["status"], one["points"], moment(one["booked_ms"]))
                for one in click["done"]
            ],
        )
        for click in user["clicks"]
    ]


def shown_runs(
    catalog: Catalog, runs: Iterable[Run], language: str, now: datetime
) -> tuple[list[Json], int]:
    """The runs that can still earn, nearest deadline first, and what they can earn together."""
    documents, left = [], 0
    for run in sorted(runs, key=lambda run: (run.deadline, run.code)):
        shown = catalog.shown(catalog.missions[run.mission], language)
        if rules.can_earn(run, shown.steps, now):
            documents.append(answer.of_run(run, *shown))
            left += rules.remaining(run, shown.steps)
    return documents, left


def startable(
    catalog: Catalog, user: UserState, runs: Sequence[Run], now: datetime
) -> list[tuple[Mission, LineItem]]:
    """The missions that the user can start, in the order of their line item's best ad group."""
    clicked = {run.mission for run in runs}
    starts: dict[int, int] = {}
    for run in runs:
        line_item_id = catalog.missions[run.mission].line_item_id
        starts[line_item_id] = starts.get(line_item_id, 0) + 1
    person = Person(user["country"], user["platform"], user["gender"])
    fitting = catalog.fitting(person, user["age"])
    # A line item is offered through its best ad group only, and the best one comes first.
    line_items = {ad_group.line_item_id: ad_group.line_item for ad_group in fitting}
    return [
        (mission, line_item)
        for line_item in line_items.values()
        if may_start(line_item, now)
        and (line_item.per_user_cap is None or starts.get(line_item.pk, 0) < line_item.per_user_cap)
        for mission in catalog.of_line_item.get(line_item.pk, [])
        if mission.pk not in clicked
    ]
