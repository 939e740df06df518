"""What the rows say, held against what clients and the provider know. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.upstream import Usage, usage_of

SHOWN_AT_MOST = 10


@dataclass(frozen=True)
class Row:
    """What the set test reads of a stored call. `marker` is the client's own request id."""

    id: str
    marker: str
    outcome: str
    usage_source: str
    prompt_tokens: int | None
    cached_tokens: int | None
    completion_tokens: int | None


@dataclass
class Verdict:
    """`ok` and `recovered` calls stand in exactly one row; recovered ones lost their process.

    `unequal` tells in a sentence each what a row says against what was sent; `compared` counts
    the rows whose tokens the provider knows.
    """

    sent: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    rows: int = 0
    finished: int = 0
    compared: int = 0
    ok: int = 0
    recovered: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.duplicated or self.unequal)

    def __add__(self, other: "Verdict") -> "Verdict":
        names = Verdict.__dataclass_fields__
        return Verdict(**{name: getattr(self, name) + getattr(other, name) for name in names})

    def line(self) -> str:
        refused = ", ".join(f"{count} × {status}" for status, count in sorted(self.refused.items()))
        return (
            f"ok {self.ok} / lost {len(self.lost)} / duplicated {len(self.duplicated)}"
            f" / recovered {self.recovered} (sent {self.sent}, rows {self.rows}, finished"
            f" {self.finished}, tokens compared {self.compared}, unequal {len(self.unequal)},"
            f" refused {refused or 0}, without an answer {self.unanswered})"
        )

    def faults(self) -> list[str]:
        return [
            *(f"lost {marker}" for marker in self.lost[:SHOWN_AT_MOST]),
            *(f"duplicated {marker}" for marker in self.duplicated[:SHOWN_AT_MOST]),
            *self.unequal[:SHOWN_AT_MOST],
        ]


def judge(
    *,
    endpoints: Mapping[str, str],
    ids: Mapping[str, str],
    whole: Collection[str],
    seen: Collection[str],
    finished: Mapping[str, Usage],
    rows: Collection[Row],
) -> Verdict:
    """Compare. `endpoints` are the calls sent, `ids` what clients were shown, `seen` and `finished`
    the provider's word.
    """
    by_marker: dict[str, Row] = {row.marker: row for row in rows}
    counts = Counter(row.marker for row in rows)
    verdict = Verdict(
        sent=len(endpoints),
        rows=len(rows),
        finished=len(set(whole) & finished.keys()),
        lost=sorted((set(seen) | ids.keys()) - by_marker.keys()),
        duplicated=sorted(marker for marker, count in counts.items() if count > 1),
    )
    for marker, row in sorted(by_marker.items()):
        fault = _fault(row, endpoints, ids, whole, seen, finished)
        if fault:
            verdict.unequal.append(f"{marker}: {fault}: {row}")
        verdict.compared += row.usage_source == "provider"
        if row.outcome == "crashed_unknown":
            verdict.recovered += 1
        else:
            verdict.ok += 1
    return verdict


def _fault(
    row: Row,
    endpoints: Mapping[str, str],
    ids: Mapping[str, str],
    whole: Collection[str],
    seen: Collection[str],
    finished: Mapping[str, Usage],
) -> str:
    marker = row.marker
    told = (row.prompt_tokens, row.cached_tokens, row.completion_tokens)
    if marker not in endpoints:
        return "nobody sent it"
    if marker in ids and ids[marker] != row.id:
        return f"the client was shown {ids[marker]}"
    if marker in whole and (row.outcome != "ok" or marker not in finished):
        return "the client saw it end"
    expected: Any
    match row.outcome, row.usage_source:
        case (("ok" | "client_cancelled"), "provider"):
            if marker not in finished:
                return "the provider never sent its usage"
            sent = finished[marker]
            # An embedding's answer says nothing of cached tokens.
            cached = None if endpoints[marker] == "embeddings" else sent.cached
            expected = (sent.prompt, cached, sent.completion)
            return "" if told == expected else f"the provider sent {expected}"
        case "client_cancelled", "estimated":
            most = usage_of(marker, endpoints[marker]).completion
            within = row.prompt_tokens is not None and 0 <= (row.completion_tokens or 0) <= most
            return "" if within else f"at most {most} tokens were allowed"
        case "client_cancelled", "none":
            return "the provider was asked, yet nothing is estimated" if marker in seen else ""
        case "crashed_unknown", "none":
            return "" if told == (None, None, None) else "nobody knows its tokens"
        case _:
            return "nothing that happened here ends so"
