"""close periods for good, approve hours that come late, and take silence for consent

Revision ID: 5b7d1e3c9a42
Revises: c7e1f4a92b36
Create Date: 2026-11-27 21:30:00+00:00
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from timebank.db import append_only_statements

revision = "5b7d1e3c9a42"
down_revision = "c7e1f4a92b36"
branch_labels = None
depends_on = None

HOURS_STATES = ("logged", "confirmed", "disputed", "withdrawn", "corrected")
# All checks of the tables that SQLite makes anew, before this step and after it.
POLICY = {
    "minutes_per_year_in_range": "minutes_per_year BETWEEN 0 AND 120000",
    "min_months_in_range": "min_months BETWEEN 0 AND 120",
    "approval_known": "approval IN ('auto', 'hr', 'manager')",
}
HOURS = {
    "minutes_of_one_day": "minutes BETWEEN 1 AND 1440",
    "category_logged": "category IN ('delivery', 'preparation', 'travel')",
    "category_known": "category IN ('delivery', 'preparation', 'travel', 'management')",
    "booked_iff_confirmed": "(state IN ('confirmed', 'corrected')) = (transaction_key IS NOT NULL)",
    "reason_if_disputed": "state <> 'disputed' OR dispute_reason IS NOT NULL",
    "logger_never_confirms": "confirmed_by_id IS NULL OR logged_by_id IS NULL OR confirmed_by_id <> logged_by_id",
    "state_known": f"state IN ({', '.join(repr(s) for s in HOURS_STATES)})",
}
POLICY_AFTER = {**POLICY, "late_after_days_in_range": "late_after_days BETWEEN 1 AND 366"}
HOURS_AFTER = {
    **HOURS,
    "state_known": f"state IN ('late', {', '.join(repr(s) for s in HOURS_STATES)})",
    "reason_if_late": "state <> 'late' OR late_reason IS NOT NULL",
    "approver_does_nothing_else": "late_decided_by_id IS NULL"
    " OR ((logged_by_id IS NULL OR late_decided_by_id <> logged_by_id)"
    " AND (confirmed_by_id IS NULL OR late_decided_by_id <> confirmed_by_id))",
}


def upgrade() -> None:
    _close_periods()
    op.add_column(
        "initiatives",
        sa.Column("silent_consent", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    _change("company_policies", _add_to_policy, POLICY, POLICY_AFTER)
    _drop_live_index(HOURS_STATES[:3])
    _change("hour_entries", _add_to_hours, HOURS, HOURS_AFTER)
    _create_live_index(("late", *HOURS_STATES[:3]))
    op.create_index(op.f("ix_hour_entries_state_consent_at"), "hour_entries", ["state", "consent_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_hour_entries_state_consent_at"), "hour_entries")
    _drop_live_index(("late", *HOURS_STATES[:3]))
    # What the older schema has no word for waits for the initiative.
    op.execute("UPDATE hour_entries SET state = 'logged' WHERE state = 'late'")
    _change("hour_entries", _take_from_hours, HOURS_AFTER, HOURS)
    _create_live_index(HOURS_STATES[:3])
    _change("company_policies", _take_from_policy, POLICY_AFTER, POLICY)
    op.drop_column("initiatives", "silent_consent")
    _open_periods()


def _add_to_policy(batch: Any) -> None:
    batch.add_column(sa.Column("late_after_days", sa.Integer()))
    batch.add_column(sa.Column("blackouts", sa.JSON(), nullable=False, server_default="[]"))


def _take_from_policy(batch: Any) -> None:
    for name in ("late_after_days", "blackouts"):
        batch.drop_column(name)


def _add_to_hours(batch: Any) -> None:
    for name in ("consent_at", "reminded_at", "late_decided_at"):
        batch.add_column(sa.Column(name, sa.DateTime(timezone=True)))
    for name in ("late_reason", "late_refusal"):
        batch.add_column(sa.Column(name, sa.String(2000)))
    batch.add_column(sa.Column("late_decided_by_id", sa.Integer()))
    batch.create_foreign_key(
        op.f("fk_hour_entries_late_decided_by_id_users"), "users", ["late_decided_by_id"], ["id"]
    )


def _take_from_hours(batch: Any) -> None:
    batch.drop_constraint(op.f("fk_hour_entries_late_decided_by_id_users"), type_="foreignkey")
    for name in (
        "consent_at",
        "reminded_at",
        "late_decided_at",
        "late_reason",
        "late_refusal",
        "late_decided_by_id",
    ):
        batch.drop_column(name)


def _change(table: str, alter: Callable[[Any], None], before: dict[str, str], after: dict[str, str]) -> None:
    """Alter a table and exchange its checks."""
    with op.batch_alter_table(table) as batch:
        for name in before:
            batch.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        alter(batch)
        for name, text in after.items():
            batch.create_check_constraint(op.f(f"ck_{table}_{name}"), text)


def _live(states: tuple[str, ...]) -> dict[str, Any]:
    where = sa.text(f"session_id IS NOT NULL AND state IN ({', '.join(repr(s) for s in states)})")
    return {"postgresql_where": where, "sqlite_where": where}


def _create_live_index(states: tuple[str, ...]) -> None:
    op.create_index(
        "uq_hour_entries_live_session",
        "hour_entries",
        ["session_id", "category"],
        unique=True,
        **_live(states),
    )


def _drop_live_index(states: tuple[str, ...]) -> None:
    op.drop_index("uq_hour_entries_live_session", table_name="hour_entries", **_live(states))


def _close_periods() -> None:
    op.add_column("ledger_facts", sa.Column("restates", sa.Date()))
    restates = sa.text("restates IS NOT NULL")
    op.create_index(
        "ix_ledger_facts_restated",
        "ledger_facts",
        ["book_id", "activity_date"],
        postgresql_where=restates,
        sqlite_where=restates,
    )
    # Nothing could write it before: it is made anew.
    op.drop_table("ledger_periods")
    op.create_table(
        "ledger_periods",
        *_common(),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.UniqueConstraint("book_id", "number", name=op.f("uq_ledger_periods_book_id_number")),
        sa.CheckConstraint("length(head) = 32", name=op.f("ck_ledger_periods_head_is_sha256")),
    )
    for statement in append_only_statements("ledger_periods", op.get_bind().dialect.name):
        op.execute(statement)


def _open_periods() -> None:
    op.drop_table("ledger_periods")
    op.create_table(
        "ledger_periods",
        *_common(),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("head", sa.LargeBinary(length=32)),
        sa.CheckConstraint("state IN ('open', 'closed')", name="state_known"),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL)",
            name=op.f("ck_ledger_periods_closed_at_iff_closed"),
        ),
        sa.CheckConstraint(
            "(state = 'closed') = (head IS NOT NULL)", name=op.f("ck_ledger_periods_head_iff_closed")
        ),
    )
    op.drop_index("ix_ledger_facts_restated", "ledger_facts")
    op.drop_column("ledger_facts", "restates")


def _common() -> list[sa.Column | sa.Constraint]:
    """What the table has before and after."""
    return [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("until_date", sa.Date(), nullable=False),
        sa.Column("closed_by_id", sa.Integer()),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("from_date <= until_date", name=op.f("ck_ledger_periods_from_before_until")),
        sa.ForeignKeyConstraint(
            ["book_id"], ["ledger_books.id"], name=op.f("fk_ledger_periods_book_id_ledger_books")
        ),
        sa.ForeignKeyConstraint(
            ["closed_by_id"], ["users.id"], name=op.f("fk_ledger_periods_closed_by_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_periods")),
        sa.UniqueConstraint(
            "book_id", "from_date", "until_date", name=op.f("uq_ledger_periods_book_id_from_date_until_date")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_ledger_periods_public_id")),
    ]
