"""Forms of companies, staff and initiatives."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, ValidationError

from timebank.organisations.models import Approval
from timebank.organisations.service import InitiativeApplication, InitiativeProfile, PolicyChange
from timebank.taxonomy.models import Cause, Phase, Term, TermKind
from timebank.web import forms as f
from timebank.web.locale import NAMES

LANGUAGES = f.choices(NAMES.items())
PHASES = [
    (Phase.IDEA.value, _l("Idea: you know what you want, not yet how")),
    (Phase.DEVELOPMENT.value, _l("Development: it runs, and takes shape")),
    (Phase.SCALING.value, _l("Scaling: it works here, and should elsewhere")),
]
NONE = 0  # the value of "none" in a list of ids


def ids(choice: str) -> int:
    """A list's value as an id. Raises ValueError for anything else, which the field then refuses."""
    if not str(choice).isascii() or not str(choice).isdigit() or len(str(choice)) > 9:
        raise ValueError(choice)
    return int(choice)


def _span(line: str) -> tuple[date, date]:
    """A day, or two with a dash and spaces between them."""
    first, _dash, last = line.replace("–", "-").partition(" - ")
    return f.day_of(first.strip()), f.day_of((last or first).strip())


def spans_text(blackouts: list[Any]) -> str:
    """What `PolicyForm` shows of the policy's blackouts."""
    written = [[date.fromisoformat(day).strftime("%d/%m/%Y") for day in span] for span in blackouts]
    return "\n".join(first if first == last else f"{first} - {last}" for first, last in written)


class CausesForm(f.BaseForm):
    """The fields in which an initiative says what kind of initiative it is."""

    primary_cause = SelectField(_l("Main cause"), coerce=ids, default=NONE)
    second_cause = SelectField(_l("Second cause"), coerce=ids, default=NONE)
    third_cause = SelectField(_l("Third cause"), coerce=ids, default=NONE)
    work_form = SelectField(_l("Work form"), coerce=ids, default=NONE)
    functions = f.CheckboxesField(_l("Functions"), coerce=ids)
    roles = f.CheckboxesField(_l("Roles"), coerce=ids)

    def offer(self, causes: list[Cause], terms: dict[TermKind, list[Term]], language: str) -> None:
        """Fill the lists, in the reader's language."""
        named = [(c.id, c.name(language)) for c in causes]
        self.primary_cause.choices = f.choices([(NONE, _l("Choose one")), *named])
        self.second_cause.choices = self.third_cause.choices = f.choices([(NONE, _l("None")), *named])
        of = {kind: [(t.id, t.name(language)) for t in kept] for kind, kept in terms.items()}
        self.work_form.choices = f.choices([(NONE, _l("None of these")), *of[TermKind.WORK_FORM]])
        self.functions.choices = f.choices(of[TermKind.FUNCTION])
        self.roles.choices = f.choices(of[TermKind.ROLE])

    def validate_primary_cause(self, field: Any) -> None:
        if not field.data:
            raise ValidationError(_("Choose one cause."))

    def chosen_causes(self) -> list[int]:
        return [i for i in (self.primary_cause.data, self.second_cause.data, self.third_cause.data) if i]

    def chosen_terms(self) -> list[int]:
        return [*(self.functions.data or ()), *(self.roles.data or ())]


class ApplicationForm(CausesForm):
    name = f.Text(_l("Name of the initiative"), render_kw={"autocomplete": "organization"})
    description = f.LongText(_l("What you do, for whom"))
    phase = RadioField(
        _l("Phase"), choices=f.choices(PHASES), validators=[InputRequired(_l("Choose what fits best."))]
    )
    postcode = f.PostcodeField(_l("Postcode"))
    enterprise_number = f.Text(_l("Enterprise number of your organisation"), required=False, longest=20)
    host_name = f.Text(_l("Name of that organisation"), required=False)
    website = f.Website(_l("Website"), required=False)
    contact_name = f.Text(_l("Your name"), render_kw={"autocomplete": "name"})
    contact_email = f.Email(_l("Your e-mail address"), render_kw={"autocomplete": "email"})
    language = SelectField(_l("Language in which we write to you"), choices=LANGUAGES)
    # People do not see this field; programs that fill in every form do.
    homepage = StringField("Homepage")

    @property
    def is_from_a_program(self) -> bool:
        return bool(self.homepage.data)

    def application(self) -> InitiativeApplication:
        return InitiativeApplication(
            name=self.name.data,
            enterprise_number=self.enterprise_number.data,
            host_name=self.host_name.data,
            work_form_id=self.work_form.data or None,
            term_ids=self.chosen_terms(),
            phase=Phase(self.phase.data),
            postcode=str(self.postcode.data),
            cause_ids=self.chosen_causes(),
            contact_name=self.contact_name.data,
            contact_email=str(self.contact_email.data),
            website=str(self.website.data or ""),
            language=self.language.data,
            description=self.description.data,
        )


