#!/usr/bin/env python3
"""Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line

from pilotdash import env, kept

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilotdash.settings")
    # Beside a running `make up` this finds its database and its keys.
    kept.load_environment(env.data())
    execute_from_command_line(sys.argv)
