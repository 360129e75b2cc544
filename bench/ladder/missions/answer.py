"""The list as JSON values, the same for every stage."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from missions import rules
from missions.models import App, LineItem, Mission, MissionText, Step
from missions.rules import Run

Json = dict[str, Any]


def moment(at: datetime | None) -> str | None:
    """RFC 3339 in UTC with no more digits than needed: `2026-11-25T12:00:00.25Z`."""
    if at is None:
        return None
    text = at.replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def whole(
    app: App, revision: int, runs: Sequence[Json], offers: Sequence[Json], points: tuple[int, int]
) -> Json:
    """The answer; `points` are those that can be earned and those that were.

    A page has room for 200 offers and no user fits so many, so there is never another page.
    """
    return {
        "catalog_revision": revision,
        "currency": {"name": app.currency_name, "minor_units": app.minor_units},
        "earnable": points[0],
        "earned": points[1],
        "missions": [*runs, *offers],
        "next_cursor": None,
    }


def offer(
    line_item: LineItem,
    mission: Mission,
    text: MissionText,
    steps: Sequence[Step],
    titles: Sequence[str],
) -> Json:
    """A mission that the user may start."""
    documents = [
        step_json(
            step,
            title,
            "locked" if rules.is_locked(mission, steps, place, ()) else "available",
        )
        for place, (step, title) in enumerate(zip(steps, titles, strict=True))
    ]
    document = mission_json(mission, text, documents)
    document["reward_total"] = sum(step.points * step.repeat_limit for step in steps)
    document["reward_first"] = next((step.points for step in steps if step.points > 0), 0)
    document["deadline"] = moment(line_item.ends_at)
    return document


def of_run(
    run: Run, mission: Mission, text: MissionText, steps: Sequence[Step], titles: Sequence[str]
) -> Json:
    """A mission that the user has started."""
    full = rules.full_steps(run, steps)
    deadline = moment(run.deadline)
    documents = []
    for place, (step, title) in enumerate(zip(steps, titles, strict=True)):
        done = [one for one in run.done if one.step == step.number]
        locked = rules.is_locked(mission, steps, place, full)
        document = step_json(step, title, rules.step_state(done, step.number in full, locked))
        document["completed"] = sum(1 for one in done if one.status != "reversed")
        document["deadline"] = deadline
        document["rewarded_at"] = moment(done[-1].booked_at) if done else None
        documents.append(document)
    open_rewards = (one["reward"] for one in documents if one["state"] == "available")
    answer = mission_json(mission, text, documents)
    answer["state"] = rules.run_state(run)
    answer["enrollment_id"] = run.code
    answer["reward_total"] = sum(step.points * step.repeat_limit for step in steps)
    answer["reward_first"] = next((reward for reward in open_rewards if reward > 0), 0)
    answer["deadline"] = deadline
    return answer


def mission_json(mission: Mission, text: MissionText, steps: list[Json]) -> Json:
    """What offers and runs have in common, in the order in which it is written."""
    return {
        "id": mission.pk,
        "line_item_id": mission.line_item_id,
        "kind": mission.kind,
        "title": text.title,
        "summary": text.summary,
        "icon_url": text.icon_url,
        "state": "available",
        "enrollment_id": None,
        "reward_total": 0,
        "reward_first": 0,
        "typical_minutes": mission.typical_minutes,
        "deadline": None,
        "requirements": mission.requirements,
        "cta": text.cta,
        "steps": steps,
    }


def step_json(step: Step, title: str, state: str) -> Json:
    """A step that has not been done."""
    return {
        "id": step.number,
        "position": step.position,
        "title": title,
        "kind": step.kind,
        "reward": step.points,
        "bonus": step.role == Step.Role.BONUS,
        "optional": step.role != Step.Role.REQUIRED,
        "state": state,
        "completed": 0,
        "repeat_limit": step.repeat_limit,
        "deadline": None,
        "rewarded_at": None,
    }
