"""`orm`: the same tables after the fixes, with a fixed number of statements for every user.

Related rows are prefetched and then chosen by list comprehensions over the cache; an inner queryset
is made a list before the next one uses it; what many rows need is got by one `id__in`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Q

from missions import answer, rules
from missions.answer import Json
from missions.asker import Asker, Refused
from missions.models import (
    AdGroup,
    AppUser,
    CatalogRevision,
    Click,
    LineItem,
    Mission,
    Unit,
    for_age,
    in_flight,
)
from missions.rules import Done, Run
from missions.shown import Shown, show
from missions.stages.base import Stage


class Orm(Stage):
    """Asks for everything of a kind at once."""

    def list_missions(self, asker: Asker, now: datetime) -> Json:
        user = find(asker)
        clicks = list(Click.objects.filter(user_id=user.pk).prefetch_related("completions"))
        ad_groups = fitting_ad_groups(user, now)
        missions = missions_of(clicks, ad_groups)
        shown = {mission.pk: show(mission, user.language) for mission in missions}

        every_run = read_runs(clicks, shown)
        runs = [run for run in every_run if rules.can_earn(run, shown[run.mission].steps, now)]
        runs.sort(key=lambda run: (run.deadline, run.code))
        run_documents = [answer.of_run(run, *shown[run.mission]) for run in runs]
        offers = [
            answer.offer(line_item, *shown[mission.pk])
            for mission, line_item in startable(missions, ad_groups, clicks)
        ]
        earnable = sum(rules.remaining(run, shown[run.mission].steps) for run in runs)
        earnable += sum(document["reward_total"] for document in offers)
        revision = CatalogRevision.objects.get().number
        points = (earnable, rules.earned(every_run))
        return answer.whole(user.app, revision, run_documents, offers, points)


def find(asker: Asker) -> AppUser:
    """The user with his app, once the key and the unit are known to be right."""
    unit = Unit.objects.filter(id=asker.unit_id).select_related("app").first()
    if unit is None or unit.app.api_key != asker.api_key:
        raise Refused(401, "no app has this key and this unit")
    user = AppUser.objects.filter(app_id=unit.app_id, external_id=asker.user_id).first()
    if user is None:
        raise Refused(404, "no such user")
    user.app = unit.app
    return user


def fitting_ad_groups(user: AppUser, now: datetime) -> list[AdGroup]:
    """The ad groups that the user fits, best first; joins on indexes instead of subqueries."""
    ad_groups = (
        AdGroup.objects.filter(targets__kind="country", targets__value__in=["", user.country])
        .filter(targets__kind="platform", targets__value__in=["", user.platform])
        .filter(targets__kind="gender", targets__value__in=["", user.gender])
        .filter(for_age(user.age), in_flight(now, "line_item__"))
        .filter(status=AdGroup.Status.ACTIVE, line_item__status=LineItem.Status.RUNNING)
        .select_related("line_item")
        .order_by("-line_item__priority", "-expected", "id")
    )
    return list(ad_groups)


def missions_of(clicks: Iterable[Click], ad_groups: Iterable[AdGroup]) -> list[Mission]:
    """The missions that the user has clicked and those that he fits, with all that is shown."""
    clicked = [click.mission_id for click in clicks]
    line_items = list({ad_group.line_item_id for ad_group in ad_groups})
    missions = Mission.objects.filter(
        Q(id__in=clicked) | Q(line_item_id__in=line_items, status=Mission.Status.ACTIVE)
    )
    return list(missions.order_by("id").prefetch_related("texts", "steps", "steps__texts"))


def read_runs(clicks: Iterable[Click], shown: Mapping[int, Shown]) -> list[Run]:
    """The clicks with what was done since, from what is loaded."""
    numbers = {step.pk: step.number for one in shown.values() for step in one.steps}
    return [
        Run(
            click.mission_id,
            click.code,
            click.status,
            click.deadline,
            [
                Done(numbers[one.step_id], one.status, one.points, one.booked_at)
                for one in click.completions.all()
            ],
        )
        for click in clicks
    ]


def startable(
    missions: Sequence[Mission], ad_groups: Iterable[AdGroup], clicks: Sequence[Click]
) -> list[tuple[Mission, LineItem]]:
    """The missions that the user can start, in the order of their line item's best ad group."""
    clicked = {click.mission_id for click in clicks}
    of_line_item: dict[int, list[Mission]] = {}
    starts: dict[int, int] = {}
    for mission in missions:
        of_line_item.setdefault(mission.line_item_id, []).append(mission)
        if mission.pk in clicked:
            starts[mission.line_item_id] = starts.get(mission.line_item_id, 0) + 1
    # A line item is offered through its best ad group only, and the best one comes first.
    line_items = {ad_group.line_item_id: ad_group.line_item for ad_group in ad_groups}
    return [
        (mission, line_item)
        for line_item in line_items.values()
        if line_item.per_user_cap is None or starts.get(line_item.pk, 0) < line_item.per_user_cap
        for mission in of_line_item.get(line_item.pk, [])
        if mission.pk not in clicked and mission.status == Mission.Status.ACTIVE
    ]
