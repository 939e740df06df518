import re

import pytest
from django.template import Context, Template
from django.test import RequestFactory

from tests.core import gallery


def render(source, **values):
    return Template("{% load ui %}" + source).render(Context(values))


def test_the_gallery_obeys_the_policy():
    page = gallery.render()

    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", page) == []
    assert re.findall(r"<script(?![^>]* src=)(?![^>]*application/json)", page) == []


def test_ids_of_the_gallery_are_unique():
    ids = re.findall(r'\sid="([^"]+)"', gallery.render())

    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("query", "link", "sort", "arrow"),
    [
        ("", "?sort=-cost", None, ""),
        ("?sort=-cost&task=chat", "?sort=cost&amp;task=chat", "descending", "↓"),
        ("?sort=cost&after=7", "?sort=-cost", "ascending", "↑"),
        ("?sort=-name", "?sort=-cost", None, ""),
    ],
)
def test_a_column_head_sorts_from_the_top_then_back(query, link, sort, arrow):
    request = RequestFactory().get(f"/{query}")

    head = render('{% sort_header "Cost" "cost" %}', request=request)

    assert f'href="{link}"' in head
    assert re.findall(r'aria-sort="(\w+)"', head) == ([sort] if sort else [])
    assert (arrow in head) is bool(arrow) or arrow == ""


def test_a_name_sorts_from_its_start():
    head = render('{% sort_header "Name" "name" False %}', request=RequestFactory().get("/"))

    assert 'href="?sort=name"' in head


def test_text_from_outside_is_escaped():
    evil = "<script>x</script>"

    page = render(
        "{% candidate 1 evil evil evil %}{% chip evil evil %}{% code_block evil evil %}"
        "{% term evil %}{{ evil }}{% endterm %}{% card title=evil note=evil %}{% endcard %}"
        "{% verdict 1 evil 'yes' evil evil %}{% stat evil evil note=evil %}{% alert evil %}"
        "{% chart 'a' figure evil %}{% endchart %}{% empty_state evil evil evil %}",
        evil=evil,
        figure={"data": [evil]},
    )

    assert evil not in page


def test_a_form_field_names_its_help_and_its_error():
    form = gallery.context()["form"]

    page = render("{% form_fields form %}", form=form)

    assert 'aria-describedby="f_name_helptext f_name_error"' in page
    assert '<p class="help" id="f_name_helptext">' in page
    assert 'id="f_name_error"' in page
    assert "This pilot already has an alias of that name." in page


def test_a_verdict_is_a_word_and_not_only_a_colour():
    words = [
        re.search(r'verdict-word">([^<]+)<', render(f'{{% verdict 1 "q" "{state}" "v" %}}'))[1]
        for state in ("yes", "no", "data", "early")
    ]

    assert words == ["Yes", "Not yet", "Needs data", "Too early"]


def test_a_mark_alone_has_a_name_and_beside_text_has_none():
    assert 'role="img" aria-label="Qwen"' in render('{% candidate_mark 1 "Qwen" %}')
    assert 'aria-hidden="true"' in render("{% candidate_mark 1 %}")


def test_a_pager_without_pages_is_nothing():
    assert render("{% pager %}").strip() == ""


def test_blocks_leave_no_blank_before_what_follows():
    assert render("{% term 'd' %}Liked{% endterm %}, n").endswith("</span></span>, n")


@pytest.mark.parametrize(("delta", "arrow"), [("+4 pts", "↑"), ("-12%", "↓"), ("±0", None)])
def test_a_change_has_an_arrow(delta, arrow):
    page = render("{% delta text %}", text=delta)

    assert re.findall("[↑↓]", page) == ([arrow] if arrow else [])
