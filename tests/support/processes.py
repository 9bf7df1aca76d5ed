"""Looking at processes from outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def descendants(leader: int) -> dict[int, str]:
    """The living processes that descend from `leader`, with their command lines."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:2]
                line = (folder / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
            if state != "Z":
                parents[int(folder.name)] = (int(parent), line)
    found: dict[int, str] = {}
    wave = {leader}
    while wave:
        wave = {pid for pid, (parent, _line) in parents.items() if parent in wave}
        found.update({pid: parents[pid][1] for pid in wave})
    return found
