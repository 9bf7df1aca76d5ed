"""add secret to outbox messages

Revision ID: 9d2e4c7f1b63
Revises: 3f6c1b7a9d20
Create Date: 2026-11-27 12:15:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "9d2e4c7f1b63"
down_revision = "3f6c1b7a9d20"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox_messages", sa.Column("secret", sa.String(length=100), nullable=True))


def downgrade() -> None:
    op.drop_column("outbox_messages", "secret")
