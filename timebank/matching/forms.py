"""The operator's form of weights."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from timebank.matching.service import HIGHEST
from timebank.web.forms import BaseForm, WholeNumberField


def _points(label: Any) -> WholeNumberField:
    return WholeNumberField(label, required=True, least=0, most=HIGHEST)


class WeightsForm(BaseForm):
    w_base = _points(_l("Every match"))
    w_nice = _points(_l("Each skill that is welcome"))
    w_cause = _points(_l("Each cause that the coach chose"))
    w_near = _points(_l("Next door"))
    near_km = WholeNumberField(_l("How far nearness counts, in km"), required=True, least=1, most=300)
    w_remote = _points(_l("Online"))
    w_waiting = _points(_l("Each day that a request waits"))
