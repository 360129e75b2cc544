"""What a run looks like to its user. Pure: every stage asks these rules, of rows that it has read.

They are Guerdon's rules as far as the ladder's data go: a step is done when an event has come, it
has no window of its own and waits for nothing but its place in the order, and nothing is owed.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from missions.models import Click, Completion, Mission, Step


class Done(NamedTuple):
    """One occurrence of a step."""

    step: int
    status: str
    points: int
    booked_at: datetime


class Run(NamedTuple):
    """One user's run of one mission. What he has done is in the order in which it was booked."""

    mission: int
    code: str
    status: str
    deadline: datetime
    done: Sequence[Done]


def full_steps(run: Run, steps: Sequence[Step]) -> set[int]:
    """Numbers of the steps that have been done as often as they can be, taken back or not."""
    counts: dict[int, int] = {}
    for one in run.done:
        counts[one.step] = counts.get(one.step, 0) + 1
    return {step.number for step in steps if counts.get(step.number, 0) >= step.repeat_limit}


def can_earn(run: Run, steps: Sequence[Step], now: datetime) -> bool:
    """Whether the run is still shown: it is open, or completed with extra steps left."""
    if now > run.deadline:
        return False
    if run.status == Click.Status.COMPLETED:
        return len(full_steps(run, steps)) < len(steps)
    return run.status == Click.Status.OPEN


def run_state(run: Run) -> str:
    """The state of a run that can still earn."""
    if run.status == Click.Status.COMPLETED:
        return "completed"
    return "in_progress" if run.done else "started"


def is_locked(mission: Mission, steps: Sequence[Step], place: int, full: Collection[int]) -> bool:
    """Whether a step waits for another: the order binds required steps only."""
    if mission.sequence != Mission.Sequence.ORDERED or steps[place].role != Step.Role.REQUIRED:
        return False
    earlier = (step for step in steps[:place] if step.role == Step.Role.REQUIRED)
    return any(step.number not in full for step in earlier)


def step_state(done: Sequence[Done], is_full: bool, locked: bool) -> str:
    """The state of a step of a run that can still earn; `done` is about that step."""
    statuses = {one.status for one in done}
    if Completion.Status.PENDING in statuses:
        return "pending"
    if is_full:
        return "rewarded" if Completion.Status.REWARDED in statuses else "reversed"
    return "locked" if locked else "available"


def remaining(run: Run, steps: Sequence[Step]) -> int:
    """Points that the run can still pay."""
    left = 0
    for step in steps:
        done = sum(1 for one in run.done if one.step == step.number)
        left += step.points * max(step.repeat_limit - done, 0)
    return left


def earned(runs: Sequence[Run]) -> int:
    """Points in the wallet: those that are neither pending nor taken back."""
    rewarded = Completion.Status.REWARDED
    return sum(one.points for run in runs for one in run.done if one.status == rewarded)


def language_choices(language: str) -> list[str]:
    """The language and its primary part (`pt` for `pt-br`), in the order of preference."""
    primary = language.split("-", 1)[0]
    return [language] if primary == language else [language, primary]
