"""What is kept of a run, and taking it outside."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from timebank import files
from timebank.errors import WrongState
from timebank.matching.models import Run
from timebank.matching.runs import life


def run_files(session: Session, public_id: uuid.UUID) -> dict[str, bytes]:
    """`problem.npz` and `solution.npz` of a run.

    Raises NotFound for an unknown run, and WrongState for one that kept none.
    """
    run = life.find(session, public_id)
    wanted = {"problem.npz": run.problem_file_id, "solution.npz": run.solution_file_id}
    found: dict[str, bytes] = {}
    for name, file_id in wanted.items():
        file = session.scalar(
            select(files.StoredFile)
            .where(files.StoredFile.id == file_id)
            .options(undefer(files.StoredFile.content))
        )
        if file is None:
            raise WrongState(_l("This run keeps no snapshot."))
        found[name] = file.content
    return found


def export(session: Session, public_id: uuid.UUID, folder: Path) -> list[Path]:
    """Write a run's snapshot and solution into `folder`, so that anybody can verify them.

    Raises NotFound, WrongState, OSError.
    """
    contents = run_files(session, public_id)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, content in contents.items():
        path = folder / name
        partial = path.with_suffix(".part")
        partial.write_bytes(content)
        partial.replace(path)
        paths.append(path)
    return paths


def summary(run: Run) -> dict[str, Any]:
    """What `timebank match run --json` prints."""
    return {
        "run": str(run.public_id),
        "status": run.status,
        "proposals": run.proposals,
        "value": run.value,
        "bound": run.bound,
        "gap": run.gap,
    }
