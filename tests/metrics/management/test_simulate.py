from io import StringIO

from django.core.management import call_command


def test_simulate_prints_what_the_statistics_reach():
    out = StringIO()

    call_command("simulate", "--pilots", "10", "--no-times", stdout=out)

    assert out.getvalue().startswith("Chance that the best is separated from every other")
