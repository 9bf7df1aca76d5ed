"""Runs `timebank.web.assets` whenever the package is built or installed for development."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AssetsHook(BuildHookInterface[Any]):
    """The wheel, and an editable install, get the font, the map and the compiled translations."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        sys.path.insert(0, str(root))
        # The real package needs Flask, which a build has not: an empty one with the same modules stands in for it.
        package = ModuleType("timebank.web")
        package.__path__ = [str(root / "timebank" / "web")]
        sys.modules["timebank.web"] = package

        from timebank.web import assets

        assets.build()
