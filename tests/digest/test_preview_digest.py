import io
import re

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.digest.models import Delivery
from tests.digest.conftest import DUE

TEXT = """\
Subject: Platform & tools, 16 to 22 November 2026: 20 calls, $0.048

Platform & tools
The week from 16 to 22 November 2026, and the change from the week before

Calls               20  +15
Active developers   6  +1
Spend               $0.048  +$0.036

Fast 30B
  Liked             83% (61–94%, 18 ratings)  +43 pts
  First token       253 ms  ±0 ms
  Calls             18
  Spend             $0.043

Slow 120B
  Liked             0% (0–79%, 1 rating)
  First token       253 ms
  Calls             2
  Spend             $0.0048

Liked is thumbs up, or four and five of five; the range beside it holds the true share
with 95% confidence. First token is the median. Spend includes idle machines.

http://127.0.0.1:8000/pilots/platform/?from=2026-11-16&to=2026-11-22

You get this once a week because you are a lead or an administrator. An administrator
can change that under Set-up, People.
"""


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: DUE)


def preview(*args):
    out = io.StringIO()
    call_command("preview_digest", *args, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("args", [[], ["--week", "2026-11-16"], ["--week", "2026-11-22"]], ids=str)
def test_the_preview_is_the_mail(busy, args):
    assert preview("platform", *args) == TEXT


def test_html_says_the_same_as_text(busy):
    html = preview("platform", "--html")

    words = re.sub(r"<[^>]+>", " ", html.partition("<body")[2].partition(">")[2])
    said = " ".join(words.replace("&amp;", "&").split())
    assert said == (
        "Platform & tools The week from 16 to 22 November 2026, "
        "and the change from the week before "
        "Calls 20 +15 Active developers 6 +1 Spend $0.048 +$0.036 "
        "Candidate Liked First token Calls Spend "
        "Fast 30B 83% +43 pts 61–94%, 18 ratings 253 ms ±0 ms 18 $0.043 "
        "Slow 120B 0% 0–79%, 1 rating 253 ms 2 $0.0048 "
        "Liked is thumbs up, or four and five of five; the range beside it holds the true share "
        "with 95% confidence. First token is the median. Spend includes idle machines. "
        "Open the overview "
        "You get this once a week because you are a lead or an administrator. "
        "An administrator can change that under Set-up, People."
    )
    assert 'href="http://127.0.0.1:8000/pilots/platform/?from=2026-11-16&amp;to=2026-11-22"' in html


def test_a_preview_is_sent_where_one_asks_and_notes_nothing(busy):
    said = preview("platform", "--send-to", "me@example.com")

    assert said == (
        "Sent to me@example.com: Platform & tools, 16 to 22 November 2026: 20 calls, $0.048\n"
    )
    assert [message.to for message in mail.outbox] == [["me@example.com"]]
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["nowhere"], "No pilot nowhere. There is: platform"),
        (["platform", "--week", "yesterday"], "'yesterday' is no date; write it as 2026-11-16."),
        (["platform", "--send-to", "me"], "'me' is no e-mail address."),
        (
            ["platform", "--send-to", "me@example.com\nBcc: you@example.com"],
            "'me@example.com\\nBcc: you@example.com' is no e-mail address.",
        ),
    ],
)
def test_a_mistyped_command_says_what_is_wrong(busy, args, sentence):
    with pytest.raises(CommandError) as problem:
        preview(*args)

    assert str(problem.value) == sentence
    assert mail.outbox == []
