"""The words of work: kinds, states, priorities and reasons to wait."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """Kinds of work, in the terms of EN 13306."""

    CORRECTIVE = "corrective", _("Corrective")
    PREVENTIVE = "preventive", _("Preventive")
    INSPECTION = "inspection", _("Inspection")
    CONDITION = "condition", _("Condition-based")
    IMPROVEMENT = "improvement", _("Improvement")
    SAFETY = "safety", _("Safety")


class State(models.TextChoices):
    """States of the life cycle; the moves between them are data in `workorders.lifecycle`."""

    DRAFT = "draft", _("Draft")
    APPROVED = "approved", _("Approved")
    PLANNED = "planned", _("Planned")
    SCHEDULED = "scheduled", _("Scheduled")
    IN_PROGRESS = "in_progress", _("In progress")
    ON_HOLD = "on_hold", _("On hold")
    COMPLETED = "completed", _("Completed")
    CLOSED = "closed", _("Closed")
    CANCELLED = "cancelled", _("Cancelled")


OPEN_STATES = [State.DRAFT, State.APPROVED, State.PLANNED, State.SCHEDULED, State.IN_PROGRESS, State.ON_HOLD]


class Priority(models.IntegerChoices):
    EMERGENCY = 1, _("Emergency")
    HIGH = 2, _("High")
    MEDIUM = 3, _("Medium")
    LOW = 4, _("Low")


class HoldReason(models.TextChoices):
    PARTS = "parts", _("Waits for parts")
    ACCESS = "access", _("No access to the machine")
    PERMIT = "permit", _("Waits for a permit")
    SKILL = "skill", _("Needs another trade")
    OTHER = "other", _("Other")


class Outcome(models.TextChoices):
    """How a step came out."""

    OK = "ok", _("OK")
    FLAG = "flag", _("Flag")
    FAIL = "fail", _("Fail")
    SKIPPED = "skipped", _("Not applicable")
