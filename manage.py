#!/usr/bin/env python
"""Django's command line for Tandem."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cmms.settings")
    from django.core.management import execute_from_command_line

    from cmms.local import environment

    try:
        environment.load()
    except environment.Problem as problem:
        sys.exit(str(problem))

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
