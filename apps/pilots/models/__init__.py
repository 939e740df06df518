"""A pilot, all that was set for it beforehand, and all that happens to it."""

from apps.pilots.models.closing import ClosingLetter, LetterKind
from apps.pilots.models.incumbents import Incumbent, IncumbentDay
from apps.pilots.models.limits import Limit, LimitPeriod, LimitScope
from apps.pilots.models.pilots import (
    ALIAS,
    AfterClose,
    Enrollment,
    JoinLink,
    Key,
    KeyKind,
    Pilot,
    PilotEvent,
    RatingScale,
    Stage,
    Trial,
)
from apps.pilots.models.plans import Goal, Measure, Plan, TieBreak, UseRole
from apps.pilots.models.rotations import Rotation, RotationEra, Swap

__all__ = [
    "ALIAS",
    "AfterClose",
    "ClosingLetter",
    "Enrollment",
    "Goal",
    "Incumbent",
    "IncumbentDay",
    "JoinLink",
    "Key",
    "KeyKind",
    "LetterKind",
    "Limit",
    "LimitPeriod",
    "LimitScope",
    "Measure",
    "Pilot",
    "PilotEvent",
    "Plan",
    "RatingScale",
    "Rotation",
    "RotationEra",
    "Stage",
    "Swap",
    "TieBreak",
    "Trial",
    "UseRole",
]
