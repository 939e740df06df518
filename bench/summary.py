"""From single measurements to medians and spreads, and what is asked of them."""

import statistics
from dataclasses import dataclass
from typing import Any

from bench.phases import BIG, Run, Runs

DIRECT = "direct"
# Figures that are told as what a proxy adds to a direct connection of the same repetition.
ADDED = ("median_ms", "p99_ms", "first_ms")
COUNTS = ("requests", "finished", "held")


@dataclass(frozen=True)
class Target:
    """What a figure of ours shall keep below, or its ratio to a rival's; or, with `is_floor`, how
    many times more the rival's shall be at least.
    """

    text: str
    phase: str
    figure: str
    bound: float
    unit: str = "×"
    of: str = ""
    is_floor: bool = False


PLAIN, STREAM = ("plain_32", "cpu_us"), ("streams_32", "cpu_us")
TARGETS = (
    Target("CPU of a plain request, ours to nginx's", *PLAIN, 18, of="nginx"),
    Target("CPU of a plain request, LiteLLM's to ours", *PLAIN, 50, of="litellm", is_floor=True),
    Target("CPU of a plain request, Portkey's to ours", *PLAIN, 2.5, of="portkey", is_floor=True),
    Target("CPU of a stream, ours to nginx's", *STREAM, 6, of="nginx"),
    Target("CPU of a stream, LiteLLM's to ours", *STREAM, 10, of="litellm", is_floor=True),
    Target("added latency, 1 connection, median", "plain_1", "added_median_ms", 0.8, "ms"),
    Target("worst gap in 500 streams", "streams_500", "worst_gap_ms", 200, "ms"),
    Target("resident memory at 500 streams", "streams_500", "peak_mb", 150, "MB"),
    Target("10 MB request: growth of the worst gap", BIG, "grown_ms", 100, "ms"),
)

# Proxy -> phase -> figure -> {"median", "lowest", "highest"}; counts are summed.
Figures = dict[str, dict[str, Any]]


def summary(runs: Runs) -> Figures:
    """Return medians with the lowest and highest, and by how much each exceeds direct."""
    direct = runs.get(DIRECT, {})
    return {
        name: {
            phase: _summed([_with_added(one, direct.get(phase, []), n) for n, one in enumerate(of)])
            for phase, of in phases.items()
        }
        for name, phases in runs.items()
    }


def _with_added(run: Run, direct: list[Run], repetition: int) -> Run:
    base = direct[repetition] if repetition < len(direct) else {}
    added = {
        f"added_{name}": run[name] - base[name] for name in ADDED if name in run and name in base
    }
    return run | added


def _summed(runs: list[Run]) -> dict[str, Any]:
    failures: dict[str, int] = {}
    for run in runs:
        for why, count in run["failures"].items():
            failures[why] = failures.get(why, 0) + count
    out: dict[str, Any] = {name: sum(run.get(name, 0) for run in runs) for name in COUNTS}
    out["failures"] = failures
    for figure in sorted({figure for run in runs for figure in run} - {*COUNTS, "failures"}):
        values = [run[figure] for run in runs if figure in run]
        out[figure] = {
            "median": round(statistics.median(values), 3),
            "lowest": round(min(values), 3),
            "highest": round(max(values), 3),
        }
    return out


def median(figures: Figures, name: str, phase: str, figure: str) -> float | None:
    found = figures.get(name, {}).get(phase, {}).get(figure)
    return found["median"] if found else None


def judged(figures: Figures, ours: str) -> list[dict[str, Any]]:
    """Return each target with what was found, None where a rival did not run."""
    out = []
    for target in TARGETS:
        found = median(figures, ours, target.phase, target.figure)
        if target.of:
            theirs = median(figures, target.of, target.phase, target.figure)
            found = _ratio(found, theirs) if not target.is_floor else _ratio(theirs, found)
        held = None
        if found is not None:
            held = found >= target.bound if target.is_floor else found <= target.bound
        out.append(
            {
                "target": target.text,
                "bound": target.bound,
                "is_floor": target.is_floor,
                "unit": target.unit,
                "found": None if found is None else round(found, 2),
                "held": held,
            }
        )
    return out


def _ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None
