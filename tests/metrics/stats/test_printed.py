import subprocess
import sys

from apps.metrics.stats.printed import SHEET, tables


def test_every_table_is_printed():
    lines = list(tables(pilots=20))

    assert [name for name in SHEET if not any(line.startswith(name) for line in lines)] == []
    assert sum("under 3 s" in line for line in lines) == 1


def test_tables_need_neither_settings_nor_database():
    command = "import sys; import apps.metrics.stats.printed; print('django' in sys.modules)"

    told = subprocess.run(
        [sys.executable, "-c", command], env={}, capture_output=True, text=True, check=True
    )

    assert told.stdout == "False\n"
