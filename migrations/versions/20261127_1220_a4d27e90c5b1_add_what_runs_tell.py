"""add what runs tell: the next best of a match, why somebody has none, scarcity and fairness

Revision ID: a4d27e90c5b1
Revises: 9d2e4c7f1b63
Create Date: 2026-11-27 12:20:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a4d27e90c5b1"
down_revision = "9d2e4c7f1b63"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("matches", sa.Column("next_best", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "run_insights",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("scarcity", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("wishes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("served", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("base_optimum", sa.BigInteger(), nullable=True),
        sa.Column("base_value", sa.BigInteger(), nullable=True),
        sa.Column("seats_optimum", sa.Integer(), nullable=True),
        sa.Column("overtaking_days", sa.Integer(), nullable=True),
        sa.CheckConstraint("base_value <= base_optimum", name=op.f("ck_run_insights_policy_never_gains")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_insights_run_id_runs")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_insights")),
    )
    op.create_table(
        "unmatched",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("pledge_id", sa.Integer(), nullable=True),
        sa.Column("rule", sa.String(length=40), nullable=True),
        sa.Column("behind", sa.BigInteger(), nullable=True),
        sa.Column("exact", sa.Boolean(), nullable=False),
        sa.Column("steps", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("relaxations", sa.JSON(none_as_null=True), nullable=False),
        sa.CheckConstraint(
            "(request_id IS NULL) <> (pledge_id IS NULL)", name=op.f("ck_unmatched_request_or_pledge")
        ),
        sa.CheckConstraint(
            "(rule IS NULL) = (behind IS NOT NULL)", name=op.f("ck_unmatched_outbid_iff_no_rule")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_unmatched_run_id_runs")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["coaching_requests.id"], name=op.f("fk_unmatched_request_id_coaching_requests")
        ),
        sa.ForeignKeyConstraint(["pledge_id"], ["pledges.id"], name=op.f("fk_unmatched_pledge_id_pledges")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unmatched")),
        sa.UniqueConstraint("request_id", name=op.f("uq_unmatched_request_id")),
        sa.UniqueConstraint("pledge_id", name=op.f("uq_unmatched_pledge_id")),
    )
    op.create_index(op.f("ix_unmatched_run_id"), "unmatched", ["run_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_unmatched_run_id"), table_name="unmatched")
    op.drop_table("unmatched")
    op.drop_table("run_insights")
    op.drop_column("matches", "next_best")
