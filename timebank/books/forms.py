"""What somebody wants to see of an account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, ValidationError

from timebank.books.statements import Query
from timebank.books.words import ACCOUNTS, KINDS
from timebank.ledger.models import AccountKind, TransactionKind
from timebank.web.forms import BaseForm, DateField, choices


class StatementForm(BaseForm):
    """It only reads, so it travels in the address and needs no token."""

    class Meta:
        csrf = False

    account = SelectField(_l("Account"))
    from_date = DateField(_l("Booked from"), name="from")
    until_date = DateField(_l("Booked until"), name="until")
    kind = SelectField(_l("Movement"))

    def offer(self, accounts: Sequence[AccountKind]) -> None:
        """Fill the lists with the accounts that there are on this side."""
        self.account.choices = choices((a.value, ACCOUNTS[a]) for a in accounts)
        self.kind.choices = choices([("", _l("All")), *((k.value, w) for k, w in KINDS.items())])

    def validate_until_date(self, field: DateField) -> None:
        first: date | None = self.from_date.data
        if first is not None and field.data is not None and field.data < first:
            raise ValidationError(_("The last day is before the first. Turn them round."))

    def query(self) -> Query:
        return Query(
            account=AccountKind(self.account.data),
            from_date=self.from_date.data,
            until_date=self.until_date.data,
            kind=TransactionKind(self.kind.data) if self.kind.data else None,
        )
