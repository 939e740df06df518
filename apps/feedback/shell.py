"""One line for a shell's start-up file, by which the daily question is answered from there.

The key stays in the environment. Reasons lose quotes and backslashes rather than break the JSON.
"""

from dataclasses import dataclass
from typing import Final

KEY_VARIABLE: Final = "PILOTDASH_API_KEY"


@dataclass(frozen=True, slots=True)
class Snippet:
    """A line to paste; `label` names the shell and its file."""

    label: str
    text: str


def snippets(site_url: str) -> list[Snippet]:
    """Return the function `today` for each shell. `today 4` answers, `today 4 "why"` says why."""
    url = f"{site_url}/v1/feedback"
    return [
        Snippet("bash and zsh: ~/.bashrc or ~/.zshrc", _posix(url)),
        Snippet("fish: ~/.config/fish/config.fish", _fish(url)),
        Snippet("PowerShell: $PROFILE", _powershell(url)),
    ]


def _posix(url: str) -> str:
    # A function of its own for each sign to drop would be longer; tr knows them by name.
    why = r"""$(printf %s "$2" | tr -d '"\\' | tr -s '[:cntrl:]' ' ')"""
    body = r"{\"id\":\"today\",\"rating\":${1:-0}${2:+,\"comment\":\"" + why + r"\"}}"
    return (
        f'today() {{ curl -sS {url} -H "Authorization: Bearer ${KEY_VARIABLE}" '
        f'-H "Content-Type: application/json" -d "{body}"; echo; }}'
    )


def _fish(url: str) -> str:
    why = r"""(string replace -ra '["\\\\[:cntrl:]]' ' ' -- "$argv[2..-1]")"""
    body = r"""(printf '{"id":"today","rating":%s,"comment":"%s"}' $argv[1] """ + why + ")"
    return (
        f'function today; curl -sS {url} -H "Authorization: Bearer ${KEY_VARIABLE}" '
        f'-H "Content-Type: application/json" -d {body}; echo; end'
    )


def _powershell(url: str) -> str:
    body = (
        "([Text.Encoding]::UTF8.GetBytes((@{id='today';rating=$rating;comment=$why}"
        "|ConvertTo-Json)))"
    )
    return (
        f"function today([int]$rating,[string]$why='') {{ Invoke-RestMethod {url} -Method Post "
        f'-ContentType "application/json" -Headers @{{Authorization="Bearer $env:{KEY_VARIABLE}"}} '
        f"-Body {body} }}"
    )
