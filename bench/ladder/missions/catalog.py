"""The catalogue in the process: read from the database once for each revision.

Rows are kept as the ORM gives them, beside the answers to what a request asks: which ad groups fit,
and what an offer looks like in a language.
"""

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.conf import settings

from missions import answer
from missions.answer import Json
from missions.models import AdGroup, App, CatalogRevision, LineItem, Mission, Unit
from missions.shown import Shown, show


class Person(NamedTuple):
    """What an ad group asks of a user, apart from his age."""

    country: str
    platform: str
    gender: str


@dataclass
class Catalog:
    """One revision."""

    revision: int
    apps: dict[str, App]
    unit_apps: dict[int, int]
    missions: dict[int, Mission]
    of_line_item: dict[int, list[Mission]]
    # Running line items' active ad groups, best first.
    ad_groups: list[AdGroup]
    asked: dict[int, dict[str, set[str]]]
    _fitting: dict[Person, list[AdGroup]] = field(default_factory=dict)
    _shown: dict[tuple[int, str], Shown] = field(default_factory=dict)
    _offers: dict[tuple[int, str], Json] = field(default_factory=dict)

    def fitting(self, person: Person, age: int | None) -> list[AdGroup]:
        """The ad groups that a user fits, best first."""
        found = self._fitting.get(person)
        if found is None:
            found = [one for one in self.ad_groups if self._asks_for(one, person)]
            self._fitting[person] = found
        return [one for one in found if takes_age(one, age)]

    def offer(self, mission: Mission, line_item: LineItem, language: str) -> Json:
        """The mission as an offer; whoever gets it must not change it."""
        found = self._offers.get((mission.pk, language))
        if found is None:
            found = answer.offer(line_item, *self.shown(mission, language))
            self._offers[mission.pk, language] = found
        return found

    def shown(self, mission: Mission, language: str) -> Shown:
        """The mission's texts and steps in a language."""
        found = self._shown.get((mission.pk, language))
        if found is None:
            found = show(mission, language)
            self._shown[mission.pk, language] = found
        return found

    def _asks_for(self, ad_group: AdGroup, person: Person) -> bool:
        asked = self.asked[ad_group.pk]
        return all(
            "" in asked[kind] or value in asked[kind] for kind, value in person._asdict().items()
        )


def takes_age(ad_group: AdGroup, age: int | None) -> bool:
    """Whether the ad group takes users of that age."""
    low, high = ad_group.age_min, ad_group.age_max
    if age is None:
        return low is None and high is None
    return (low is None or low <= age) and (high is None or age <= high)


def may_start(line_item: LineItem, now: datetime) -> bool:
    """Whether the line item's flight has begun and not ended."""
    begins, ends = line_item.starts_at, line_item.ends_at
    return (begins is None or begins <= now) and (ends is None or now < ends)


def read(revision: int) -> Catalog:
    """Reads everything, in a fixed number of statements."""
    missions = list(
        Mission.objects.order_by("id").prefetch_related("texts", "steps", "steps__texts")
    )
    of_line_item: dict[int, list[Mission]] = {}
    for mission in missions:
        if mission.status == Mission.Status.ACTIVE:
            of_line_item.setdefault(mission.line_item_id, []).append(mission)
    ad_groups = list(
        AdGroup.objects.filter(
            status=AdGroup.Status.ACTIVE, line_item__status=LineItem.Status.RUNNING
        )
        .select_related("line_item")
        .prefetch_related("targets")
        .order_by("-line_item__priority", "-expected", "id")
    )
    asked = {}
    for ad_group in ad_groups:
        values: dict[str, set[str]] = {kind: set() for kind in Person._fields}
        for target in ad_group.targets.all():
            values[target.kind].add(target.value)
        asked[ad_group.pk] = values
    return Catalog(
        revision=revision,
        apps={app.api_key: app for app in App.objects.all()},
        unit_apps={unit.pk: unit.app_id for unit in Unit.objects.all()},
        missions={mission.pk: mission for mission in missions},
        of_line_item=of_line_item,
        ad_groups=ad_groups,
        asked=asked,
    )


class CatalogCache:
    """The newest revision that is known, looked for again after a while by one of the requests."""

    def __init__(self) -> None:
        self.catalog: Catalog | None = None
        self.checked_at = 0.0
        self.lock = threading.Lock()

    def get(self) -> Catalog:
        """The catalogue; the statement that looks for a newer one is rare."""
        catalog = self.catalog
        is_fresh = time.monotonic() - self.checked_at < settings.CATALOG_CHECK_SECONDS
        if catalog is not None and is_fresh:
            return catalog
        with self.lock:
            revision = CatalogRevision.objects.get().number
            if self.catalog is None or self.catalog.revision != revision:
                self.catalog = read(revision)
            self.checked_at = time.monotonic()
            return self.catalog
