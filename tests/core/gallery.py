"""What the page of components shows: for its tests, and for whoever wants to look at it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

from django import forms
from django.template.loader import render_to_string
from django.test import RequestFactory

from apps.core import drawing

NOW = datetime(2025, 12, 2, 14, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    label: str
    url: str = "#"
    current: bool = False
    badge: str = ""
    name: str = ""
    note: str = ""
    count: int = 0


def row(rank, position, name, host, mid, half, liked, margin, n, coverage, p50, p95, errors, costs):
    """One line of the leaderboard, as a page's dataclass would hold it."""
    known = mid is not None
    week, cost = costs
    return SimpleNamespace(
        rank=rank,
        position=position,
        name=name,
        host=host,
        low=mid - half if known else None,
        mid=mid,
        half=half,
        high=mid + half if known else None,
        liked=liked,
        n=n,
        coverage=coverage,
        p50=p50,
        p95=p95,
        errors=errors,
        liked_low=liked - margin if known else None,
        liked_high=liked + margin if known else None,
        week=week and Decimal(week),
        cost=cost and Decimal(cost),
        label=f"{mid} ({mid - half} to {mid + half})" if known else "",
    )


# fmt: off
ROWS = [
    row(1, 1, "Qwen2.5-Coder 32B", "vLLM · 1×A100 80 GB", 1062, 31, 0.78, 0.055,
        214, 0.114, 420, 1300, 0.004, ("4.10", "0.031")),
    row(None, 2, "Code Llama 34B", "Together", 1021, 28, 0.71, 0.065,
        201, 0.098, 610, 1900, 0.009, ("5.85", "0.048")),
    row(2, 3, "Phind-CodeLlama 34B", "vLLM · AWQ · 1×A10G", 984, 30, 0.66, 0.065,
        187, 0.091, 880, 3400, 0.016, ("2.95", "0.027")),
    row(3, 4, "Mistral 7B Instruct", "HF Endpoint · 1×L4", 933, 33, 0.52, 0.075,
        172, 0.087, 290, 700, 0.003, ("1.70", "0.022")),
    row(None, 12, "StarCoder2 15B", "Ollama on laptops", None, None, None, None,
        0, None, None, None, None, (None, None)),
]
# fmt: on

COMMAND = "curl $OPENAI_BASE_URL/chat/completions -H 'Authorization: Bearer pd_…' -d @question.json"
CODE = """
models:
  - name: Pilot
    provider: openai
    model: qwen
    apiBase: http://127.0.0.1:8000/v1
"""


class CandidateForm(forms.Form):
    name = forms.CharField(help_text="As your developers will see it.")
    provider = forms.ChoiceField(choices=[("vllm", "vLLM in Frankfurt"), ("together", "Together")])
    price = forms.DecimalField(
        label="Price per million tokens in, USD", required=False, min_value=0
    )
    active = forms.BooleanField(label="On trial at once", required=False, help_text="Routes now.")
    billing = forms.ChoiceField(
        label="Billing",
        widget=forms.RadioSelect,
        choices=[("token", "Per token"), ("hour", "Per hour")],
    )

    def clean(self):
        raise forms.ValidationError("This pilot already has an alias of that name.")


def quality_figure():
    data = []
    for row in ROWS[:4]:
        color = drawing.candidate_line(row.position)["color"]
        bars = {"color": f"{color} / 0.5", "thickness": 2, "width": 0, "type": "data"}
        data.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "x": [float(row.week)],
                "y": [row.mid],
                "text": [drawing.chart_text(row.name)],
                "textposition": "top right",
                "textfont": {"weight": 600},
                "marker": drawing.candidate_marker(row.position, 13),
                "error_y": bars | {"array": [row.half]},
                "error_x": bars | {"array": [float(row.week) * 0.09]},
                "hovertemplate": "%{text}<br>%{y} at $%{x:.2f}<extra></extra>",
                "cliponaxis": False,
            }
        )
    layout = {
        "xaxis": {
            "title": {"text": "cost per active developer and week"},
            "tickprefix": "$",
            "range": [0, 7.5],
        },
        "yaxis": {"range": [890, 1110]},
    }
    return {"data": data, "layout": layout}


