"""What the commands of the features share."""

from __future__ import annotations

import io
import os
import sys
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


def keep_output_clean() -> None:
    """From now on, what libraries in other languages write to standard output goes to standard error.

    HiGHS does so at times, though told to be silent; who reads what a command printed must not find that in it.
    """
    try:
        ours = sys.stdout.fileno()
    except (AttributeError, io.UnsupportedOperation):
        return  # it was replaced by something in memory
    sys.stdout.flush()
    sys.stdout = open(os.dup(ours), "w", encoding=sys.stdout.encoding, buffering=1)  # noqa: SIM115 - for good
    os.dup2(sys.stderr.fileno(), ours)
