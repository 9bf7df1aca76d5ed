"""give runs a mode and a life of their own, and both sides and the operator a say before them

Revision ID: 8d2f4c61b7e5
Revises: a4d27e90c5b1
Create Date: 2026-11-27 12:40:00+00:00
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "8d2f4c61b7e5"
down_revision = "a4d27e90c5b1"
branch_labels = None
depends_on = None


def one_of(column: str, *values: str) -> str:
    return f"{column} IN ({', '.join(repr(v) for v in values)})"


STATES = ("queued", "running", "done", "applied", "withdrawn", "failed", "abandoned")
TRIGGERS = ("nightly", "operator", "command")
OUTCOMES = ("proposed", "no_candidate", "outbid", "changed")
WEIGHTS = "w_base >= 0 AND w_nice >= 0 AND w_cause >= 0 AND w_near >= 0 AND w_remote >= 0 AND w_waiting >= 0"
CERTIFICATE = "OR (value IS NOT NULL AND bound IS NOT NULL AND gap IS NOT NULL AND finished_at IS NOT NULL)"
# The checks that change, before this step and after it.
BEFORE = {
    "runs": {
        "state_known": one_of("state", *STATES),
        "trigger_known": one_of("trigger", *TRIGGERS),
        "certificate_if_done": f"state NOT IN ('done', 'applied', 'withdrawn') {CERTIFICATE}",
    },
    "run_seats": {"outcome_known": one_of("outcome", *OUTCOMES)},
    "weight_policies": {"weights_not_negative": WEIGHTS},
}
AFTER = {
    "runs": {
        "state_known": one_of("state", *STATES, "discarded", "cancelled"),
        "trigger_known": one_of("trigger", *TRIGGERS, "reoffer"),
        "certificate_if_done": f"state NOT IN ('done', 'applied', 'withdrawn', 'discarded') {CERTIFICATE}",
        "mode_known": one_of("mode", "single", "bundle"),
        "applied_at_iff_applied": "(state IN ('applied', 'withdrawn')) = (applied_at IS NOT NULL)",
    },
    "run_seats": {"outcome_known": one_of("outcome", "chosen", *OUTCOMES)},
    "weight_policies": {"weights_not_negative": f"{WEIGHTS} AND w_star >= 0"},
}


def upgrade() -> None:
    op.add_column("runs", sa.Column("time_limit", sa.Integer()))
    op.add_column("runs", sa.Column("preview", sa.Boolean()))
    op.add_column("runs", sa.Column("applied_at", sa.DateTime(timezone=True)))
    op.add_column("runs", sa.Column("blocking_pairs", sa.Integer()))
    op.execute(sa.text("UPDATE runs SET preview = :no").bindparams(no=False))
    op.execute("UPDATE runs SET applied_at = finished_at WHERE state IN ('applied', 'withdrawn')")

    def runs(batch: Any) -> None:
        batch.alter_column("preview", existing_type=sa.Boolean(), nullable=False)
        batch.alter_column("mode", existing_type=sa.String(10), type_=sa.String(40), existing_nullable=False)

    change("runs", runs, BEFORE, AFTER)

    op.add_column("run_seats", sa.Column("pledge_id", sa.Integer()))
    op.add_column("run_seats", sa.Column("weight", sa.BigInteger()))
    op.add_column("run_seats", sa.Column("reasons", sa.JSON(none_as_null=True)))
    op.add_column("run_seats", sa.Column("next_best", sa.JSON(none_as_null=True)))
    op.add_column("run_seats", sa.Column("seen", sa.String(64)))
    op.add_column("run_seats", sa.Column("reserve", sa.JSON(none_as_null=True)))
    for column in ("pledge_id", "weight"):
        op.execute(
            f"UPDATE run_seats SET {column} ="  # noqa: S608 - two names of this line
            f" (SELECT {column} FROM matches WHERE matches.id = run_seats.match_id)"
        )

    def run_seats(batch: Any) -> None:
        batch.alter_column("position", existing_type=sa.Integer(), nullable=True)
        batch.create_foreign_key(op.f("fk_run_seats_pledge_id_pledges"), "pledges", ["pledge_id"], ["id"])

    change("run_seats", run_seats, BEFORE, AFTER)

    op.create_table(
        "run_policies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("nightly_mode", sa.String(40), nullable=False),
        sa.Column("time_limit", sa.Integer(), nullable=False),
        sa.Column("reoffers", sa.Boolean(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            one_of("nightly_mode", "single", "bundle"), name=op.f("ck_run_policies_nightly_mode_known")
        ),
        sa.CheckConstraint("time_limit BETWEEN 1 AND 3600", name=op.f("ck_run_policies_time_limit_in_range")),
        sa.ForeignKeyConstraint(["set_by_id"], ["users.id"], name=op.f("fk_run_policies_set_by_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_policies")),
        sa.UniqueConstraint("public_id", name=op.f("uq_run_policies_public_id")),
    )
    op.create_table(
        "request_stars",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("starred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["coaching_requests.id"],
            name=op.f("fk_request_stars_request_id_coaching_requests"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_request_stars_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", "request_id", name=op.f("pk_request_stars")),
    )
    op.create_index(op.f("ix_request_stars_request_id"), "request_stars", ["request_id"])
    op.create_table(
        "coach_stars",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("employment_id", sa.Integer(), nullable=False),
        sa.Column("starred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starred_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["coaching_requests.id"],
            name=op.f("fk_coach_stars_request_id_coaching_requests"),
        ),
        sa.ForeignKeyConstraint(
            ["employment_id"], ["employments.id"], name=op.f("fk_coach_stars_employment_id_employments")
        ),
        sa.ForeignKeyConstraint(
            ["starred_by_id"], ["users.id"], name=op.f("fk_coach_stars_starred_by_id_users")
        ),
        sa.PrimaryKeyConstraint("request_id", "employment_id", name=op.f("pk_coach_stars")),
    )
    op.create_index(op.f("ix_coach_stars_employment_id"), "coach_stars", ["employment_id"])
    op.create_table(
        "pair_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("employment_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_id", sa.Integer(), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(one_of("kind", "pin", "forbid"), name=op.f("ck_pair_rules_kind_known")),
        sa.ForeignKeyConstraint(
            ["employment_id"], ["employments.id"], name=op.f("fk_pair_rules_employment_id_employments")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["coaching_requests.id"],
            name=op.f("fk_pair_rules_request_id_coaching_requests"),
        ),
        sa.ForeignKeyConstraint(["set_by_id"], ["users.id"], name=op.f("fk_pair_rules_set_by_id_users")),
        sa.ForeignKeyConstraint(
            ["undone_by_id"], ["users.id"], name=op.f("fk_pair_rules_undone_by_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pair_rules")),
        sa.UniqueConstraint("public_id", name=op.f("uq_pair_rules_public_id")),
    )
    op.create_index(op.f("ix_pair_rules_request_id"), "pair_rules", ["request_id"])
    op.create_index(
        "uq_pair_rules_live_pair",
        "pair_rules",
        ["employment_id", "request_id"],
        unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
        sqlite_where=sa.text("undone_at IS NULL"),
    )
    # Those who set weights before stars were there go on with the weight that a new installation has.
    op.add_column("weight_policies", sa.Column("w_star", sa.Integer()))
    op.execute("UPDATE weight_policies SET w_star = 150")

    def weights(batch: Any) -> None:
        batch.alter_column("w_star", existing_type=sa.Integer(), nullable=False)

    change("weight_policies", weights, BEFORE, AFTER)


def downgrade() -> None:
    change("weight_policies", lambda batch: batch.drop_column("w_star"), AFTER, BEFORE)
    for table in ("pair_rules", "coach_stars", "request_stars", "run_policies"):
        op.drop_table(table)
    op.execute("DELETE FROM run_seats WHERE position IS NULL")
    # What the older schema has no word for becomes what comes nearest.
    op.execute("UPDATE runs SET state = 'done' WHERE state = 'discarded'")
    op.execute("UPDATE runs SET state = 'abandoned' WHERE state = 'cancelled'")
    op.execute("UPDATE runs SET trigger = 'command' WHERE trigger = 'reoffer'")
    op.execute("UPDATE run_seats SET outcome = 'changed' WHERE outcome = 'chosen'")

    def run_seats(batch: Any) -> None:
        batch.drop_constraint(op.f("fk_run_seats_pledge_id_pledges"), type_="foreignkey")
        for column in ("pledge_id", "weight", "reasons", "next_best", "seen", "reserve"):
            batch.drop_column(column)
        batch.alter_column("position", existing_type=sa.Integer(), nullable=False)

    change("run_seats", run_seats, AFTER, BEFORE)

    def runs(batch: Any) -> None:
        for column in ("time_limit", "preview", "applied_at", "blocking_pairs"):
            batch.drop_column(column)
        batch.alter_column("mode", existing_type=sa.String(40), type_=sa.String(10), existing_nullable=False)

    change("runs", runs, AFTER, BEFORE)


def change(
    table: str,
    alter: Callable[[Any], None],
    before: dict[str, dict[str, str]],
    after: dict[str, dict[str, str]],
) -> None:
    """Alter a table and exchange its checks."""
    with op.batch_alter_table(table) as batch:
        for name in before[table]:
            batch.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        alter(batch)
        for name, text in after[table].items():
            batch.create_check_constraint(op.f(f"ck_{table}_{name}"), text)
