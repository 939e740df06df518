"""The daily question, the weekly pulse, the sampled answers, and how a person wants to be asked."""

from django.db import models
from django.db.models import Q

from apps.accounts.models import Person
from apps.pilots.models import Enrollment, UseRole


class Channel(models.TextChoices):
    """How a person is asked. Off is for good, until they choose again."""

    PAGE = "page", "On the page alone"
    WEBHOOK = "webhook", "In our chat"
    EMAIL = "email", "By e-mail"
    SHELL = "shell", "In the shell"
    OFF = "off", "Not at all"


class AskPreference(models.Model):
    """How one who takes part is asked, and from which hour of the pilot's zone on.

    `webhook` is a MultiFernet token of the address, never shown.
    """

    enrollment = models.OneToOneField(
        Enrollment, on_delete=models.PROTECT, related_name="ask_preference"
    )
    channel = models.CharField(max_length=16, choices=Channel, default=Channel.PAGE)
    webhook = models.TextField(blank=True)
    webhook_hint = models.CharField(max_length=80, blank=True)
    hour = models.PositiveSmallIntegerField(default=16)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="askpreference_hour_exists", condition=Q(hour__lte=23)),
            models.CheckConstraint(
                name="askpreference_webhook_has_an_address",
                condition=~Q(channel="webhook") | ~Q(webhook=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment_id} by {self.channel}"


class DailyQuestion(models.Model):
    """The one question of a working day to a person who used a role on it, and its answer.

    `candidate_id` is whom the day had assigned, or most used where nothing was blind. Without
    `score` it is unanswered. Skipped: the person said that they would rather not. Withdrawn counts
    nowhere.
    """

    pilot_id = models.BigIntegerField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="daily_questions")
    day = models.DateField()
    role = models.CharField(max_length=16, choices=UseRole)
    candidate_id = models.BigIntegerField()
    is_blind = models.BooleanField()
    asked_at = models.DateTimeField()
    channel = models.CharField(max_length=16, choices=Channel, default=Channel.PAGE)
    # When a mail or a message about it went out; a claim taken before it is sent, given back when
    # the sending failed. `problem` says to the person why.
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=200, blank=True)
    score = models.SmallIntegerField(null=True, blank=True)
    reason = models.TextField(blank=True)
    via = models.CharField(max_length=16, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(null=True, blank=True)
    skipped_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="dailyquestion_once_a_day", fields=["pilot_id", "person", "day"]
            ),
            models.CheckConstraint(
                name="dailyquestion_score_is_one_to_five",
                condition=Q(score__isnull=True) | Q(score__gte=1, score__lte=5),
            ),
        ]
        indexes = [models.Index(fields=["person", "-day"], name="dailyquestion_by_person")]

    def __str__(self) -> str:
        return f"{self.role} on {self.day}"


class DailyRevision(models.Model):
    """What a daily answer said before it was corrected or withdrawn."""

    question = models.ForeignKey(DailyQuestion, on_delete=models.CASCADE, related_name="revisions")
    score = models.SmallIntegerField()
    reason = models.TextField(blank=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.question_id} until {self.until:%Y-%m-%d %H:%M}"


class PulseAnswer(models.Model):
    """Four answers of one to five about a week, each of which may be left out. Never ranks."""

    pilot_id = models.BigIntegerField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="pulse_answers")
    # The Monday of the week it is about.
    week = models.DateField()
    trust = models.SmallIntegerField(null=True, blank=True)
    reliance = models.SmallIntegerField(null=True, blank=True)
    usefulness = models.SmallIntegerField(null=True, blank=True)
    time_saved = models.SmallIntegerField(null=True, blank=True)
    comment = models.TextField(blank=True)
    via = models.CharField(max_length=16, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(null=True, blank=True)
    skipped_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="pulseanswer_once_a_week", fields=["pilot_id", "person", "week"]
            ),
            models.CheckConstraint(
                name="pulseanswer_scores_are_one_to_five",
                condition=(Q(trust__isnull=True) | Q(trust__range=(1, 5)))
                & (Q(reliance__isnull=True) | Q(reliance__range=(1, 5)))
                & (Q(usefulness__isnull=True) | Q(usefulness__range=(1, 5)))
                & (Q(time_saved__isnull=True) | Q(time_saved__range=(1, 5))),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in the week of {self.week}"


class SampledAnswer(models.Model):
    """A rateable call that chance picked, so that its rating was not volunteered."""

    call_id = models.UUIDField(unique=True)
    pilot_id = models.BigIntegerField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    admitted_at = models.DateTimeField()
    asked_at = models.DateTimeField()
    channel = models.CharField(max_length=16, choices=Channel, default=Channel.PAGE)
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["pilot_id", "person", "-asked_at"], name="sampled_by_one")]

    def __str__(self) -> str:
        return str(self.call_id)
