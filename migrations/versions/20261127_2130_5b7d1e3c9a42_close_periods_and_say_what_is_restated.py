"""close periods for good, and say which day of a closed one a booking restates

Revision ID: 5b7d1e3c9a42
Revises: 8d2f4c61b7e5
Create Date: 2026-11-27 21:30:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from timebank.db import append_only_statements

revision = "5b7d1e3c9a42"
down_revision = "8d2f4c61b7e5"
branch_labels = None
depends_on = None


def upgrade() -> None:
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


def downgrade() -> None:
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
