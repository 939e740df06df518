"""Serves Plotly from its own Python package, so that no third-party file is kept here.

`plotly/plotly.min.js` is the package's bundle, untouched. `plotly/plotly.css` holds the rules
that the bundle would otherwise inject as an inline style, which the content security policy
forbids; they are taken from the bundle whenever static files are found or collected.
"""

import atexit
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage

BUNDLE = "plotly/plotly.min.js"
STYLES = "plotly/plotly.css"

# The bundle's table of styles: {"X,X div":'direction:ltr;…',"Y .notifier-note":"…"}.
_TABLE = re.compile(r'\{("X,X div":.*?)\};for\(', re.S)
_RULE = re.compile(r'"([^"]+)":(?:"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\')')
_STYLE_ID = re.compile(r'getElementById\("([0-9a-f]{64})"\)')


class PlotlyChanged(Exception):
    """The installed Plotly no longer carries its styles where this module looks for them."""


def bundle_path() -> Path:
    """Find plotly.min.js without importing plotly, which is slow."""
    spec = find_spec("plotly")
    if spec is None or spec.origin is None:
        raise PlotlyChanged("the plotly package is not installed")
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"


def plot_styles(bundle: str) -> str:
    """Write the rules the bundle would inject as a style sheet.

    Raises PlotlyChanged when they are not found.
    """
    table = _TABLE.search(bundle)
    if table is None:
        raise PlotlyChanged("no table of styles in plotly.min.js")
    rules = []
    for selector, double, single in _RULE.findall(table.group(1)):
        # The same two replacements that Plotly makes before it inserts a rule.
        scoped = selector.replace("X", ".js-plotly-plot .plotly").replace("Y", ".plotly-notifier")
        rules.append(f"{scoped}{{{double or single}}}")
    # Plotly inserts each rule before the earlier ones.
    return "\n".join(reversed(rules)) + "\n"


@cache
def injected_style_ids() -> tuple[str, ...]:
    """Give the ids whose presence on the page keeps the bundle from adding style elements."""
    return tuple(sorted(set(_STYLE_ID.findall(bundle_path().read_text("utf-8")))))


class PlotlyStorage(FileSystemStorage):
    """The package's folder under the names the pages use, plus the style sheet made from it."""

    def __init__(self) -> None:
        super().__init__(location=str(bundle_path().parent))

    def path(self, name: str) -> str:
        """Give the file a name stands for; the style sheet is written when first asked for."""
        return str(_style_file() if name == STYLES else bundle_path())

    def exists(self, name: str) -> bool:
        """Tell whether this storage serves the name."""
        return name in (BUNDLE, STYLES)


@cache
def _style_file() -> Path:
    folder = Path(mkdtemp(prefix="pilotdash-plotly-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    path = folder / "plotly.css"
    path.write_text(plot_styles(bundle_path().read_text("utf-8")), "utf-8")
    return path


class PlotlyFinder(BaseFinder):
    """Finds the two Plotly files; list it in STATICFILES_FINDERS."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.storage = PlotlyStorage()
        # ServeStatic looks here for the folders it watches.
        self.storages = {"plotly": self.storage}

    def check(self, **kwargs: Any) -> list[Any]:
        """Have nothing to check."""
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Find one of the two files; a list when `find_all`."""
        found = self.storage.path(path) if self.storage.exists(path) else None
        if find_all:
            return [found] if found else []
        return found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        """List both files with the storage that opens them."""
        for name in (BUNDLE, STYLES):
            yield name, self.storage
