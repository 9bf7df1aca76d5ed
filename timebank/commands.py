"""What the commands of the features share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click


class WrongUse(click.ClickException):
    """A command that was given something it cannot work with; told in one line, exit 2."""

    exit_code = 2


@contextmanager
def app_context() -> Iterator[None]:
    """The application of the environment's settings, for a command that calls services."""
    from timebank import create_app

    with create_app().app_context():
        yield
