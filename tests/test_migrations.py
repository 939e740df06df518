import pytest
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader

pytestmark = pytest.mark.django_db


def test_no_model_change_lacks_a_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_migrations_are_named_after_what_they_do():
    loader = MigrationLoader(None, ignore_no_migrations=True)

    ours = [name for app, name in loader.disk_migrations if (app, name) and "_auto_" in name]

    assert ours == []
