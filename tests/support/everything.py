"""Imports what the product's processes import, for the process from which they are forked."""

import gc
from importlib import import_module

import gunicorn.app.wsgiapp
import gunicorn.workers.gthread  # noqa: F401

import timebank
import timebank.web
from timebank.cli import COMMANDS

for name in (*timebank.BLUEPRINTS, *timebank.SUBSCRIBERS):
    import_module(name)
for command, _line in COMMANDS.values():
    import_module(command.split(":")[0])

# What never changes again is left alone by the collectors of the forks, and so stays shared with them.
gc.collect()
gc.freeze()
