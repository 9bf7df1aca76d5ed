"""add the keys that sign reports

Revision ID: 5b8f0d3e6a17
Revises: 5b7d1e3c9a42
Create Date: 2026-11-27 21:40:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5b8f0d3e6a17"
down_revision = "5b7d1e3c9a42"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("algorithm", sa.String(20), nullable=False),
        sa.Column("public_key", sa.LargeBinary(32), nullable=False),
        sa.Column("private_key", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("algorithm = 'Ed25519'", name=op.f("ck_signing_keys_algorithm_known")),
        sa.CheckConstraint("length(public_key) = 32", name=op.f("ck_signing_keys_public_key_is_32_bytes")),
        sa.CheckConstraint(
            "retired_at IS NULL OR private_key IS NULL",
            name=op.f("ck_signing_keys_no_private_key_if_retired"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
        sa.UniqueConstraint("key_id", name=op.f("uq_signing_keys_key_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_signing_keys_public_id")),
    )
    op.create_index(
        "uq_signing_keys_current",
        "signing_keys",
        ["algorithm"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
        sqlite_where=sa.text("retired_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("signing_keys")
