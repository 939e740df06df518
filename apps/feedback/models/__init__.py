"""What people and their editors say about answers."""

from apps.feedback.models.comparisons import ComparedAnswer, Comparison, Outcome, VoteRevision
from apps.feedback.models.daily import (
    AskPreference,
    Channel,
    DailyQuestion,
    DailyRevision,
    PulseAnswer,
    SampledAnswer,
)
from apps.feedback.models.ide import IdeEvent
from apps.feedback.models.ratings import Rating, RatingRevision, WaitingRating

__all__ = [
    "AskPreference",
    "Channel",
    "ComparedAnswer",
    "Comparison",
    "DailyQuestion",
    "DailyRevision",
    "IdeEvent",
    "Outcome",
    "PulseAnswer",
    "Rating",
    "RatingRevision",
    "SampledAnswer",
    "VoteRevision",
    "WaitingRating",
]
