"""`before`: the list as it is first written: the tables are small, and nobody counts statements.

Each habit below reads well, passes review and is quick on a laptop with ten missions. Together they
ask the database again for every mission, every step and every click.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from missions import answer, rules
from missions.answer import Json
from missions.asker import Asker, Refused
from missions.models import (
    AdGroup,
    AdGroupTarget,
    App,
    AppUser,
    CatalogRevision,
    Click,
    LineItem,
    Mission,
    MissionText,
    Step,
    Unit,
    for_age,
    in_flight,
)
from missions.rules import Done, Run
from missions.stages.base import Stage


class Before(Stage):
    """Asks for one thing at a time."""

    def list_missions(self, asker: Asker, now: datetime) -> Json:
        app, user = find(asker)
        clicks = Click.objects.filter(user=user)
        every_run = [read_run(click) for click in clicks]

        runs = []
        earnable = 0
        # Habit: the row is at hand in no other place, so it is got by id inside the loop (N+1).
        for run in sorted(every_run, key=lambda run: (run.deadline, run.code)):
            mission = Mission.objects.get(id=run.mission)
            steps = mission.steps.all()
            if rules.can_earn(run, steps, now):
                text = text_of(mission, user.language)
                runs.append(answer.of_run(run, mission, text, steps, titles_of(steps, user)))
                earnable += rules.remaining(run, steps)

        offers = []
        for mission in startable(user, now):
            steps = mission.steps.all()
            text = text_of(mission, user.language)
            titles = titles_of(steps, user)
            offers.append(answer.offer(mission.line_item, mission, text, steps, titles))
            earnable += offers[-1]["reward_total"]

        revision = CatalogRevision.objects.get().number
        points = (earnable, rules.earned(every_run))
        return answer.whole(app, revision, runs, offers, points)


def find(asker: Asker) -> tuple[App, AppUser]:
    """The app of the key and the user. Habit: one `get` for each check."""
    try:
        app = App.objects.get(api_key=asker.api_key)
        unit = Unit.objects.get(id=asker.unit_id)
        user = AppUser.objects.get(app=app, external_id=asker.user_id)
    except App.DoesNotExist:
        raise Refused(401, "no app has this key") from None
    except (Unit.DoesNotExist, AppUser.DoesNotExist):
        raise Refused(404, "no such unit or user") from None
    # Habit: comparing objects instead of `app_id` loads the unit's app.
    if unit.app != app:
        raise Refused(404, "no such unit")
    return app, user


def read_run(click: Click) -> Run:
    """A click with what was done since. Habit: related rows one by one, and theirs again."""
    done = [
        Done(one.step.number, one.status, one.points, one.booked_at)
        for one in click.completions.all()
    ]
    return Run(click.mission_id, click.code, click.status, click.deadline, done)


def fitting_ad_groups(user: AppUser) -> QuerySet[AdGroup]:
    """The ad groups that the user fits. Habit: each condition is an inner queryset."""

    def asked(kind: str, value: str) -> QuerySet[AdGroupTarget, int]:
        targets = AdGroupTarget.objects.filter(kind=kind, value__in=["", value])
        return targets.values("ad_group_id")

    return (
        AdGroup.objects.filter(
            for_age(user.age),
            status=AdGroup.Status.ACTIVE,
            id__in=asked("country", user.country),
        )
        .filter(id__in=asked("platform", user.platform))
        .filter(id__in=asked("gender", user.gender))
    )


def startable(user: AppUser, now: datetime) -> list[Mission]:
    """The missions that the user can start, the best ad group's first."""
    fitting = fitting_ad_groups(user)
    line_items = LineItem.objects.filter(
        in_flight(now),
        status=LineItem.Status.RUNNING,
        id__in=fitting.values("line_item_id"),
    )
    # Habit: a queryset that is passed on is not a list but one more level of nested subqueries.
    # The related rows are prefetched; what is asked below leaves most of them aside.
    missions = (
        Mission.objects.filter(status=Mission.Status.ACTIVE, line_item__in=line_items)
        .exclude(id__in=Click.objects.filter(user=user).values("mission_id"))
        .prefetch_related("texts", "steps", "line_item__ad_groups")
    )
    ranked = []
    for mission in missions:
        line_item = mission.line_item
        # Habit: `.filter()` on a prefetched relation leaves the cache aside and queries again.
        best = line_item.ad_groups.filter(id__in=fitting).order_by("-expected", "id")[0]
        # Habit: a `count()` for each row.
        starts = Click.objects.filter(user=user, mission__line_item=line_item).count()
        if line_item.per_user_cap is None or starts < line_item.per_user_cap:
            ranked.append((-line_item.priority, -best.expected, best.id, mission.id, mission))
    return [mission for *_, mission in sorted(ranked, key=lambda one: one[:-1])]


def text_of(mission: Mission, language: str) -> MissionText:
    """The mission's text. Habit: `.filter().first()` on a prefetched relation, again a query."""
    for choice in rules.language_choices(language):
        text = mission.texts.filter(language=choice).first()
        if text is not None:
            return text
    return mission.texts.all()[0]


def titles_of(steps: Sequence[Step], user: AppUser) -> list[str]:
    """The titles of the steps. Habit: nobody has prefetched two levels down."""
    titles = []
    for step in steps:
        texts = {text.language: text.title for text in step.texts.all()}
        choices = rules.language_choices(user.language)
        found = (texts[choice] for choice in choices if choice in texts)
        titles.append(next(found, next(iter(texts.values()))))
    return titles
