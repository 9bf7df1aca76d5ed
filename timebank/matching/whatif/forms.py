"""The form of a question: the weights, and one more coach or seat where hours are given."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from wtforms import BooleanField, SelectField, SelectMultipleField

from timebank.matching.forms import WeightsForm
from timebank.matching.snapshot import DEFAULT_WEIGHTS
from timebank.matching.whatif.service import Question
from timebank.matching.whatif.wishes import Wish
from timebank.taxonomy import queries as taxonomy
from timebank.taxonomy.bits import LANGUAGES, language_bits
from timebank.taxonomy.picking import level_names
from timebank.taxonomy.words import language_name
from timebank.web.forms import CheckboxesField, HoursField, PostcodeField, WholeNumberField, choices

SIDES = ("coach", "seat")


class WhatIfForm(WeightsForm):
    coach_hours = HoursField(_l("Hours that the coach would give"), required=False, least=30)
    coach_skills = SelectMultipleField(_l("What the coach can do"), coerce=int, validate_choice=True)
    coach_level = SelectField(_l("How well"), coerce=int, default=2)
    coach_languages = CheckboxesField(_l("Languages of the coach"))
    coach_postcode = PostcodeField(_l("Postcode of the coach"), required=False)
    coach_radius = WholeNumberField(
        _l("How far the coach would travel, in km"), required=False, least=0, most=300, default=30
    )
    coach_remote = BooleanField(_l("Also online"))
    seat_hours = HoursField(_l("Hours that the seat would ask"), required=False, least=30)
    seat_skills = SelectMultipleField(_l("What a coach must be able to do"), coerce=int, validate_choice=True)
    seat_level = SelectField(_l("How well"), coerce=int, default=2)
    seat_languages = CheckboxesField(_l("Languages in which a coach may help"))
    seat_postcode = PostcodeField(_l("Postcode of the seat"), required=False)
    seat_remote = BooleanField(_l("Also online"))

    def offer_skills(self, skills: Sequence[tuple[int, str]]) -> None:
        """Fill the choices."""
        for side in SIDES:
            self[f"{side}_skills"].choices = choices(sorted(skills, key=lambda skill: skill[1].casefold()))
            self[f"{side}_level"].choices = choices(level_names())
            self[f"{side}_languages"].choices = choices((code, language_name(code)) for code in LANGUAGES)

    def check_places(self, session: Session) -> bool:
        """Whether what is wished for is complete and lies in Belgium; with a message at each field where it is not."""
        # Both are looked at, so that all messages are there at once.
        complete = [self._is_complete(session, side) for side in SIDES if self[f"{side}_hours"].data]
        return all(complete)

    def _is_complete(self, session: Session, side: str) -> bool:
        complete = True
        for name in ("skills", "languages", "postcode"):
            field = self[f"{side}_{name}"]
            if not field.data:
                field.errors = [*field.errors, _("Fill this in.")]
                complete = False
        place = self[f"{side}_postcode"]
        if place.data and taxonomy.postcode(session, place.data) is None:
            place.errors = [*place.errors, _("Belgium has no such postcode.")]
            complete = False
        return complete

    def question(self) -> Question:
        """What was asked, once it is complete."""
        return Question(
            weights={name: self[name].data for name in DEFAULT_WEIGHTS},
            coach=self._wish("coach"),
            seat=self._wish("seat"),
        )

    def _wish(self, side: str) -> Wish | None:
        if not self[f"{side}_hours"].data:
            return None
        return Wish(
            minutes=self[f"{side}_hours"].data,
            skills=self[f"{side}_skills"].data,
            level=self[f"{side}_level"].data,
            languages=language_bits(self[f"{side}_languages"].data),
            postcode=self[f"{side}_postcode"].data,
            remote=self[f"{side}_remote"].data,
            radius_km=(self.coach_radius.data or 0) if side == "coach" else 0,
        )
