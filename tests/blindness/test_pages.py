"""Not one byte that a rater is sent tells who answered: pages, forms, exports, mails, the API."""

import json

import pytest
from django.core import mail
from django.utils import timezone

from apps.accounts.models import Role
from apps.feedback.models import Comparison, DailyQuestion, Rating, SampledAnswer
from apps.pilots.models import Swap
from tests.blindness.small_product import AT, make_small_product
from tests.blindness.telling import told_in
from tests.blindness.walking import open_urls, walk
from tests.factories import make_enrollment, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

# Of the stage before a trial: with names, and closed now.
OF_THE_SCREENING = {
    "side_by_side",
    "ask_side_by_side",
    "screened",
    "pick_answer",
    "withdraw_pick",
}
# Refused on this walk, which carries no key, no invitation, no second factor and no single sign-on.
OF_OTHERS = {
    "break_glass_sign_in",
    "feedback",
    "ingest_continue",
    "join",
    "me_withdraw_one",
    "mfa_deactivate_totp",
    "mfa_download_recovery_codes",
    "mfa_view_recovery_codes",
    "openid_connect_callback",
    "openid_connect_login",
    "readyz",
    "socialaccount_login_error",
    "unknown_ingest",
}


@pytest.fixture
def product(monkeypatch, settings):
    monkeypatch.setattr(timezone, "now", lambda: AT)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    return make_small_product()


def leaks(visits):
    """Where something is told, and what."""
    return [
        f"{visit.name} {visit.what} {visit.status}: {told[:5]}"
        for visit in visits
        if (told := told_in(visit.text))
    ]


def test_the_small_product_holds_all_that_could_be_told(product):
    person = product.person

    assert Rating.objects.filter(person=person).count() > 5
    assert DailyQuestion.objects.filter(person=person, is_blind=True).count() == 1
    assert SampledAnswer.objects.filter(person=person).exists()
    assert Comparison.objects.filter(person=person, ready_at__isnull=False).count() == 2
    assert Swap.objects.filter(person=person).count() == 1


def test_no_page_and_no_form_tells_a_rater_who_answered(client, product):
    client.force_login(product.developer)

    visits = walk(client, product)

    assert leaks(visits) == []
    # Nothing drains and no gateway beats here, and that is what /readyz has to say.
    assert {visit.name for visit in visits if visit.status >= 500} == {"readyz"}
    reached = {visit.name for visit in visits if visit.status < 400}
    assert {name for name, _ in open_urls()} - reached <= OF_THE_SCREENING | OF_OTHERS


def test_once_all_is_known_the_same_walk_finds_it(client, product):
    """Or the search would be blind itself."""
    product.pilot.unblinded_at = AT
    product.pilot.save(update_fields=["unblinded_at"])
    client.force_login(product.developer)

    found = {place.partition(" ")[0] for place in leaks(walk(client, product, posts=False))}

    assert found >= {"calls", "call", "calls_csv", "rate", "rate_call", "my_votes", "me_download"}


def test_what_developers_may_not_open_tells_them_nothing_either(client, product):
    client.force_login(product.developer)
    slug = product.pilot.slug
    paths = [
        f"/pilots/{slug}/",
        f"/pilots/{slug}/overview/",
        f"/pilots/{slug}/candidates/",
        f"/pilots/{slug}/candidates/nobody/",
        f"/pilots/{slug}/people/",
        f"/pilots/{slug}/nowhere/",
        f"/pilots/{slug}/calls/01900000-0000-7000-8000-000000000000/",
        f"/setup/pilots/{slug}/",
        "/setup/candidates/",
        "/setup/audit/",
        "/metrics",
        "/readyz",
    ]

    answers = [client.get(path, follow=True) for path in paths]

    assert [told_in(answer.content) for answer in answers] == [[]] * len(paths)


def test_no_letter_tells_who_answers_or_will(product):
    letters = [str(message.message()) for message in mail.outbox]
    parts = [
        part.get_payload(decode=True)
        for message in mail.outbox
        for part in message.message().walk()
        if not part.is_multipart()
    ]

    assert len(letters) >= 2
    assert [told_in(text) for text in [*letters, *parts]] == [[]] * (len(letters) + len(parts))


def ask(client, product, method, path, body=None):
    headers = {"Authorization": f"Bearer {product.plain_key}"}
    if method == "GET":
        return client.get(path, headers=headers)
    kind = "application/json"
    return client.post(path, json.dumps(body), content_type=kind, headers=headers)


def test_the_api_tells_nothing(client, product):
    call, failed = product.calls[0], product.calls[3]
    answers = [
        ask(client, product, "POST", "/v1/feedback", {"id": id_, "rating": rating})
        for id_ in ("last", "today", str(call.id), str(failed.id), f"chatcmpl-{call.id.hex}", "x")
        for rating in ("up", 4, 9)
    ]
    answers += [
        ask(client, product, "GET", f"/v1/feedback?id={id_}")
        for id_ in ("last", "today", str(call.id), str(failed.id), "nonsense")
    ]
    event = {"name": "chatInteraction", "schema": "0.2.0", "data": {"modelName": "pilot-chat"}}
    answers += [
        ask(client, product, "POST", "/ingest/continue", body) for body in (event, {}, [event])
    ]

    assert {200, 400} <= {answer.status_code for answer in answers}
    assert {answer.status_code for answer in answers} <= {200, 202, 400, 404, 405, 409, 422}
    said = [told_in(str(answer.headers)) + told_in(answer.content) for answer in answers]
    assert said == [[]] * len(answers)


def test_a_colleague_and_a_newcomer_are_told_nothing_either(client, product):
    """Nor does what one rater has done tell another."""
    colleague = make_user(Role.DEVELOPER)
    make_enrollment(product.pilot, colleague.person)
    client.force_login(colleague)
    product.developer = colleague

    assert leaks(walk(client, product, posts=False)) == []


def test_a_lead_finds_nobody_beside_a_single_call(client, product):
    """Leads see sums by candidate, and no more than others of whom a call or a day had."""
    client.force_login(make_user(Role.LEAD))
    slug = product.pilot.slug
    pages = [f"/pilots/{slug}/calls/{call.id}/" for call in product.calls[:8]]
    pages.append(f"/pilots/{slug}/calls/calls.csv")

    answers = [client.get(page) for page in pages]

    assert [answer.status_code for answer in answers] == [200] * len(pages)
    assert [told_in(answer.content) for answer in answers] == [[]] * len(pages)