def spend_figure():
    days = [f"2025-11-{day}" for day in range(17, 31)] + ["2025-12-01", "2025-12-02"]
    line = {"color": "var(--accent)", "width": 2}
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "x": days,
                "y": [78 * day for day in range(16)],
                "fill": "tozeroy",
                "fillcolor": "var(--accent) / 0.14",
                "line": line,
                "hovertemplate": "$%{y:,.0f}<extra></extra>",
            },
            {
                "type": "scatter",
                "mode": "lines",
                "x": [days[-1], "2025-12-14"],
                "y": [1170, 2150],
                "line": line | {"dash": "dash"},
                "hovertemplate": "$%{y:,.0f}<extra></extra>",
            },
        ],
        "layout": {
            "xaxis": {"tickformat": "%-d %b"},
            "yaxis": {"tickprefix": "$", "tickformat": ",", "rangemode": "tozero"},
            "shapes": [
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "y0": 1500,
                    "y1": 1500,
                    "line": {"color": "var(--bad)", "width": 1.5},
                }
            ],
            "annotations": [
                {
                    "xref": "paper",
                    "x": 0,
                    "y": 1500,
                    "yanchor": "bottom",
                    "xanchor": "left",
                    "text": "budget $1,500",
                    "showarrow": False,
                    "font": {"color": "var(--bad)", "weight": 600},
                }
            ],
        },
    }


def context():
    labels = (
        "Overview",
        "Candidates",
        "Compare",
        "Calls",
        "People",
        "Budget",
        "Capacity",
        "Health",
        "Report",
    )
    form = CandidateForm(
        {"name": "", "provider": "vllm", "price": "-1", "billing": "token"}, auto_id="f_%s"
    )
    return {
        "request": RequestFactory().get("/?sort=-liked"),
        "nav": [
            Entry(label, current=label == "Overview", badge="3" if label == "Calls" else "")
            for label in labels
        ],
        "pilot": Entry("", name="Code assistant pilot"),
        "pilots": [
            Entry("", name="Code assistant pilot", current=True, note="day 16"),
            Entry("", name="Agents, spring", note="closed"),
        ],
        "user": SimpleNamespace(is_authenticated=True, email="lead@example.com"),
        "account_links": [Entry("What is stored about me")],
        "messages": [SimpleNamespace(message="Saved.", level_tag="success")],
        "now": NOW,
        "periods": [
            Entry("7 d"),
            Entry("14 d"),
            Entry("Whole pilot", current=True),
            Entry("Custom…"),
        ],
        "rows": ROWS,
        "quality": quality_figure(),
        "spend": spend_figure(),
        "steps": [
            Entry("Invited", count=25),
            Entry("Made a key", count=23),
            Entry("First call", count=22),
            Entry("Active this week", count=19),
            Entry("Rated something", count=14),
        ],
        "trend": [0.62, 0.66, 0.61, None, None, 0.7, 0.72, 0.69, 0.75, 0.78],
        "tabs": [Entry("By task", current=True), Entry("Latency"), Entry("Ratings")],
        "positions": range(1, 15),
        "nothing": None,
        "moment": datetime(2025, 12, 2, 13, 58, tzinfo=UTC),
        "segments": [
            drawing.Segment("queue", 40),
            drawing.Segment("first byte", 780),
            drawing.Segment("first content", 120),
            drawing.Segment("stream", 2460),
        ],
        "pairs": [
            ("Tokens in", "1,204 (provider)"),
            ("Tokens out", "388 (provider)"),
            ("Cost", "$0.0041"),
            ("Rating", None),
        ],
        "stars": range(1, 6),
        "form": form,
        "command": COMMAND,
        "code": CODE,
    }


def render(**changes):
    values = context() | changes
    return render_to_string("components/gallery.html", values, request=None)
