import pytest

from pilotdash import schedule
from pilotdash.celery import app


@pytest.mark.parametrize("name", schedule.BEAT)
def test_scheduled_task_exists(name):
    app.loader.import_default_modules()

    assert schedule.BEAT[name]["task"] in app.tasks
