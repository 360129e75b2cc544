"""Books a partner's event: all of it in one transaction, or nothing.

Rows are locked in one order: the click, which only this user's events want, then his balance, and
last the budget, which everybody wants; so nobody waits in a circle, and the budget's lock is short.
"""

from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction

from conversions.models import Balance, Budget, InboundEvent, LedgerEntry, OutboxMessage
from missions.models import Click, Completion, Mission, Step


class Event(NamedTuple):
    """What the partner says."""

    click_id: str
    name: str
    event_id: str


class Verdict(NamedTuple):
    """What became of it, and the ledger entry that it booked."""

    verdict: str
    reason: str
    entry: int | None = None


def book(event: Event, now: datetime) -> Verdict:
    """Decides the event, and books what it earns."""
    try:
        with transaction.atomic():
            return _decide(event, now)
    except IntegrityError:
        # The same event has just been booked by another worker.
        return Verdict("duplicate", "seen_before")


def _decide(event: Event, now: datetime) -> Verdict:
    click = Click.objects.select_for_update().filter(code=event.click_id).first()
    if click is None:
        return Verdict("rejected", "forged_click")
    events = InboundEvent.objects.filter(click=click, name=event.name, event_id=event.event_id)
    if events.exists():
        return Verdict("duplicate", "seen_before")
    InboundEvent.objects.create(
        click=click, name=event.name, event_id=event.event_id, received_at=now
    )
    if click.status != Click.Status.OPEN or now > click.deadline:
        return Verdict("ignored", "too_late")
    mission = Mission.objects.get(id=click.mission_id)
    steps = list(mission.steps.all())
    done = list(click.completions.values_list("step_id", flat=True))
    step = next((one for one in steps if one.event == event.name), None)
    if step is None:
        return Verdict("ignored", "no_such_step")
    if done.count(step.pk) >= step.repeat_limit:
        return Verdict("ignored", "paid_in_full")
    if _is_early(mission, steps, step, done):
        return Verdict("parked", "early")
    return _pay(click, mission, step, steps, done, now)


def _is_early(mission: Mission, steps: list[Step], step: Step, done: list[int]) -> bool:
    """Whether an ordered mission wants another step first."""
    if mission.sequence != Mission.Sequence.ORDERED or step.role != Step.Role.REQUIRED:
        return False
    earlier = (one for one in steps if one.position < step.position)
    return any(one.role == Step.Role.REQUIRED and one.pk not in done for one in earlier)


def _pay(
    click: Click, mission: Mission, step: Step, steps: list[Step], done: list[int], now: datetime
) -> Verdict:
    completion = Completion.objects.create(
        click=click,
        step=step,
        occurrence=done.count(step.pk) + 1,
        status=Completion.Status.REWARDED,
        points=step.points,
        booked_at=now,
    )
    done.append(step.pk)
    if all(done.count(one.pk) >= one.repeat_limit for one in steps):
        click.status = Click.Status.COMPLETED
        click.save(update_fields=["status"])
    balance, _ = Balance.objects.select_for_update().get_or_create(user_id=click.user_id)
    balance.points += step.points
    balance.save(update_fields=["points"])
    entry = LedgerEntry.objects.create(
        user_id=click.user_id,
        completion=completion,
        points=step.points,
        balance=balance.points,
        booked_at=now,
    )
    OutboxMessage.objects.create(
        entry=entry,
        status=OutboxMessage.Status.WAITING,
        due_at=now,
        body={"click_id": click.code, "step": step.number, "points": step.points},
    )
    budget = Budget.objects.select_for_update().get(line_item_id=mission.line_item_id)
    if budget.booked + step.points > budget.total:
        # Nothing of it may stay, and the event may come again when there is budget.
        transaction.set_rollback(True)
        return Verdict("parked", "no_budget")
    budget.booked += step.points
    budget.save(update_fields=["booked"])
    return Verdict("rewarded", "step_done", entry.pk)
