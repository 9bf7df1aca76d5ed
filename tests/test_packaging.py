"""Installs are repeatable: everything that pyproject.toml asks for is pinned with hashes, without any address."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from config import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
PINS = [
    (Requirement(block.split("\\")[0].strip()), re.findall(r"--hash=sha256:([0-9a-f]{64})", block))
    for block in re.split(r"\n(?=\S)", CONSTRAINTS.strip())
]
WANTED = {
    *PROJECT["project"]["dependencies"],
    *PROJECT["build-system"]["requires"],
    *(each for extra in PROJECT["project"]["optional-dependencies"].values() for each in extra),
    *(each for group in PROJECT["dependency-groups"].values() for each in group),
}


@pytest.mark.parametrize("wanted", sorted(WANTED))
def test_each_requirement_is_pinned_within_its_range(wanted: str) -> None:
    requirement = Requirement(wanted)
    name = canonicalize_name(requirement.name)
    pins = [pin for pin, _hashes in PINS if canonicalize_name(pin.name) == name]
    assert pins, f"{requirement.name} has no pin: run make lock"
    for pin in pins:
        version = next(iter(pin.specifier))
        assert version.operator == "=="
        assert requirement.specifier.contains(version.version), (
            f"{pin} is outside {requirement}: run make lock"
        )


def test_every_pin_has_hashes() -> None:
    assert len(PINS) > 50
    assert [str(pin) for pin, hashes in PINS if not hashes] == []


def test_constraints_name_no_address() -> None:
    assert re.findall(r"://|file:| @ |--(?:extra-)?index|--find-links", CONSTRAINTS) == []


def test_the_version_is_said_once_alike() -> None:
    import timebank

    assert timebank.__version__ == PROJECT["project"]["version"]
