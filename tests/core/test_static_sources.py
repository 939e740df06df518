import re

import pytest
from django.contrib.staticfiles import finders

from apps.core import static_sources


def test_the_bundle_is_found_in_its_package():
    path = finders.find("plotly/plotly.min.js")

    assert path == str(static_sources.bundle_path())


def test_the_style_sheet_holds_every_rule_the_bundle_would_inject():
    with open(finders.find("plotly/plotly.css"), encoding="utf-8") as sheet:
        rules = sheet.read()
    bundle = static_sources.bundle_path().read_text("utf-8")

    assert ".js-plotly-plot .plotly .main-svg{position:absolute;" in rules
    assert rules.count("{") == len(re.findall(r'"[XY][^"]*":["\']', bundle))
    assert "X " not in rules


def test_later_rules_stand_first_as_the_bundle_inserts_them():
    bundle = """a={"X,X div":'margin:0;font-family:"A";',"Y .note":"color:red;"};for(b in a)"""

    assert static_sources.plot_styles(bundle) == (
        ".plotly-notifier .note{color:red;}\n"
        '.js-plotly-plot .plotly,.js-plotly-plot .plotly div{margin:0;font-family:"A";}\n'
    )


def test_a_bundle_that_has_changed_is_named():
    with pytest.raises(static_sources.PlotlyChanged, match="no table of styles"):
        static_sources.plot_styles("void 0")


def test_the_ids_that_keep_styles_out_are_in_the_bundle():
    bundle = static_sources.bundle_path().read_text("utf-8")

    ids = static_sources.injected_style_ids()

    assert len(ids) == bundle.count('createElement("style")') - 1  # the other one has a fixed id


def test_other_files_are_not_ours():
    finder = static_sources.PlotlyFinder()

    assert finder.find("plotly/other.js") is None
    assert finder.find("plotly/other.js", find_all=True) == []
    assert [name for name, _ in finder.list(None)] == ["plotly/plotly.min.js", "plotly/plotly.css"]
