"""The tables: the catalogue that people edit, and what users have done.

Every column that a stage asks for is indexed, in all stages; they differ in how they ask.
"""

from datetime import datetime

from django.db import models
from django.db.models import Q

# Ids from outside are compared byte by byte: the default collation takes `a` for `A`.
BINARY = "utf8mb4_bin"


class CatalogRevision(models.Model):
    """One row; the number grows with every edit of the catalogue."""

    number = models.PositiveBigIntegerField()

    class Meta:
        db_table = "catalog_revision"


class App(models.Model):
    """An app with points of its own."""

    api_key = models.CharField(max_length=100, unique=True, db_collation=BINARY)
    currency_name = models.CharField(max_length=50)
    minor_units = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "app"


class Unit(models.Model):
    """A placement inside an app."""

    app = models.ForeignKey(App, models.CASCADE, related_name="units")

    class Meta:
        db_table = "unit"


class LineItem(models.Model):
    """Who pays, and when it runs. A job sets the status of one whose budget is spent."""

    class Status(models.TextChoices):
        RUNNING = "running"
        PAUSED = "paused"
        ENDED = "ended"

    status = models.CharField(max_length=10, choices=Status.choices)
    priority = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    per_user_cap = models.PositiveIntegerField(null=True)

    class Meta:
        db_table = "line_item"
        indexes = [models.Index(fields=["status", "priority"])]


class AdGroup(models.Model):
    """Whom a line item is for, and what one participation is expected to bring."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"

    line_item = models.ForeignKey(LineItem, models.CASCADE, related_name="ad_groups")
    status = models.CharField(max_length=10, choices=Status.choices)
    age_min = models.PositiveSmallIntegerField(null=True)
    age_max = models.PositiveSmallIntegerField(null=True)
    expected = models.BigIntegerField()

    class Meta:
        db_table = "ad_group"


class AdGroupTarget(models.Model):
    """One value that an ad group asks for. An empty value lets everybody through."""

    class Kind(models.TextChoices):
        COUNTRY = "country"
        PLATFORM = "platform"
        GENDER = "gender"

    ad_group = models.ForeignKey(AdGroup, models.CASCADE, related_name="targets")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    value = models.CharField(max_length=20, db_collation=BINARY)

    class Meta:
        db_table = "ad_group_target"
        constraints = [
            models.UniqueConstraint(fields=["kind", "value", "ad_group"], name="target_by_value")
        ]


class Mission(models.Model):
    """What a user does, step by step."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"

    class Sequence(models.TextChoices):
        ORDERED = "ordered"
        ANY = "any"

    line_item = models.ForeignKey(LineItem, models.CASCADE, related_name="missions")
    kind = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=Status.choices)
    sequence = models.CharField(max_length=10, choices=Sequence.choices)
    typical_minutes = models.PositiveIntegerField(null=True)
    requirements = models.JSONField(default=list)

    class Meta:
        db_table = "mission"


class MissionText(models.Model):
    """How a mission presents itself in one language; the one of the lowest id is the fallback."""

    mission = models.ForeignKey(Mission, models.CASCADE, related_name="texts")
    language = models.CharField(max_length=20, db_collation=BINARY)
    title = models.CharField(max_length=200)
    summary = models.CharField(max_length=500)
    icon_url = models.CharField(max_length=500, null=True)
    cta = models.CharField(max_length=50)

    class Meta:
        db_table = "mission_text"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["mission", "language"], name="mission_text_language")
        ]


class Step(models.Model):
    """One rewarded event of a mission."""

    class Role(models.TextChoices):
        REQUIRED = "required"
        OPTIONAL = "optional"
        BONUS = "bonus"

    mission = models.ForeignKey(Mission, models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10)
    # The event that does it; nothing where no partner reports it.
    event = models.CharField(max_length=50, default="", db_collation=BINARY)
    role = models.CharField(max_length=10, choices=Role.choices)
    repeat_limit = models.PositiveIntegerField()
    points = models.BigIntegerField()

    class Meta:
        db_table = "step"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["mission", "position"], name="step_position"),
            models.UniqueConstraint(fields=["mission", "number"], name="step_number"),
        ]


class StepText(models.Model):
    """What to do, in one language; the one of the lowest id is the fallback."""

    step = models.ForeignKey(Step, models.CASCADE, related_name="texts")
    language = models.CharField(max_length=20, db_collation=BINARY)
    title = models.CharField(max_length=200)

    class Meta:
        db_table = "step_text"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["step", "language"], name="step_text_language")
        ]


class AppUser(models.Model):
    """A user of an app, by the app's own id of him."""

    app = models.ForeignKey(App, models.CASCADE, related_name="users")
    external_id = models.CharField(max_length=150, db_collation=BINARY)
    country = models.CharField(max_length=20, db_collation=BINARY)
    platform = models.CharField(max_length=20, db_collation=BINARY)
    gender = models.CharField(max_length=20, db_collation=BINARY)
    age = models.PositiveSmallIntegerField(null=True)
    language = models.CharField(max_length=20, db_collation=BINARY)

    class Meta:
        db_table = "app_user"
        constraints = [models.UniqueConstraint(fields=["app", "external_id"], name="user_of_app")]


class Click(models.Model):
    """A user's participation in a mission. A job sets the status of one whose time is over."""

    class Status(models.TextChoices):
        OPEN = "open"
        COMPLETED = "completed"
        EXPIRED = "expired"
        CLOSED = "closed"
        VOIDED = "voided"

    user = models.ForeignKey(AppUser, models.CASCADE, related_name="clicks", db_index=False)
    mission = models.ForeignKey(Mission, models.CASCADE, related_name="clicks")
    code = models.CharField(max_length=32, unique=True, db_collation=BINARY)
    status = models.CharField(max_length=10, choices=Status.choices)
    created_at = models.DateTimeField()
    deadline = models.DateTimeField()

    class Meta:
        db_table = "click"
        # It begins with the user, so it is the index of the foreign key too.
        constraints = [models.UniqueConstraint(fields=["user", "mission"], name="click_once")]


class Completion(models.Model):
    """A step that a user has done, once for each occurrence."""

    class Status(models.TextChoices):
        PENDING = "pending"
        REWARDED = "rewarded"
        REVERSED = "reversed"

    click = models.ForeignKey(Click, models.CASCADE, related_name="completions", db_index=False)
    step = models.ForeignKey(Step, models.CASCADE, related_name="completions")
    occurrence = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices)
    points = models.BigIntegerField()
    booked_at = models.DateTimeField()

    class Meta:
        db_table = "completion"
        ordering = ["id"]
        # It begins with the click, so it is the index of the foreign key too.
        constraints = [
            models.UniqueConstraint(fields=["click", "step", "occurrence"], name="completion_once")
        ]


def for_age(age: int | None) -> Q:
    """Ad groups that take users of that age; where it is not known, those that take all ages."""
    if age is None:
        return Q(age_min__isnull=True, age_max__isnull=True)
    is_old_enough = Q(age_min__isnull=True) | Q(age_min__lte=age)
    return is_old_enough & (Q(age_max__isnull=True) | Q(age_max__gte=age))


def in_flight(now: datetime, line_item: str = "") -> Q:
    """Line items that may be started now; `line_item` leads to them, such as `line_item__`."""
    has_begun = Q(**{f"{line_item}starts_at__isnull": True}) | Q(
        **{f"{line_item}starts_at__lte": now}
    )
    return has_begun & (
        Q(**{f"{line_item}ends_at__isnull": True}) | Q(**{f"{line_item}ends_at__gt": now})
    )
