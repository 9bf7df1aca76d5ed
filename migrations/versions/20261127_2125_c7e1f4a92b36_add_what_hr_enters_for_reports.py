"""add what HR enters for reports, and feedback on coachings

Revision ID: c7e1f4a92b36
Revises: 8d2f4c61b7e5
Create Date: 2026-11-27 21:25:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c7e1f4a92b36"
down_revision = "8d2f4c61b7e5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("company_policies", sa.Column("hours_by_name_since", sa.DateTime(timezone=True)))
    op.create_table(
        "hourly_rates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by_id", sa.Integer(), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "basis IN ('own_cost', 'public_average', 'market_price')",
            name=op.f("ck_hourly_rates_basis_known"),
        ),
        sa.CheckConstraint("cents BETWEEN 1 AND 100000", name=op.f("ck_hourly_rates_cents_in_range")),
        sa.ForeignKeyConstraint(
            ["entered_by_id"], ["users.id"], name=op.f("fk_hourly_rates_entered_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_hourly_rates_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hourly_rates")),
        sa.UniqueConstraint(
            "organisation_id",
            "basis",
            "valid_from",
            name=op.f("uq_hourly_rates_organisation_id_basis_valid_from"),
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_hourly_rates_public_id")),
    )
    op.create_table(
        "programme_fees",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=200), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by_id", sa.Integer(), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("cents BETWEEN 1 AND 100000000", name=op.f("ck_programme_fees_cents_in_range")),
        sa.ForeignKeyConstraint(
            ["entered_by_id"], ["users.id"], name=op.f("fk_programme_fees_entered_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_programme_fees_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_fees")),
        sa.UniqueConstraint("public_id", name=op.f("uq_programme_fees_public_id")),
    )
    op.create_index(op.f("ix_programme_fees_organisation_id"), "programme_fees", ["organisation_id"])

    op.create_table(
        "report_choices",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("headcount_method", sa.String(40), nullable=False),
        sa.Column("smallest_group", sa.Integer(), nullable=False),
        sa.Column("weekly_minutes", sa.Integer(), nullable=True),
        sa.Column("value_basis", sa.String(40), nullable=False),
        sa.Column("lists_coaches", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "headcount_method IN ('end', 'mean')", name=op.f("ck_report_choices_headcount_method_known")
        ),
        sa.CheckConstraint(
            "value_basis IN ('own_cost', 'public_average', 'market_price')",
            name=op.f("ck_report_choices_value_basis_known"),
        ),
        sa.CheckConstraint(
            "smallest_group BETWEEN 5 AND 100", name=op.f("ck_report_choices_smallest_group_in_range")
        ),
        sa.CheckConstraint(
            "weekly_minutes BETWEEN 60 AND 3600", name=op.f("ck_report_choices_weekly_minutes_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_report_choices_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_report_choices")),
    )
    op.create_table(
        "report_targets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('hours', 'participation')", name=op.f("ck_report_targets_kind_known")),
        sa.CheckConstraint(
            "kind <> 'participation' OR value <= 10000", name=op.f("ck_report_targets_at_most_everybody")
        ),
        sa.CheckConstraint("value > 0", name=op.f("ck_report_targets_value_positive")),
        sa.CheckConstraint("year BETWEEN 2000 AND 2100", name=op.f("ck_report_targets_year_in_range")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_report_targets_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(["set_by_id"], ["users.id"], name=op.f("fk_report_targets_set_by_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_targets")),
        sa.UniqueConstraint(
            "organisation_id", "year", "kind", name=op.f("uq_report_targets_organisation_id_year_kind")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_report_targets_public_id")),
    )
    op.create_table(
        "coaching_feedback",
        sa.Column("match_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(40), nullable=False),
        sa.Column("reached", sa.String(40), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("side IN ('coach', 'initiative')", name=op.f("ck_coaching_feedback_side_known")),
        sa.CheckConstraint(
            "reached IN ('no', 'partly', 'fully')", name=op.f("ck_coaching_feedback_reached_known")
        ),
        sa.ForeignKeyConstraint(
            ["match_id"], ["matches.id"], name=op.f("fk_coaching_feedback_match_id_matches")
        ),
        sa.PrimaryKeyConstraint("match_id", "side", name=op.f("pk_coaching_feedback")),
    )


def downgrade() -> None:
    op.drop_column("company_policies", "hours_by_name_since")
    op.drop_table("coaching_feedback")
    op.drop_table("report_targets")
    op.drop_table("report_choices")
    op.drop_table("programme_fees")
    op.drop_table("hourly_rates")
