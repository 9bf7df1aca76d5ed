"""The printed report: in three languages, readable by machines, and made of data that stays data."""

from __future__ import annotations

import io
from typing import Any

import pytest
import typst
from flask_babel import force_locale
from sqlalchemy.orm import Session

from tests import factories
from tests.reports.conftest import MARCH, SCHROEF, TO, Told
from tests.reports.test_figures import report_of
from timebank import clock
from timebank.auth.actor import COMMAND_LINE
from timebank.organisations.models import InitiativeText
from timebank.reports.exports import making
from timebank.reports.pdf import content, setting

TRAP = 'A #panic("x") \\ *b* $x$ <l> @ref `c` "] é € 🙂 =1+1'


@pytest.fixture
def named(session: Session, told: Told) -> Told:
    """The initiative that received most exists, with a name that a typesetter could take for an order."""
    told.books.session.flush()
    initiative = factories.make_initiative(session, name=TRAP, postcode="9000")
    initiative.public_id = SCHROEF
    initiative.texts = [
        InitiativeText(language="nl", description="Wij herstellen. " * 100),
        InitiativeText(language="fr", description="Nous réparons.\n\n#lorem(9)"),
    ]
    session.commit()
    return told


@pytest.fixture
def queried(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was handed to the typesetter."""
    seen: list[dict[str, Any]] = []
    real = typst.compile

    def spy(path: Any, **options: Any) -> Any:
        seen.append({"input": path, **options})
        return real(path, **options)

    monkeypatch.setattr(typst, "compile", spy)
    return seen


def headings(asked: dict[str, Any]) -> str:
    kept = {
        k: v
        for k, v in asked.items()
        if k in ("input", "root", "sys_inputs", "font_paths", "ignore_system_fonts")
    }
    return str(typst.Compiler(**kept).query("heading"))


@pytest.mark.parametrize(
    ("language", "title"),
    [("nl", "Kerncijfers"), ("fr", "Chiffres clés"), ("en", "Key figures")],
)
def test_the_report_is_printed_in_each_language_and_tagged(
    session: Session, named: Told, queried: list[dict[str, Any]], language: str, title: str
) -> None:
    with force_locale(language):
        report = report_of(session, named)
        made = content.render_pdf(session, report, [], "https://hours.example")
        again = content.render_pdf(session, report, [], "https://hours.example")
    assert made == again
    assert made.startswith(b"%PDF-") and b"<pdfuaid:part>1</pdfuaid:part>" in made
    assert f"<rdf:li>{language}</rdf:li>".encode() in made
    assert title in headings(queried[0])
    assert TRAP.replace("🙂", "□") in headings(queried[0]).replace('\\"', '"').replace("\\\\", "\\")


def test_a_story_is_cut_at_a_sentence_and_hr_chooses_which(session: Session, named: Told) -> None:
    with force_locale("nl"):
        report = report_of(session, named)
        (story,) = content.stories_of(session, report, [SCHROEF])
        assert content.stories_of(session, report, [next(i for i in TO if i != SCHROEF)]) == []
    assert len(story.text) <= content.LONGEST_STORY and story.text.endswith("herstellen.")
    assert (story.name, story.minutes) == (TRAP, 370)


def test_a_company_without_hours_is_printed_too(session: Session, held_clock: Any) -> None:
    company = factories.make_company(session)
    session.commit()
    out = io.BytesIO()
    order = making.Order(company.id, MARCH, MARCH, "pdf", "fr")
    making.make(out, order, actor=COMMAND_LINE, now=clock.now())
    assert out.getvalue().startswith(b"%PDF-")


def test_every_sign_that_is_kept_can_be_printed_and_read_aloud(session: Session, told: Told) -> None:
    with force_locale("en"):
        data = content.report_data(report_of(session, told), [], "https://hours.example")
    signs = "".join(map(chr, range(0x2700))).replace("\r", "")
    data["method"]["verify"] = "".join(sorted({*signs}, key=signs.index))
    data["foot"] = "👩‍🏫 \udc80 العربية 漢字"
    assert setting.set_pdf("report.typ", data).startswith(b"%PDF-")


def test_the_templates_travel_with_the_package() -> None:
    assert (setting.TEMPLATES / "report.typ").is_file() and (setting.TEMPLATES / "mark.svg").is_file()
