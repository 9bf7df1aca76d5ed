"""Forms of this room."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField

from timebank.reports.departments import SMALLEST
from timebank.reports.inputs import Choices
from timebank.reports.models import HeadcountMethod, RateBasis
from timebank.reports.words import BASES, METHODS
from timebank.web import forms as f


class PeriodForm(f.BaseForm):
    """The period of a report; it only reads, so it travels in the address and needs no token."""

    class Meta:
        csrf = False

    from_date = f.DateField(_l("First day"), name="from")
    until_date = f.DateField(_l("Last day"), name="until")


class EuroField(f.Parsed):
    """An amount as people write it (52,40 · € 1.250 · 1250.00), as whole cents."""

    def __init__(self, label: Any, **options: Any) -> None:
        options.setdefault("render_kw", {"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(label, [f.Required()], **options)

    def parse(self, text: str) -> int:
        plain = text.replace("€", "").replace("EUR", "").replace("\u00a0", "").replace(" ", "")
        if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{3})+(,[0-9]{1,2})?", plain):
            plain = plain.replace(".", "")
        if not re.fullmatch(r"[0-9]{1,8}([.,][0-9]{1,2})?", plain):
            raise ValueError(_("Write an amount as 52,40."))
        return int((Decimal(plain.replace(",", ".")) * 100).quantize(Decimal(1), ROUND_HALF_UP))

    def show(self, value: int) -> str:
        return f"{value // 100},{value % 100:02d}"


class ChoicesForm(f.BaseForm):
    """How figures are counted."""

    headcount_method = RadioField(
        _l("How people are counted"), choices=f.choices((m.value, METHODS[m]) for m in HeadcountMethod)
    )
    weekly_minutes = f.HoursField(_l("Hours of a full working week"), least=60, most=60 * 60, required=False)
    value_basis = RadioField(
        _l("What the value of time rests on"), choices=f.choices((b.value, BASES[b]) for b in RateBasis)
    )
    smallest_group = f.WholeNumberField(
        _l("Fewest people that a row may stand for"), least=SMALLEST, most=100
    )
    lists_coaches = BooleanField(_l("The report lists hours per person, under pseudonyms"))

    def choices_made(self) -> Choices:
        return Choices(
            headcount_method=HeadcountMethod(self.headcount_method.data),
            smallest_group=self.smallest_group.data,
            weekly_minutes=self.weekly_minutes.data,
            value_basis=RateBasis(self.value_basis.data),
            lists_coaches=bool(self.lists_coaches.data),
        )


class RateForm(f.BaseForm):
    """What an hour costs from a date on."""

    amount = EuroField(_l("An hour costs on average (€)"))
    valid_from = f.DateField(_l("From"))
    basis = RadioField(
        _l("Basis"),
        choices=f.choices((b.value, BASES[b]) for b in RateBasis),
        default=RateBasis.OWN_COST.value,
    )
    source = f.Text(_l("Where the amount comes from"), longest=200)


class FeeForm(f.BaseForm):
    """What was paid to run the programme."""

    fee_amount = EuroField(_l("Amount (€)"))
    paid_on = f.DateField(_l("Paid on"))
    what_for = f.Text(_l("For what"), longest=200)


class TargetsForm(f.BaseForm):
    """What a company wants to reach in a year."""

    year = f.WholeNumberField(_l("Year"), least=2000, most=2100)
    hours = f.HoursField(_l("Hours delivered"), least=60, most=10_000_000 * 60, required=False)
    participation = f.WholeNumberField(
        _l("Participation rate, in percent"), least=1, most=100, required=False
    )
