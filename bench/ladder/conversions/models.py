"""What a conversion leaves behind, beside the completion: every row that the money needs."""

from django.db import models

from missions.models import BINARY, AppUser, Click, Completion, LineItem


class Budget(models.Model):
    """What a line item may pay, in points. Booking it is the last thing that a conversion does."""

    line_item = models.OneToOneField(LineItem, models.CASCADE, primary_key=True)
    total = models.BigIntegerField()
    booked = models.BigIntegerField(default=0)

    class Meta:
        db_table = "budget"


class InboundEvent(models.Model):
    """A partner's event. Its key is unique, so a copy cannot be booked, whoever brings it when."""

    click = models.ForeignKey(Click, models.CASCADE, related_name="events", db_index=False)
    name = models.CharField(max_length=50, db_collation=BINARY)
    event_id = models.CharField(max_length=100, db_collation=BINARY)
    received_at = models.DateTimeField()

    class Meta:
        db_table = "inbound_event"
        # It begins with the click, so it is the index of the foreign key too.
        constraints = [
            models.UniqueConstraint(fields=["click", "name", "event_id"], name="event_once")
        ]


class LedgerEntry(models.Model):
    """Points that came to a user."""

    user = models.ForeignKey(AppUser, models.CASCADE, related_name="ledger")
    completion = models.OneToOneField(Completion, models.CASCADE)
    points = models.BigIntegerField()
    balance = models.BigIntegerField()
    booked_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_entry"


class Balance(models.Model):
    """What a user has; made with his first conversion."""

    user = models.OneToOneField(AppUser, models.CASCADE, primary_key=True)
    points = models.BigIntegerField(default=0)

    class Meta:
        db_table = "balance"


class OutboxMessage(models.Model):
    """What the publisher is told, sent by a job from here."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"

    entry = models.OneToOneField(LedgerEntry, models.CASCADE)
    status = models.CharField(max_length=10, choices=Status.choices)
    due_at = models.DateTimeField()
    body = models.JSONField()

    class Meta:
        db_table = "outbox_message"
        indexes = [models.Index(fields=["status", "due_at"])]