class ProfileForm(CausesForm):
    text_nl = f.LongText(_l("In Dutch"), required=False)
    text_fr = f.LongText(_l("In French"), required=False)
    text_en = f.LongText(_l("In English"), required=False)
    website = f.Website(_l("Website"), required=False)
    contact_name = f.Text(_l("Contact person"))
    silent_consent = BooleanField(_l("Hours that we don't question within 21 days count as confirmed"))

    def profile(self) -> InitiativeProfile:
        return InitiativeProfile(
            texts={"nl": self.text_nl.data, "fr": self.text_fr.data, "en": self.text_en.data},
            website=str(self.website.data or ""),
            contact_name=self.contact_name.data,
            cause_ids=self.chosen_causes(),
            work_form_id=self.work_form.data or None,
            term_ids=self.chosen_terms(),
            silent_consent=bool(self.silent_consent.data),
        )


class PhaseForm(f.BaseForm):
    phase = RadioField(
        _l("Phase"), choices=f.choices(PHASES), validators=[InputRequired(_l("Choose what fits best."))]
    )
    valid_from = f.DateField(_l("Since"))


class CompanyForm(f.BaseForm):
    name = f.Text(_l("Name of the company"))
    enterprise_number = f.Text(_l("Enterprise number"), longest=20)
    hr_name = f.Text(_l("Name of the HR person"))
    hr_email = f.Email(_l("E-mail address of the HR person"))
    language = SelectField(_l("Language"), choices=LANGUAGES)


class PersonForm(f.BaseForm):
    name = f.Text(_l("Name"))
    email = f.Email(_l("E-mail address"))
    language = SelectField(_l("Language"), choices=LANGUAGES)


class ReasonForm(f.BaseForm):
    reason = f.LongText(_l("Reason"), longest=2000)


class EndForm(f.BaseForm):
    end_date = f.DateField(_l("Last day of work"))


class PolicyForm(f.BaseForm):
    minutes_per_year = f.HoursField(
        _l("Hours that one employee may pledge in a year"), least=0, most=2000 * 60, required=False
    )
    approval = RadioField(
        _l("Who approves a pledge"),
        choices=f.choices(
            [
                (Approval.AUTO.value, _l("Nobody: within these rules it counts at once")),
                (Approval.MANAGER.value, _l("The employee's manager")),
                (Approval.HR.value, _l("HR")),
            ]
        ),
    )
    eligible_departments = f.CheckboxesField(_l("Departments that may pledge"))
    min_months = f.WholeNumberField(_l("Months of service before somebody may pledge"), least=0, most=120)
    excluded_causes = f.CheckboxesField(_l("Causes that your company does not support"), coerce=ids)
    late_after_days = f.WholeNumberField(
        _l("Days after which logging hours needs your approval"), least=1, most=366, required=False
    )
    blackouts = f.LongText(_l("Days on which nobody coaches"), required=False, longest=2000)
    names_visible = BooleanField(_l("HR sees who coaches which initiative, where the employee shares it"))
    hours_by_name = BooleanField(_l("HR's report may list hours per person by name"))

    def validate_blackouts(self, field: Any) -> None:
        try:
            self.spans()
        except ValueError:
            raise ValidationError(
                _("Write one day or one period a line, as 24/12/2026 or 24/12/2026 - 31/12/2026.")
            ) from None

    def spans(self) -> list[tuple[date, date]]:
        """First and last day of each line. Raises ValueError for what is no date."""
        lines = [line.strip() for line in (self.blackouts.data or "").splitlines() if line.strip()]
        return [_span(line) for line in lines]

    def offer(self, departments: list[str], causes: list[Cause], language: str) -> None:
        """Fill the lists."""
        self.eligible_departments.choices = f.choices([(d, d) for d in departments])
        self.excluded_causes.choices = f.choices([(c.id, c.name(language)) for c in causes])

    def change(self) -> PolicyChange:
        return PolicyChange(
            minutes_per_year=self.minutes_per_year.data,
            approval=Approval(self.approval.data),
            eligible_departments=self.eligible_departments.data or [],
            min_months=self.min_months.data,
            excluded_cause_ids=self.excluded_causes.data or [],
            names_visible=bool(self.names_visible.data),
            late_after_days=self.late_after_days.data,
            hours_by_name=bool(self.hours_by_name.data),
            blackouts=self.spans(),
        )


def texts_of(texts: Any) -> dict[str, str]:
    """The fields of `ProfileForm` that hold texts, from the rows by language."""
    return {f"text_{t.language}": t.description for t in texts}
