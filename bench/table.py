"""The results as a table: for the console, and in docs/benchmarks.md between two markers.

`python -m bench.table` writes the page anew from bench/results/latest.json.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results" / "latest.json"
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
FORMAT = 2
ORDER = {
    "direct": "direct",
    "nginx": "nginx",
    "pilotdash": "PilotDash",
    "portkey": "Portkey",
    "litellm": "LiteLLM",
}
NOTHING = "–"

Results = dict[str, Any]


def _spread(phase: str, figure: str, digits: int) -> Callable[[Results, str], str]:
    """Return how to word a median with its lowest and highest."""

    def word(figures: Results, name: str) -> str:
        found = figures[name].get(phase, {}).get(figure)
        if not found:
            return NOTHING
        # Adding zero spares the reader a "-0".
        values = (round(found[key], digits) + 0.0 for key in ("lowest", "median", "highest"))
        low, mid, high = (f"{value:,.{digits}f}" for value in values)
        return mid if low == high else f"{mid} ({low}–{high})"

    return word


def _held(figures: Results, name: str) -> str:
    found = figures[name].get("streams_500")
    return f"{found['held']:,} of {found['requests']:,}" if found else NOTHING


def _rest(figure: str, digits: int) -> Callable[[Results, str], str]:
    def word(figures: Results, name: str) -> str:
        found = figures[name].get("rest")
        return f"{found[figure]:,.{digits}f}" if found else NOTHING

    return word


ROWS: tuple[tuple[str, Callable[[Results, str], str]], ...] = (
    ("CPU of a plain request, µs", _spread("plain_32", "cpu_us", 0)),
    ("CPU of a stream of 66 events, µs", _spread("streams_32", "cpu_us", 0)),
    ("added latency, 1 connection, median ms", _spread("plain_1", "added_median_ms", 2)),
    ("added latency, 1 connection, p99 ms", _spread("plain_1", "added_p99_ms", 2)),
    ("added latency, 32 connections, median ms", _spread("plain_32", "added_median_ms", 1)),
    ("added latency, 32 connections, p99 ms", _spread("plain_32", "added_p99_ms", 1)),
    ("plain requests a second, 32 connections", _spread("plain_32", "rate", 0)),
    ("added time to first token, 1 stream, ms", _spread("first_1", "added_first_ms", 2)),
    ("added time to first token, 32 streams, ms", _spread("streams_32", "added_first_ms", 2)),
    ("worst gap between events, 32 streams, ms", _spread("streams_32", "worst_gap_ms", 0)),
    ("worst gap between events, 500 streams, ms", _spread("streams_500", "worst_gap_ms", 0)),
    ("500 streams: whole, no gap over 200 ms", _held),
    ("resident memory at rest, MB", _rest("resident_mb", 0)),
    ("resident memory at 500 streams, MB", _spread("streams_500", "peak_mb", 0)),
    ("10 MB request: worst gap grows by, ms", _spread("big", "grown_ms", 0)),
    ("10 MB request: takes, ms", _spread("big", "large_ms", 0)),
    ("CPU at rest, ms a second", _rest("cpu_ms_per_s", 1)),
)


def markdown(results: Results) -> str:
    """Return the section of the page that is made from the results."""
    figures = results["figures"]
    names = [name for name in ORDER if name in figures]
    machine = results["machine"]
    lines = [
        f"{results['at'][:10]}, {machine['cores']} cores"
        f"{' (' + machine['processor'] + ')' if 'processor' in machine else ''}, "
        f"load {machine['load_average_before']} before the run; "
        f"repetitions: {results['settings']['repetitions']}, median (lowest–highest).",
        "",
        "| | " + " | ".join(ORDER[name] for name in names) + " |",
        "| --- |" + " --: |" * len(names),
    ]
    for text, word in ROWS:
        lines.append(f"| {text} | " + " | ".join(word(figures, name) for name in names) + " |")
    lines += ["", *_notes(results), "", *_targets(results)]
    return "\n".join(lines)


def _notes(results: Results) -> list[str]:
    """Return what each ran with, and what did not run or failed: nothing is left out in silence."""
    lines = []
    for name, proxy in results["proxies"].items():
        if name != "direct":
            lines.append(f"- {proxy['title']} {proxy['version']}: {proxy['ran_with']}.")
    beside = results["figures"].get("pilotdash", {})
    for phase, what in (("plain_32", "request"), ("streams_32", "stream")):
        if found := beside.get(phase, {}).get("beside_us"):
            lines.append(
                f"- Valkey's own CPU beside PilotDash, not in the table: {found['median']:,.0f} µs "
                f"a {what}."
            )
    if counted := results.get("counted"):
        lines.append(
            f"- PilotDash recorded {counted['calls']:,} calls and counted "
            f"${counted['nano_usd'] / 1e9:,.2f} against its budgets during the run."
        )
    for name, why in results["missing"].items():
        lines.append(f"- {ORDER[name]} was not measured: {why}.")
    for name, phases in results["figures"].items():
        for phase, found in phases.items():
            if failures := found.get("failures"):
                told = ", ".join(f"{why} ({count})" for why, count in sorted(failures.items()))
                lines.append(
                    f"- {ORDER[name]}, {phase}: {found['finished']:,} of {found['requests']:,} "
                    f"finished; {told}."
                )
    return lines


def _targets(results: Results) -> list[str]:
    lines = ["| target | asked | found | |", "| --- | --: | --: | --- |"]
    for each in results["targets"]:
        least = "≥" if each["is_floor"] else "≤"
        found = NOTHING if each["found"] is None else f"{each['found']:,} {each['unit']}"
        verdict = {True: "held", False: "**falls short**", None: "not measured"}[each["held"]]
        asked = f"{least} {each['bound']:,} {each['unit']}"
        lines.append(f"| {each['target']} | {asked} | {found} | {verdict} |")
    return lines


def for_console(results: Results) -> str:
    """Return the same, with columns that line up without a renderer."""
    out: list[str] = []
    block: list[list[str]] = []
    for line in [*markdown(results).replace("**", "").split("\n"), ""]:
        if line.startswith("|"):
            if not line.startswith("| ---"):
                block.append([cell.strip() for cell in line.strip("|").split("|")])
            continue
        widths = [max(map(len, column)) for column in zip(*block, strict=True)]
        for first, *rest in block:
            cells = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
            out.append("  ".join((first.ljust(widths[0]), *cells)).rstrip())
        block = []
        out.append(line)
    return "\n".join(out)


def filled(page: str, results: Results) -> str:
    """Return the page with the section between the markers replaced. Raises ValueError without."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n{markdown(results)}\n{END}{after}"


def write() -> None:
    PAGE.write_text(filled(PAGE.read_text(), json.loads(RESULTS.read_text())))


if __name__ == "__main__":
    write()
