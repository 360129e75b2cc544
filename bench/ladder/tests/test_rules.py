"""What the sample does not have: occurrences on hold or taken back, repeats, and extra steps."""

import os
from datetime import UTC, datetime, timedelta

import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ladder.settings")
django.setup()

from missions import answer, rules  # noqa: E402 (the models need the application)
from missions.models import Mission, MissionText, Step  # noqa: E402
from missions.rules import Done, Run  # noqa: E402

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MISSION = Mission(id=7, line_item_id=3, kind="game", sequence="ordered", requirements=[])
TEXT = MissionText(title="Castle", summary="Build it", cta="Play")
# Two that are required, of which the first is paid twice, and an extra.
STEPS = [
    Step(number=1, position=1, kind="event", role="required", repeat_limit=2, points=10),
    Step(number=2, position=2, kind="event", role="required", repeat_limit=1, points=100),
    Step(number=3, position=3, kind="event", role="bonus", repeat_limit=1, points=1_000),
]


def run(done: str, status: str = "open", deadline: datetime = NOW) -> Run:
    """A run that has had `done`, such as `1 rewarded, 1 pending`."""
    occurrences = [one.split() for one in done.split(", ")] if done else []
    points = {step.number: step.points for step in STEPS}
    return Run(
        mission=7,
        code="C",
        status=status,
        deadline=deadline,
        done=[Done(int(step), state, points[int(step)], NOW) for step, state in occurrences],
    )


@pytest.mark.parametrize(
    ("done", "states", "completed", "left", "earned"),
    [
        ("", "available locked available", [0, 0, 0], 1_120, 0),
        ("1 rewarded", "available locked available", [1, 0, 0], 1_110, 10),
        ("1 rewarded, 1 pending", "pending available available", [2, 0, 0], 1_100, 10),
        ("1 rewarded, 1 reversed", "rewarded available available", [1, 0, 0], 1_100, 10),
        ("1 reversed, 1 reversed", "reversed available available", [0, 0, 0], 1_100, 0),
        ("3 rewarded", "available locked rewarded", [0, 0, 1], 120, 1_000),
    ],
)
def test_a_run_shows_what_was_done(
    done: str, states: str, completed: list[int], left: int, earned: int
) -> None:
    document = answer.of_run(run(done), MISSION, TEXT, STEPS, ["a", "b", "c"])
    assert [step["state"] for step in document["steps"]] == states.split()
    assert [step["completed"] for step in document["steps"]] == completed
    assert document["state"] == ("in_progress" if done else "started")
    assert document["reward_total"] == 1_120
    assert rules.remaining(run(done), STEPS) == left
    assert rules.earned([run(done)]) == earned


def test_the_next_reward_is_that_of_the_first_step_that_is_open() -> None:
    for done, reward in [("", 10), ("1 rewarded, 1 pending", 100)]:
        document = answer.of_run(run(done), MISSION, TEXT, STEPS, ["a", "b", "c"])
        assert document["reward_first"] == reward


def test_a_run_is_shown_while_it_can_earn() -> None:
    required = "1 rewarded, 1 rewarded, 2 rewarded"
    before, after = NOW - timedelta(milliseconds=1), NOW + timedelta(milliseconds=1)
    assert rules.can_earn(run(""), STEPS, before)
    assert rules.can_earn(run(""), STEPS, NOW)
    assert not rules.can_earn(run(""), STEPS, after)
    assert rules.can_earn(run(required, "completed"), STEPS, NOW)
    assert not rules.can_earn(run(f"{required}, 3 pending", "completed"), STEPS, NOW)
    for status in ["expired", "closed", "voided"]:
        assert not rules.can_earn(run("", status), STEPS, NOW)


def test_moments_have_no_more_digits_than_needed() -> None:
    cases = {0: "12:00:00Z", 500: "12:00:00.5Z", 430: "12:00:00.43Z", 436: "12:00:00.436Z"}
    for milliseconds, text in cases.items():
        moment = answer.moment(NOW + timedelta(milliseconds=milliseconds))
        assert moment == f"2026-11-25T{text}"
