"""A small product in the middle of a blind trial, in which a developer has done all there is."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core import mail

from apps.accounts.models import Role
from apps.changes.models import DirtySlice
from apps.feedback import asked_links, asking, daily, links, preferences, samples
from apps.feedback.actions import rate
from apps.feedback.models import Channel, DailyQuestion, IdeEvent, PulseAnswer
from apps.metrics.rebuild import rebuild_dirty
from apps.pilots.blindness import COMPARED
from apps.pilots.closing import announce_closing
from apps.pilots.closing_letters import send_letter, waiting_letters
from apps.pilots.events import add_event
from apps.pilots.happenings import happened
from apps.pilots.join_links import make_join_link
from apps.pilots.swaps import swap
from apps.usage.ingest import store_records
from apps.usage.models import Call
from tests.blindness.telling import (
    CACHED,
    CANDIDATES,
    COMPLETION,
    FIRST_MS,
    POSITIONS,
    PRICES,
    PROMPT,
    PROVIDERS,
    TOTAL_MS,
)
from tests.factories import (
    NOON,
    make_candidate,
    make_enrollment,
    make_key,
    make_limit,
    make_pilot,
    make_price,
    make_provider,
    make_record,
    make_rotation,
    make_trial,
    make_user,
)
from tests.feedback.comparing import Contest

AT = NOON + timedelta(hours=5)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
MAKERS = (("Quartzite", "qzlabs", "Northwind"), ("Obsidian", "oxworks", "Southgale"))
ALIASES = {
    "chat": "pilot-chat",
    "edit": "pilot-edit",
    "agent": "pilot-agent",
    "autocomplete": "pilot-completion",
}


@dataclass
class SmallProduct:
    pilot: Any
    arms: list
    developer: Any
    key: Any
    plain_key: str
    calls: list = field(default_factory=list)
    comparisons: list = field(default_factory=list)
    tokens: dict = field(default_factory=dict)

    @property
    def person(self):
        return self.developer.person

    def call(self, number, *, at, **fields):
        """Store a call in which one of the two has left all the traces it can."""
        arm, other = self.arms[number % 2], self.arms[1 - number % 2]
        word = MAKERS[number % 2][2]
        tried = {"candidate_id": arm.id, "started_ms": 0, "ended_ms": TOTAL_MS, "status": 200}
        record = make_record(
            pilot_id=self.pilot.id,
            person_id=self.person.id,
            candidate_id=arm.id,
            at=at,
            **{
                "key_id": self.key.id,
                "provider_id": arm.provider_id,
                "alias": ALIASES["chat"],
                "first_byte_ms": FIRST_MS,
                "first_content_ms": FIRST_MS,
                "total_ms": TOTAL_MS,
                "prompt_tokens": PROMPT,
                "cached_tokens": CACHED,
                "completion_tokens": COMPLETION,
                "finish_reason": f"{word}_stop",
                "upstream_request_id": f"{word}-req-1",
                "assigned_candidate_id": other.id if number % 3 == 2 else None,
            }
            | fields,
        )
        store_records([record])
        Call.objects.filter(id=record.id).update(attempts=[tried | {"error": f"{word} is slow"}])
        return Call.objects.get(id=record.id)


def make_arm(number):
    name, lab, host = MAKERS[number]
    provider = make_provider(
        id=PROVIDERS[number],
        slug=host.lower(),
        name=f"{host} Inference",
        base_url=f"https://llm.{host.lower()}.example/v1",
        region="eu-7",
        credential_hint=f"{host[:8]}",
        serves=["chat/completions", "completions", "suffix"],
    )
    candidate = make_candidate(
        id=CANDIDATES[number],
        provider=provider,
        slug=f"{name.lower()}-32b",
        name=f"{name} 32B",
        upstream_model=f"{lab}/{name.lower()}-32b-instruct",
        deployment=f"{host} dedicated",
        fim_template=f"<{lab[:2]}fim>{{prefix}}<s>{{suffix}}<m>",
        context_tokens=65_536,
        position=POSITIONS[number],
    )
    make_price(candidate, PRICES[2 * number], PRICES[2 * number + 1], Decimal("0.5100"))
    return candidate


def make_small_product() -> SmallProduct:
    """Everything a pilot and a developer in it can come to, two blind candidates behind it all."""
    pilot = make_pilot(people_named=True, budget_usd=Decimal(500), sample_share=1)
    arms = [make_arm(0), make_arm(1)]
    for arm in arms:
        make_trial(pilot, arm, alias=arm.slug)
    make_trial(
        pilot, make_candidate(name="Marble", slug="marble", position=1_000_001), alias="marble"
    )
    rotations = [
        make_rotation(pilot, *arms, role=role) for role in ("chat", "edit", "agent", "completion")
    ]
    developer = make_user(name="Ada Moreno")
    enrollment = make_enrollment(pilot, developer.person)
    key, plain = make_key(enrollment)
    for arm in arms:
        make_limit(pilot, "candidate", candidate=arm, usd=Decimal(3), is_hard=True)
    product = SmallProduct(pilot, arms, developer, key, plain)
    make_calls(product)
    make_answers(product, enrollment)
    make_reports(product)
    swap(rotation=rotations[0], person=developer.person, now=AT)
    write_letters(product)
    _, secret = make_join_link(
        pilot=pilot, email_domains=[], most_uses=5, lasts=DAY, now=AT - MINUTE
    )
    product.tokens["join_pilot"] = secret
    make_user(Role.LEAD)
    while DirtySlice.objects.exists():
        rebuild_dirty(now=AT)
    return product


def make_calls(product):
    """Every outcome and every task, today and on the days before."""
    endings = [
        {},
        {"task": "edit", "alias": ALIASES["edit"]},
        {"task": "agent", "alias": ALIASES["agent"], "tool_calls": 3},
        {"outcome": "upstream_error", "status": 529, "error": "Northwind says: overloaded"},
        {"outcome": "stream_broken", "error": "Southgale hung up", "usage_source": "estimated"},
        {"outcome": "upstream_timeout", "status": None, "prompt_tokens": None},
        {"alias": COMPARED, "source": "compare", "rateable": False},
        {
            "task": "autocomplete",
            "alias": ALIASES["autocomplete"],
            "endpoint": "fim/completions",
            "rateable": False,
        },
    ]
    for day in range(4):
        for number, ending in enumerate(endings):
            at = AT - day * DAY - (number + 1) * MINUTE
            product.calls.append(product.call(number + day, at=at, **ending))


def make_answers(product, enrollment):
    """Ratings, a daily answer, a sample, comparisons in every state."""
    pilot, person = product.pilot, product.person
    for number, call in enumerate(call for call in product.calls if call.rateable):
        if number % 2:
            rate(
                call=call,
                person=person,
                score=1,
                scale="thumbs",
                via="page",
                now=AT - MINUTE / 2,
                comment="Good answer",
            )
    question = daily.ask(pilot=pilot, person=person, now=AT - MINUTE)
    assert question.candidate_id in CANDIDATES
    samples.pick(pilot=pilot, now=AT)
    contest = Contest(pilot, product.arms, product.developer, person)
    took = {"first_content_ms": FIRST_MS, "total_ms": TOTAL_MS}
    asked = contest.ask(now=AT - 3 * MINUTE)
    voted = contest.answered(asked, "One.", "Two.", **took)
    asked = contest.ask(now=AT - 2 * MINUTE)
    contest.answered(asked, None, None, problem="Northwind hung up", **took)
    asked = contest.ask(now=AT - MINUTE)
    running = contest.answered(asked, "One.", "Two.", **took)
    product.comparisons = [voted, running]
    product.tokens["asked"] = asked_links.answer_token(question, now=AT)
    product.tokens["stop_asking"] = asked_links.stop_token(enrollment)
    token = links.make_token(product.calls[0], now=AT)
    product.tokens |= {"rate_by_link": token, "widget": token}


def make_reports(product):
    """What an editor has told, a weekly answer, and a log that names both of them in every way."""
    pilot, person = product.pilot, product.person
    for number, arm in enumerate(product.arms):
        call = product.calls[number]
        told = {"pilot_id": pilot.id, "person": person, "key_id": product.key.id}
        for kind in ("autocomplete", "chatFeedback", "toolUsage", "tokensGenerated"):
            IdeEvent.objects.create(
                **told,
                digest=f"{kind}-{number}",
                kind=kind,
                schema="0.2.0",
                at=AT - MINUTE,
                day=AT.date(),
                received_at=AT,
                alias=ALIASES["chat"],
                role="completion" if kind == "autocomplete" else "chat",
                candidate_id=arm.id,
                is_blind=True,
                is_accepted=bool(number),
                language="python",
                generated_tokens=COMPLETION,
                call_id=call.id if kind == "chatFeedback" else None,
            )
        for text in (f"{arm.name} upgraded", f"Now {arm.upstream_model}", arm.deployment):
            add_event(pilot=pilot, text=text, at=AT - MINUTE, now=AT)
        add_event(pilot=pilot, text=f"Moved {number}", at=AT - MINUTE, candidate=arm, now=AT)
        happened(pilot, f"{arm.provider.name} was down", now=AT - MINUTE, candidate=arm)
    scores = {"trust": 4, "reliance": 2, "usefulness": 5, "time_saved": 3}
    week = AT.date() - DAY * AT.weekday()
    PulseAnswer.objects.create(
        pilot_id=pilot.id, person=person, week=week, answered_at=AT, updated_at=AT, **scores
    )


def write_letters(product):
    """Every mail that a developer may get."""
    enrollment = product.person.enrollments.get()
    preferences.choose(enrollment=enrollment, channel=Channel.EMAIL, hour=9, now=AT - MINUTE)
    DailyQuestion.objects.update(channel=Channel.EMAIL)
    for question in DailyQuestion.objects.all():
        asking.deliver_question(question_id=question.id, now=AT)
    announce_closing(
        pilot=product.pilot,
        closes_at=AT + 5 * DAY,
        now=AT,
        after_close="winner",
        after_candidate=product.arms[0],
    )
    for letter_id in waiting_letters(now=AT):
        send_letter(letter_id=letter_id, now=AT)
    assert any(product.developer.email in message.to for message in mail.outbox)
