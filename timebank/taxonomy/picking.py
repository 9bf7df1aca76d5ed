"""Choosing skills with a level: a form field for the picker of `components/skills.html`, and the words it shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from wtforms import Field
from wtforms.validators import ValidationError

from timebank.taxonomy import queries
from timebank.taxonomy.models import Skill
from timebank.web import picker

MOST = 40

GROUPS = {
    "communication": _l("Communication"),
    "digital": _l("Digital"),
    "finance": _l("Finance"),
    "funding": _l("Funding"),
    "legal": _l("Legal"),
    "making": _l("Making and repairing"),
    "organisation": _l("Organisation"),
    "people": _l("People"),
    "strategy": _l("Strategy"),
}


def level_names(asked: bool = False) -> list[tuple[int, str]]:
    """The levels in words: those that a coach has, or those that an initiative asks."""
    if asked:
        return [(1, _("basic or better")), (2, _("good or better")), (3, _("expert"))]
    return [(1, _("basic")), (2, _("good")), (3, _("expert"))]


def was_pressed(*names: str) -> bool:
    """Whether a button of one of these pickers sent the form, so that it is shown again instead of judged."""
    return any(picker.read(name).changed for name in names)


class SkillsField(Field):
    """Chosen skills as (skill id, level) pairs."""

    def __init__(
        self,
        label: Any = None,
        *,
        default_level: int = 2,
        required: object = None,
        most: int = MOST,
        **options: Any,
    ) -> None:
        self.default_level, self.required, self.most = default_level, required, most
        super().__init__(label, **options)
        self.flags.required = required is not None

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        self.process_errors: list[str] = []
        self.data: list[tuple[int, int]] = list(data or ())
        if formdata is None:
            return
        posted = picker.read(self.name, formdata, self.default_level)
        self.data = posted.chosen
        waiting = formdata.get(f"{self.name}-choose", "")
        sent = not posted.changed and waiting.isascii() and waiting.isdigit() and len(waiting) < 10
        # Chosen in the list, and the form sent without "Add": that skill was meant too.
        if sent and int(waiting) not in dict(self.data):
            self.data.append((int(waiting), self.default_level))

    def pre_validate(self, form: Any) -> None:
        if self.required is not None and not self.data:
            raise ValidationError(str(self.required))
        if len(self.data) > self.most:
            raise ValidationError(_("Choose at most %(most)s.", most=self.most))


class Picker:
    """The words that the picker's macro needs: names of the chosen skills, and all others by group."""

    def __init__(self, session: Session, language: str) -> None:
        self.language = language
        self.skills: Sequence[Skill] = queries.skills(session)
        self._names = {s.id: s.name(language) for s in self.skills}

    def chosen(self, pairs: Iterable[tuple[int, int]]) -> list[tuple[int, str, int]]:
        """(id, name, level) of the chosen skills that exist."""
        return [(i, self._names[i], level) for i, level in pairs if i in self._names]

    @property
    def groups(self) -> list[tuple[str, list[tuple[int, str]]]]:
        """All skills by group, both in the order of the reader's alphabet."""
        found = [
            (
                str(GROUPS.get(group, group)),
                sorted(((s.id, s.name(self.language)) for s in some), key=lambda pair: pair[1].casefold()),
            )
            for group, some in groupby(self.skills, attrgetter("group"))
        ]
        return sorted(found, key=lambda pair: pair[0].casefold())


def search(session: Session, text: str, language: str) -> list[tuple[int, str]]:
    """(id, name) of the skills that `text` finds; none for an empty one."""
    text = text.strip()[:100]
    if not text:
        return []
    return [(s.id, s.name(language)) for s in queries.search_skills(session, text, language, 8)]
