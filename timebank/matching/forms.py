"""The operator's forms: a run, the weights, a reason."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField
from wtforms.validators import InputRequired

from timebank.matching.models import Mode
from timebank.matching.runs.asking import LONGEST, USUAL_LIMIT
from timebank.matching.service import HIGHEST
from timebank.matching.words import MODES, PAIR_KINDS
from timebank.web.forms import BaseForm, LongText, Text, WholeNumberField, choices


def _points(label: Any) -> WholeNumberField:
    return WholeNumberField(label, required=True, least=0, most=HIGHEST)


class RunForm(BaseForm):
    """What a run should do. The time is for bundles only; a single seat each needs no limit."""

    mode = RadioField(_l("How many seats a coach may get in this run"), default=Mode.SINGLE.value)
    time_limit = WholeNumberField(
        _l("Seconds that the search may take"), required=False, least=1, most=LONGEST, default=USUAL_LIMIT
    )
    preview = BooleanField(_l("Let me look first: propose nothing yet"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mode.choices = choices(MODES.items())


class RunPolicyForm(BaseForm):
    """How the nights go."""

    nightly_mode = RadioField(_l("How many seats a coach may get in one night"))
    time_limit = WholeNumberField(
        _l("Seconds that the search may take"), required=True, least=1, most=LONGEST
    )
    reoffers = BooleanField(_l("Offer at once what becomes free"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.nightly_mode.choices = choices(MODES.items())


class ReasonForm(BaseForm):
    reason = LongText(_l("Why, in a sentence that people read"), longest=500, required=False)


class PairForm(BaseForm):
    """Two by name and pseudonym, and what the operator wants of them."""

    kind = RadioField(
        _l("What should they be?"),
        choices=choices(PAIR_KINDS.items()),
        validators=[InputRequired(_l("Choose what fits best."))],
    )
    request = SelectField(_l("Request"), validators=[InputRequired(_l("Choose a request from the list."))])
    pseudonym = Text(_l("Pseudonym of the coach"), longest=40)
    reason = LongText(_l("Why"), longest=500)


class WeightsForm(BaseForm):
    w_base = _points(_l("Every match"))
    w_nice = _points(_l("Each skill that is welcome"))
    w_cause = _points(_l("Each cause that the coach chose"))
    w_near = _points(_l("Next door"))
    near_km = WholeNumberField(_l("How far nearness counts, in km"), required=True, least=1, most=300)
    w_remote = _points(_l("Online"))
    w_star = _points(_l("Each star that a coach or an initiative gave"))
    w_waiting = _points(_l("Each day that a request waits"))
