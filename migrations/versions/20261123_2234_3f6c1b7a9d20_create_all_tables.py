"""create all tables

Revision ID: 3f6c1b7a9d20
Revises:
Create Date: 2026-11-23 22:34:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from timebank.db import APPEND_ONLY, append_only_statements

revision = "3f6c1b7a9d20"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agreement_templates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "language IN ('nl', 'fr', 'en')", name=op.f("ck_agreement_templates_language_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_templates")),
        sa.UniqueConstraint("version", "language", name=op.f("uq_agreement_templates_version_language")),
    )
    op.create_table(
        "causes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sdg_target", sa.String(length=10), nullable=False),
        sa.Column("name_nl", sa.String(length=200), nullable=False),
        sa.Column("name_fr", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.CheckConstraint("position >= 0 AND position < 32", name=op.f("ck_causes_position_fits_mask")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_causes")),
        sa.UniqueConstraint("code", name=op.f("uq_causes_code")),
        sa.UniqueConstraint("position", name=op.f("uq_causes_position")),
    )
    op.create_table(
        "instance_marks",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_instance_marks")),
    )
    op.create_table(
        "login_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempts")),
    )
    op.create_index(op.f("ix_login_attempts_key_at"), "login_attempts", ["key", "at"], unique=False)
    op.create_table(
        "municipalities",
        sa.Column("nis", sa.String(length=5), nullable=False),
        sa.Column("name_nl", sa.String(length=100), nullable=False),
        sa.Column("name_fr", sa.String(length=100), nullable=False),
        sa.Column("nuts2", sa.String(length=4), nullable=False),
        sa.PrimaryKeyConstraint("nis", name=op.f("pk_municipalities")),
    )
    op.create_index(op.f("ix_municipalities_nuts2"), "municipalities", ["nuts2"], unique=False)
    op.create_table(
        "organisations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("enterprise_number", sa.String(length=10), nullable=True),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("is_company", sa.Boolean(), nullable=False),
        sa.Column("is_host", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column(
            "admission",
            sa.Enum(
                "applied",
                "admitted",
                "suspended",
                "refused",
                "closed",
                name="admission_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("admission_reason", sa.String(length=2000), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(admission = 'applied') = (decided_at IS NULL)",
            name=op.f("ck_organisations_decided_at_iff_decided"),
        ),
        sa.CheckConstraint(
            "admission <> 'refused' OR admission_reason IS NOT NULL",
            name=op.f("ck_organisations_reason_if_refused"),
        ),
        sa.CheckConstraint(
            "enterprise_number IS NULL OR (length(enterprise_number) = 10 AND substr(enterprise_number, 1, 1) IN ('0', '1'))",
            name=op.f("ck_organisations_enterprise_number_ten_digits"),
        ),
        sa.CheckConstraint("language IN ('nl', 'fr', 'en')", name=op.f("ck_organisations_language_known")),
        sa.CheckConstraint("is_company OR is_host", name=op.f("ck_organisations_company_or_host")),
        sa.CheckConstraint(
            "parent_id IS NULL OR parent_id <> id", name=op.f("ck_organisations_not_its_own_parent")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["organisations.id"], name=op.f("fk_organisations_parent_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("enterprise_number", name=op.f("uq_organisations_enterprise_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_organisations_public_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_organisations_slug")),
    )
    op.create_index(op.f("ix_organisations_admission"), "organisations", ["admission"], unique=False)
    op.create_table(
        "scheduler_beats",
        sa.Column("holder", sa.String(length=100), nullable=False),
        sa.Column("leader", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("holder", name=op.f("pk_scheduler_beats")),
    )
    op.create_table(
        "skills",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("group", sa.String(length=60), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("esco_uri", sa.String(length=200), nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("name_nl", sa.String(length=200), nullable=False),
        sa.Column("name_fr", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.CheckConstraint("position >= 0", name=op.f("ck_skills_position_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skills")),
        sa.UniqueConstraint("code", name=op.f("uq_skills_code")),
        sa.UniqueConstraint("position", name=op.f("uq_skills_position")),
    )
    op.create_table(
        "terms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "work_form",
                "function",
                "role",
                name="kind_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name_nl", sa.String(length=200), nullable=False),
        sa.Column("name_fr", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms")),
        sa.UniqueConstraint("kind", "code", name=op.f("uq_terms_kind_code")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("first_name", sa.String(length=200), nullable=False),
        sa.Column("last_name", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=True),
        sa.Column("theme", sa.String(length=5), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("language IN ('nl', 'fr', 'en')", name=op.f("ck_users_language_known")),
        sa.CheckConstraint("theme IN ('light', 'dark')", name=op.f("ck_users_theme_known")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_users_email_lower_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("public_id", name=op.f("uq_users_public_id")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_user_id", sa.Integer(), nullable=True),
        sa.Column("actor_label", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_user_id"], ["users.id"], name=op.f("fk_audit_entries_actor_user_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_audit_entries_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index(
        op.f("ix_audit_entries_organisation_id_id"), "audit_entries", ["organisation_id", "id"], unique=False
    )
    op.create_index(op.f("ix_audit_entries_subject_id"), "audit_entries", ["subject", "id"], unique=False)
    op.create_table(
        "company_policies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("minutes_per_year", sa.Integer(), nullable=True),
        sa.Column(
            "approval",
            sa.Enum(
                "auto",
                "hr",
                "manager",
                name="approval_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("eligible_departments", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("min_months", sa.Integer(), nullable=False),
        sa.Column("names_visible", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "min_months BETWEEN 0 AND 120", name=op.f("ck_company_policies_min_months_in_range")
        ),
        sa.CheckConstraint(
            "minutes_per_year BETWEEN 0 AND 120000",
            name=op.f("ck_company_policies_minutes_per_year_in_range"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_company_policies_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_policies")),
        sa.UniqueConstraint("organisation_id", name=op.f("uq_company_policies_organisation_id")),
    )
    op.create_table(
        "employments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("employee_number", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("first_name", sa.String(length=200), nullable=False),
        sa.Column("last_name", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("pseudonym", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("language IN ('nl', 'fr', 'en')", name=op.f("ck_employments_language_known")),
        sa.CheckConstraint(
            "state = 'active' OR end_date IS NOT NULL", name=op.f("ck_employments_end_date_if_left")
        ),
        sa.CheckConstraint("state IN ('active', 'left')", name=op.f("ck_employments_state_known")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_employments_email_lower_case")),
        sa.CheckConstraint(
            "end_date IS NULL OR start_date IS NULL OR start_date <= end_date",
            name=op.f("ck_employments_start_before_end"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_employments_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_employments_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employments")),
        sa.UniqueConstraint(
            "organisation_id", "employee_number", name=op.f("uq_employments_organisation_id_employee_number")
        ),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_employments_pseudonym")),
        sa.UniqueConstraint("public_id", name=op.f("uq_employments_public_id")),
    )
    op.create_index(op.f("ix_employments_user_id"), "employments", ["user_id"], unique=False)
    op.create_index(
        "uq_employments_active_email",
        "employments",
        ["organisation_id", "email"],
        unique=True,
        postgresql_where=sa.text("state = 'active'"),
        sqlite_where=sa.text("state = 'active'"),
    )
    op.create_index(
        "uq_employments_active_user",
        "employments",
        ["organisation_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("state = 'active' AND user_id IS NOT NULL"),
        sqlite_where=sa.text("state = 'active' AND user_id IS NOT NULL"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "running",
                "done",
                "failed",
                "cancelled",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("requested_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
            name=op.f("ck_jobs_finished_at_iff_finished"),
        ),
        sa.CheckConstraint("progress >= 0 AND progress <= 100", name=op.f("ck_jobs_progress_is_percent")),
        sa.ForeignKeyConstraint(
            ["requested_by_id"], ["users.id"], name=op.f("fk_jobs_requested_by_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("public_id", name=op.f("uq_jobs_public_id")),
    )
    op.create_index("ix_jobs_state_due", "jobs", ["state", "run_after"], unique=False)
    op.create_index(
        "uq_jobs_live_key",
        "jobs",
        ["key"],
        unique=True,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
        sqlite_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_table(
        "ledger_books",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("last_number >= 0", name=op.f("ck_ledger_books_last_number_not_negative")),
        sa.CheckConstraint("length(head) = 32", name=op.f("ck_ledger_books_head_is_sha256")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_ledger_books_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_books")),
        sa.UniqueConstraint("organisation_id", name=op.f("uq_ledger_books_organisation_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_ledger_books_public_id")),
    )
    op.create_table(
        "outbox_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("send_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_outbox_messages_attempts_not_negative")),
        sa.CheckConstraint(
            "sent_at IS NULL OR failed_at IS NULL", name=op.f("ck_outbox_messages_sent_or_failed")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_outbox_messages_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_messages")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_messages_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_outbox_messages_public_id")),
    )
    op.create_index(
        "ix_outbox_messages_due",
        "outbox_messages",
        ["send_after"],
        unique=False,
        postgresql_where=sa.text("sent_at IS NULL AND failed_at IS NULL"),
        sqlite_where=sa.text("sent_at IS NULL AND failed_at IS NULL"),
    )
    op.create_index(op.f("ix_outbox_messages_user_id"), "outbox_messages", ["user_id"], unique=False)
    op.create_table(
        "password_resets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_password_resets_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_resets")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_resets_token_hash")),
    )
    op.create_index(op.f("ix_password_resets_user_id"), "password_resets", ["user_id"], unique=False)
    op.create_table(
        "postcodes",
        sa.Column("code", sa.String(length=4), nullable=False),
        sa.Column("nis", sa.String(length=5), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("x", sa.Integer(), nullable=False),
        sa.Column("y", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(code) = 4", name=op.f("ck_postcodes_code_has_four_digits")),
        sa.ForeignKeyConstraint(
            ["nis"], ["municipalities.nis"], name=op.f("fk_postcodes_nis_municipalities")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_postcodes")),
    )
    op.create_index(op.f("ix_postcodes_nis"), "postcodes", ["nis"], unique=False)
    op.create_table(
        "stored_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("size >= 0", name=op.f("ck_stored_files_size_not_negative")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_stored_files_owner_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_files")),
        sa.UniqueConstraint("public_id", name=op.f("uq_stored_files_public_id")),
    )
    op.create_index(op.f("ix_stored_files_expires_at"), "stored_files", ["expires_at"], unique=False)
    op.create_table(
        "user_sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        sa.UniqueConstraint("public_id", name=op.f("uq_user_sessions_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_sessions_token_hash")),
    )
    op.create_index(op.f("ix_user_sessions_user_id"), "user_sessions", ["user_id"], unique=False)
    op.create_table(
        "weight_policies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("w_base", sa.Integer(), nullable=False),
        sa.Column("w_nice", sa.Integer(), nullable=False),
        sa.Column("w_cause", sa.Integer(), nullable=False),
        sa.Column("w_near", sa.Integer(), nullable=False),
        sa.Column("near_km", sa.Integer(), nullable=False),
        sa.Column("w_remote", sa.Integer(), nullable=False),
        sa.Column("w_waiting", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("near_km BETWEEN 1 AND 300", name=op.f("ck_weight_policies_near_km_in_range")),
        sa.CheckConstraint(
            "w_base >= 0 AND w_nice >= 0 AND w_cause >= 0 AND w_near >= 0 AND w_remote >= 0 AND w_waiting >= 0",
            name=op.f("ck_weight_policies_weights_not_negative"),
        ),
        sa.ForeignKeyConstraint(["set_by_id"], ["users.id"], name=op.f("fk_weight_policies_set_by_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weight_policies")),
        sa.UniqueConstraint("public_id", name=op.f("uq_weight_policies_public_id")),
    )
    op.create_table(
        "import_batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("mapping", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("close_missing", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "previewed",
                "applied",
                "cancelled",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("summary", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("preview_file_id", sa.Integer(), nullable=True),
        sa.Column("rejects_file_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'applied') = (applied_at IS NOT NULL)",
            name=op.f("ck_import_batches_applied_at_iff_applied"),
        ),
        sa.ForeignKeyConstraint(
            ["file_id"],
            ["stored_files.id"],
            name=op.f("fk_import_batches_file_id_stored_files"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_import_batches_job_id_jobs")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_import_batches_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_import_batches_owner_id_users")),
        sa.ForeignKeyConstraint(
            ["preview_file_id"],
            ["stored_files.id"],
            name=op.f("fk_import_batches_preview_file_id_stored_files"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["rejects_file_id"],
            ["stored_files.id"],
            name=op.f("fk_import_batches_rejects_file_id_stored_files"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batches")),
        sa.UniqueConstraint("public_id", name=op.f("uq_import_batches_public_id")),
    )
    op.create_index(
        op.f("ix_import_batches_organisation_id"), "import_batches", ["organisation_id"], unique=False
    )
    op.create_table(
        "initiatives",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("postcode", sa.String(length=4), nullable=False),
        sa.Column("nis", sa.String(length=5), nullable=False),
        sa.Column("municipality", sa.String(length=100), nullable=False),
        sa.Column("nuts2", sa.String(length=4), nullable=False),
        sa.Column("contact_name", sa.String(length=200), nullable=False),
        sa.Column("contact_email", sa.String(length=254), nullable=False),
        sa.Column("website", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column(
            "phase",
            sa.Enum(
                "idea",
                "development",
                "scaling",
                name="phase_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("work_form_id", sa.Integer(), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column(
            "admission",
            sa.Enum(
                "applied",
                "admitted",
                "suspended",
                "refused",
                "closed",
                name="admission_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("admission_reason", sa.String(length=2000), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(admission = 'applied') = (decided_at IS NULL)",
            name=op.f("ck_initiatives_decided_at_iff_decided"),
        ),
        sa.CheckConstraint(
            "admission <> 'refused' OR admission_reason IS NOT NULL",
            name=op.f("ck_initiatives_reason_if_refused"),
        ),
        sa.CheckConstraint("language IN ('nl', 'fr', 'en')", name=op.f("ck_initiatives_language_known")),
        sa.CheckConstraint(
            "contact_email = lower(contact_email)", name=op.f("ck_initiatives_contact_email_lower_case")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_initiatives_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["postcode"], ["postcodes.code"], name=op.f("fk_initiatives_postcode_postcodes")
        ),
        sa.ForeignKeyConstraint(
            ["work_form_id"], ["terms.id"], name=op.f("fk_initiatives_work_form_id_terms")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_initiatives")),
        sa.UniqueConstraint(
            "organisation_id", "name", "postcode", name=op.f("uq_initiatives_organisation_id_name_postcode")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_initiatives_public_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_initiatives_slug")),
    )
    op.create_index(op.f("ix_initiatives_admission"), "initiatives", ["admission"], unique=False)
    op.create_index(op.f("ix_initiatives_name"), "initiatives", ["name"], unique=False)
    op.create_index(op.f("ix_initiatives_nuts2"), "initiatives", ["nuts2"], unique=False)
    op.create_index(op.f("ix_initiatives_organisation_id"), "initiatives", ["organisation_id"], unique=False)
    op.create_table(
        "ledger_accounts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "granted",
                "support",
                "available",
                "lapsed",
                "reserved",
                "received",
                "travel",
                "preparation",
                "management",
                name="kind_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("tranche", sa.Uuid(), nullable=True),
        sa.Column("match", sa.Uuid(), nullable=True),
        sa.Column("balance", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(kind IN ('granted', 'available', 'lapsed', 'reserved', 'received')) = (tranche IS NOT NULL)",
            name=op.f("ck_ledger_accounts_tranche_iff_pledged"),
        ),
        sa.CheckConstraint(
            "(kind IN ('reserved', 'received', 'travel', 'preparation')) = (match IS NOT NULL)",
            name=op.f("ck_ledger_accounts_match_iff_of_a_match"),
        ),
        sa.CheckConstraint(
            "balance >= 0 OR kind IN ('granted', 'support')",
            name=op.f("ck_ledger_accounts_only_sources_below_zero"),
        ),
        sa.ForeignKeyConstraint(
            ["book_id"], ["ledger_books.id"], name=op.f("fk_ledger_accounts_book_id_ledger_books")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_accounts")),
        sa.UniqueConstraint("book_id", "name", name=op.f("uq_ledger_accounts_book_id_name")),
    )
    op.create_index(op.f("ix_ledger_accounts_match"), "ledger_accounts", ["match"], unique=False)
    op.create_index(op.f("ix_ledger_accounts_tranche"), "ledger_accounts", ["tranche"], unique=False)
    op.create_table(
        "ledger_periods",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("until_date", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open", "closed", name="state_known", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_id", sa.Integer(), nullable=True),
        sa.Column("head", sa.LargeBinary(length=32), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL)",
            name=op.f("ck_ledger_periods_closed_at_iff_closed"),
        ),
        sa.CheckConstraint(
            "(state = 'closed') = (head IS NOT NULL)", name=op.f("ck_ledger_periods_head_iff_closed")
        ),
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
    )
    op.create_table(
        "ledger_transactions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "grant",
                "lapse",
                "reserve",
                "release",
                "confirm",
                "support",
                "reversal",
                name="kind_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("activity_date", sa.Date(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=False),
        sa.Column("reverses_id", sa.Integer(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("payload_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'reversal') = (reverses_id IS NOT NULL)",
            name=op.f("ck_ledger_transactions_reverses_iff_reversal"),
        ),
        sa.CheckConstraint("length(hash) = 32", name=op.f("ck_ledger_transactions_hash_is_sha256")),
        sa.CheckConstraint(
            "length(payload_hash) = 32", name=op.f("ck_ledger_transactions_payload_hash_is_sha256")
        ),
        sa.CheckConstraint(
            "length(previous_hash) = 32", name=op.f("ck_ledger_transactions_previous_hash_is_sha256")
        ),
        sa.CheckConstraint("length(salt) = 16", name=op.f("ck_ledger_transactions_salt_is_16_bytes")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_ledger_transactions_number_positive")),
        sa.ForeignKeyConstraint(
            ["book_id"], ["ledger_books.id"], name=op.f("fk_ledger_transactions_book_id_ledger_books")
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"],
            ["ledger_transactions.id"],
            name=op.f("fk_ledger_transactions_reverses_id_ledger_transactions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transactions")),
        sa.UniqueConstraint("book_id", "number", name=op.f("uq_ledger_transactions_book_id_number")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_ledger_transactions_idempotency_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_ledger_transactions_public_id")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_ledger_transactions_reverses_id")),
    )
    op.create_table(
        "pledges",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("employment_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "submitted",
                "approved",
                "refused",
                "ended",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "end_reason",
            sa.Enum(
                "expired",
                "withdrawn",
                "left",
                name="end_reason_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("until_date", sa.Date(), nullable=False),
        sa.Column("monthly", sa.Boolean(), nullable=False),
        sa.Column("language_bits", sa.Integer(), nullable=False),
        sa.Column("week_bits", sa.Integer(), nullable=False),
        sa.Column("postcode", sa.String(length=4), nullable=False),
        sa.Column("radius_km", sa.Integer(), nullable=False),
        sa.Column("remote", sa.Boolean(), nullable=False),
        sa.Column("shares_choice", sa.Boolean(), nullable=False),
        sa.Column("notice_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by_id", sa.Integer(), nullable=True),
        sa.Column("refused_reason", sa.String(length=2000), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_note", sa.String(length=2000), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'ended') = (end_reason IS NOT NULL)", name=op.f("ck_pledges_end_reason_iff_ended")
        ),
        sa.CheckConstraint(
            "(state = 'refused') = (refused_reason IS NOT NULL)", name=op.f("ck_pledges_reason_iff_refused")
        ),
        sa.CheckConstraint(
            "state <> 'approved' OR approved_at IS NOT NULL", name=op.f("ck_pledges_approved_at_if_approved")
        ),
        sa.CheckConstraint("from_date <= until_date", name=op.f("ck_pledges_from_before_until")),
        sa.CheckConstraint("language_bits BETWEEN 1 AND 7", name=op.f("ck_pledges_some_language")),
        sa.CheckConstraint("radius_km BETWEEN 0 AND 300", name=op.f("ck_pledges_radius_in_range")),
        sa.CheckConstraint("week_bits BETWEEN 1 AND 2097151", name=op.f("ck_pledges_some_time")),
        sa.ForeignKeyConstraint(
            ["approved_by_id"], ["users.id"], name=op.f("fk_pledges_approved_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["employment_id"], ["employments.id"], name=op.f("fk_pledges_employment_id_employments")
        ),
        sa.ForeignKeyConstraint(["postcode"], ["postcodes.code"], name=op.f("fk_pledges_postcode_postcodes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pledges")),
        sa.UniqueConstraint("public_id", name=op.f("uq_pledges_public_id")),
    )
    op.create_index(
        op.f("ix_pledges_employment_id_state"), "pledges", ["employment_id", "state"], unique=False
    )
    op.create_index(op.f("ix_pledges_state_until_date"), "pledges", ["state", "until_date"], unique=False)
    op.create_table(
        "policy_excluded_causes",
        sa.Column("policy_id", sa.Integer(), nullable=False),
        sa.Column("cause_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cause_id"], ["causes.id"], name=op.f("fk_policy_excluded_causes_cause_id_causes")
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"],
            ["company_policies.id"],
            name=op.f("fk_policy_excluded_causes_policy_id_company_policies"),
        ),
        sa.PrimaryKeyConstraint("policy_id", "cause_id", name=op.f("pk_policy_excluded_causes")),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "running",
                "done",
                "applied",
                "withdrawn",
                "failed",
                "abandoned",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "trigger",
            sa.Enum(
                "nightly",
                "operator",
                "command",
                name="trigger_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("nightly_date", sa.Date(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("parameters", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("requested_by_id", sa.Integer(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("holder", sa.String(length=100), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pledges", sa.Integer(), nullable=True),
        sa.Column("seats", sa.Integer(), nullable=True),
        sa.Column("proposals", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=True),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("bound", sa.BigInteger(), nullable=True),
        sa.Column("gap", sa.Double(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("problem_file_id", sa.Integer(), nullable=True),
        sa.Column("solution_file_id", sa.Integer(), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(trigger = 'nightly') = (nightly_date IS NOT NULL)", name=op.f("ck_runs_date_iff_nightly")
        ),
        sa.CheckConstraint(
            "state NOT IN ('done', 'applied', 'withdrawn') OR (value IS NOT NULL AND bound IS NOT NULL AND gap IS NOT NULL AND finished_at IS NOT NULL)",
            name=op.f("ck_runs_certificate_if_done"),
        ),
        sa.CheckConstraint(
            "value IS NULL OR bound IS NULL OR value <= bound", name=op.f("ck_runs_value_within_bound")
        ),
        sa.ForeignKeyConstraint(
            ["problem_file_id"], ["stored_files.id"], name=op.f("fk_runs_problem_file_id_stored_files")
        ),
        sa.ForeignKeyConstraint(
            ["requested_by_id"], ["users.id"], name=op.f("fk_runs_requested_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["solution_file_id"], ["stored_files.id"], name=op.f("fk_runs_solution_file_id_stored_files")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("public_id", name=op.f("uq_runs_public_id")),
    )
    op.create_index(op.f("ix_runs_state_id"), "runs", ["state", "id"], unique=False)
    op.create_index(
        "uq_runs_nightly_date",
        "runs",
        ["nightly_date"],
        unique=True,
        postgresql_where=sa.text("state <> 'abandoned'"),
        sqlite_where=sa.text("state <> 'abandoned'"),
    )
    op.create_table(
        "sites",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("establishment_number", sa.String(length=10), nullable=True),
        sa.Column("postcode", sa.String(length=4), nullable=False),
        sa.Column("nis", sa.String(length=5), nullable=False),
        sa.Column("municipality", sa.String(length=100), nullable=False),
        sa.Column("time_zone", sa.String(length=40), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "establishment_number IS NULL OR (length(establishment_number) = 10 AND substr(establishment_number, 1, 1) BETWEEN '2' AND '8')",
            name=op.f("ck_sites_establishment_number_form"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_sites_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["postcode"], ["postcodes.code"], name=op.f("fk_sites_postcode_postcodes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("establishment_number", name=op.f("uq_sites_establishment_number")),
        sa.UniqueConstraint("organisation_id", "postcode", name=op.f("uq_sites_organisation_id_postcode")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sites_public_id")),
    )
    op.create_table(
        "coaching_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("initiative_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "submitted",
                "open",
                "paused",
                "closed",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "closed_reason",
            sa.Enum(
                "filled",
                "cancelled",
                "expired",
                "refused",
                name="closed_reason_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("closed_note", sa.String(length=2000), nullable=True),
        sa.Column(
            "shape",
            sa.Enum(
                "slots",
                "window",
                "open_ended",
                name="shape_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("until_date", sa.Date(), nullable=True),
        sa.Column("minutes_per_coach", sa.Integer(), nullable=False),
        sa.Column("language_bits", sa.Integer(), nullable=False),
        sa.Column("week_bits", sa.Integer(), nullable=False),
        sa.Column("postcode", sa.String(length=4), nullable=False),
        sa.Column("remote", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(shape = 'open_ended') = (until_date IS NULL)",
            name=op.f("ck_coaching_requests_no_until_iff_open_ended"),
        ),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_reason IS NOT NULL)",
            name=op.f("ck_coaching_requests_closed_reason_iff_closed"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('open', 'paused') OR opened_at IS NOT NULL",
            name=op.f("ck_coaching_requests_opened_at_if_open"),
        ),
        sa.CheckConstraint("language_bits BETWEEN 1 AND 7", name=op.f("ck_coaching_requests_some_language")),
        sa.CheckConstraint(
            "minutes_per_coach BETWEEN 30 AND 24000", name=op.f("ck_coaching_requests_minutes_in_range")
        ),
        sa.CheckConstraint(
            "until_date IS NULL OR from_date <= until_date",
            name=op.f("ck_coaching_requests_from_before_until"),
        ),
        sa.CheckConstraint("week_bits BETWEEN 1 AND 2097151", name=op.f("ck_coaching_requests_some_time")),
        sa.ForeignKeyConstraint(
            ["initiative_id"], ["initiatives.id"], name=op.f("fk_coaching_requests_initiative_id_initiatives")
        ),
        sa.ForeignKeyConstraint(
            ["postcode"], ["postcodes.code"], name=op.f("fk_coaching_requests_postcode_postcodes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coaching_requests")),
        sa.UniqueConstraint("public_id", name=op.f("uq_coaching_requests_public_id")),
    )
    op.create_index(
        op.f("ix_coaching_requests_initiative_id_state"),
        "coaching_requests",
        ["initiative_id", "state"],
        unique=False,
    )
    op.create_index(
        op.f("ix_coaching_requests_state_opened_at"),
        "coaching_requests",
        ["state", "opened_at"],
        unique=False,
    )
    op.create_table(
        "company_exclusions",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("initiative_id", sa.Integer(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["initiative_id"],
            ["initiatives.id"],
            name=op.f("fk_company_exclusions_initiative_id_initiatives"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_company_exclusions_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "initiative_id", name=op.f("pk_company_exclusions")),
    )
    op.create_table(
        "conflicts_of_interest",
        sa.Column("employment_id", sa.Integer(), nullable=False),
        sa.Column("initiative_id", sa.Integer(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["employment_id"],
            ["employments.id"],
            name=op.f("fk_conflicts_of_interest_employment_id_employments"),
        ),
        sa.ForeignKeyConstraint(
            ["initiative_id"],
            ["initiatives.id"],
            name=op.f("fk_conflicts_of_interest_initiative_id_initiatives"),
        ),
        sa.PrimaryKeyConstraint("employment_id", "initiative_id", name=op.f("pk_conflicts_of_interest")),
    )
    op.create_table(
        "employment_terms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("employment_id", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("department", sa.String(length=200), nullable=True),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("fte", sa.Numeric(precision=5, scale=4), nullable=False),
        sa.Column("manager_email", sa.String(length=254), nullable=True),
        sa.CheckConstraint("fte > 0 AND fte <= 1", name=op.f("ck_employment_terms_fte_in_range")),
        sa.ForeignKeyConstraint(
            ["employment_id"], ["employments.id"], name=op.f("fk_employment_terms_employment_id_employments")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_employment_terms_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employment_terms")),
        sa.UniqueConstraint(
            "employment_id", "valid_from", name=op.f("uq_employment_terms_employment_id_valid_from")
        ),
    )
    op.create_index(
        op.f("ix_employment_terms_manager_email"), "employment_terms", ["manager_email"], unique=False
    )
    op.create_table(
        "initiative_causes",
        sa.Column("initiative_id", sa.Integer(), nullable=False),
        sa.Column("cause_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.CheckConstraint("rank BETWEEN 0 AND 2", name=op.f("ck_initiative_causes_at_most_three")),
        sa.ForeignKeyConstraint(
            ["cause_id"], ["causes.id"], name=op.f("fk_initiative_causes_cause_id_causes")
        ),
        sa.ForeignKeyConstraint(
            ["initiative_id"], ["initiatives.id"], name=op.f("fk_initiative_causes_initiative_id_initiatives")
        ),
        sa.PrimaryKeyConstraint("initiative_id", "cause_id", name=op.f("pk_initiative_causes")),
        sa.UniqueConstraint("initiative_id", "rank", name=op.f("uq_initiative_causes_initiative_id_rank")),
    )
    op.create_table(
        "initiative_phases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("initiative_id", sa.Integer(), nullable=False),
        sa.Column(
            "phase",
            sa.Enum(
                "idea",
                "development",
                "scaling",
                name="phase_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["initiative_id"], ["initiatives.id"], name=op.f("fk_initiative_phases_initiative_id_initiatives")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_initiative_phases")),
        sa.UniqueConstraint(
            "initiative_id", "valid_from", name=op.f("uq_initiative_phases_initiative_id_valid_from")
        ),
    )
    op.create_table(
        "initiative_terms",
        sa.Column("initiative_id", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["initiative_id"], ["initiatives.id"], name=op.f("fk_initiative_terms_initiative_id_initiatives")
        ),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name=op.f("fk_initiative_terms_term_id_terms")),
        sa.PrimaryKeyConstraint("initiative_id", "term_id", name=op.f("pk_initiative_terms")),
    )
    op.create_table(
        "initiative_texts",
        sa.Column("initiative_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.CheckConstraint("language IN ('nl', 'fr', 'en')", name=op.f("ck_initiative_texts_language_known")),
        sa.ForeignKeyConstraint(
            ["initiative_id"], ["initiatives.id"], name=op.f("fk_initiative_texts_initiative_id_initiatives")
        ),
        sa.PrimaryKeyConstraint("initiative_id", "language", name=op.f("pk_initiative_texts")),
    )
    op.create_table(
        "invitations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("first_name", sa.String(length=200), nullable=False),
        sa.Column("last_name", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "employee",
                "manager",
                "hr",
                "auditor",
                "coordinator",
                "operator",
                name="role_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("initiative_id", sa.Integer(), nullable=True),
        sa.Column("employment_id", sa.Integer(), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("invited_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by_id", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(role = 'operator' AND organisation_id IS NULL AND initiative_id IS NULL) OR (role = 'coordinator' AND organisation_id IS NULL AND initiative_id IS NOT NULL) OR (role IN ('employee', 'manager', 'hr', 'auditor') AND organisation_id IS NOT NULL AND initiative_id IS NULL)",
            name=op.f("ck_invitations_scope_of_role"),
        ),
        sa.CheckConstraint(
            "(accepted_at IS NULL) = (accepted_by_id IS NULL)",
            name=op.f("ck_invitations_accepted_by_iff_accepted"),
        ),
        sa.CheckConstraint(
            "accepted_at IS NULL OR withdrawn_at IS NULL", name=op.f("ck_invitations_accepted_or_withdrawn")
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_invitations_email_lower_case")),
        sa.ForeignKeyConstraint(
            ["accepted_by_id"], ["users.id"], name=op.f("fk_invitations_accepted_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["employment_id"], ["employments.id"], name=op.f("fk_invitations_employment_id_employments")
        ),
        sa.ForeignKeyConstraint(
            ["initiative_id"], ["initiatives.id"], name=op.f("fk_invitations_initiative_id_initiatives")
        ),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["users.id"], name=op.f("fk_invitations_invited_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_invitations_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("public_id", name=op.f("uq_invitations_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
    )
    op.create_index(op.f("ix_invitations_email"), "invitations", ["email"], unique=False)
    op.create_index(op.f("ix_invitations_employment_id"), "invitations", ["employment_id"], unique=False)
    op.create_index(op.f("ix_invitations_initiative_id"), "invitations", ["initiative_id"], unique=False)
    op.create_index(op.f("ix_invitations_organisation_id"), "invitations", ["organisation_id"], unique=False)
    op.create_table(
        "ledger_facts",
        sa.Column("transaction_id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("measure", sa.String(length=20), nullable=False),
        sa.Column("activity_date", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("employee", sa.String(length=40), nullable=True),
        sa.Column("site", sa.String(length=200), nullable=True),
        sa.Column("department", sa.String(length=200), nullable=True),
        sa.Column(
            "category",
            sa.Enum(
                "delivery",
                "preparation",
                "travel",
                "management",
                name="category_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("skill", sa.String(length=60), nullable=True),
        sa.Column("initiative", sa.Uuid(), nullable=True),
        sa.Column("initiative_name", sa.String(length=200), nullable=True),
        sa.Column("initiative_number", sa.String(length=10), nullable=True),
        sa.Column("nuts2", sa.String(length=4), nullable=True),
        sa.Column("nis", sa.String(length=5), nullable=True),
        sa.Column("phase", sa.String(length=20), nullable=True),
        sa.Column("work_form", sa.String(length=60), nullable=True),
        sa.Column("cause", sa.String(length=60), nullable=True),
        sa.Column("sdg", sa.String(length=10), nullable=True),
        sa.Column("paid_time", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(measure = 'confirmed') = (category IS NOT NULL)",
            name=op.f("ck_ledger_facts_category_iff_confirmed"),
        ),
        sa.CheckConstraint(
            "measure <> 'confirmed' OR initiative IS NOT NULL",
            name=op.f("ck_ledger_facts_initiative_if_confirmed"),
        ),
        sa.CheckConstraint(
            "measure IN ('granted', 'lapsed', 'reserved', 'confirmed')",
            name=op.f("ck_ledger_facts_measure_known"),
        ),
        sa.ForeignKeyConstraint(
            ["book_id"], ["ledger_books.id"], name=op.f("fk_ledger_facts_book_id_ledger_books")
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["ledger_transactions.id"],
            name=op.f("fk_ledger_facts_transaction_id_ledger_transactions"),
        ),
        sa.PrimaryKeyConstraint("transaction_id", name=op.f("pk_ledger_facts")),
    )
    op.create_index(
        "ix_ledger_facts_report", "ledger_facts", ["book_id", "measure", "activity_date"], unique=False
    )
    op.create_table(
        "ledger_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("transaction_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint("minutes <> 0", name=op.f("ck_ledger_lines_minutes_not_zero")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["ledger_accounts.id"], name=op.f("fk_ledger_lines_account_id_ledger_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["ledger_transactions.id"],
            name=op.f("fk_ledger_lines_transaction_id_ledger_transactions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_lines")),
        sa.UniqueConstraint(
            "transaction_id", "account_id", name=op.f("uq_ledger_lines_transaction_id_account_id")
        ),
    )
    op.create_index(op.f("ix_ledger_lines_account_id"), "ledger_lines", ["account_id"], unique=False)
    op.create_table(
        "pledge_causes",
        sa.Column("pledge_id", sa.Integer(), nullable=False),
        sa.Column("cause_id", sa.Integer(), nullable=False),
        sa.Column("excluded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["cause_id"], ["causes.id"], name=op.f("fk_pledge_causes_cause_id_causes")),
        sa.ForeignKeyConstraint(
            ["pledge_id"], ["pledges.id"], name=op.f("fk_pledge_causes_pledge_id_pledges")
        ),
        sa.PrimaryKeyConstraint("pledge_id", "cause_id", name=op.f("pk_pledge_causes")),
    )
    op.create_table(
        "pledge_skills",
        sa.Column("pledge_id", sa.Integer(), nullable=False),
        sa.Column("skill_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.CheckConstraint("level BETWEEN 1 AND 3", name=op.f("ck_pledge_skills_level_in_range")),
        sa.ForeignKeyConstraint(
            ["pledge_id"], ["pledges.id"], name=op.f("fk_pledge_skills_pledge_id_pledges")
        ),
        sa.ForeignKeyConstraint(["skill_id"], ["skills.id"], name=op.f("fk_pledge_skills_skill_id_skills")),
        sa.PrimaryKeyConstraint("pledge_id", "skill_id", name=op.f("pk_pledge_skills")),
    )
    op.create_table(
        "role_grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "employee",
                "manager",
                "hr",
                "auditor",
                "coordinator",
                "operator",
                name="role_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("initiative_id", sa.Integer(), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(role = 'operator' AND organisation_id IS NULL AND initiative_id IS NULL) OR (role = 'coordinator' AND organisation_id IS NULL AND initiative_id IS NOT NULL) OR (role IN ('employee', 'manager', 'hr', 'auditor') AND organisation_id IS NOT NULL AND initiative_id IS NULL)",
            name=op.f("ck_role_grants_scope_of_role"),
        ),
        sa.ForeignKeyConstraint(
            ["granted_by_id"], ["users.id"], name=op.f("fk_role_grants_granted_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["initiative_id"], ["initiatives.id"], name=op.f("fk_role_grants_initiative_id_initiatives")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_role_grants_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_role_grants_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grants")),
    )
    op.create_index(op.f("ix_role_grants_initiative_id"), "role_grants", ["initiative_id"], unique=False)
    op.create_index(op.f("ix_role_grants_organisation_id"), "role_grants", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_role_grants_user_id"), "role_grants", ["user_id"], unique=False)
    op.create_index(
        "uq_role_grants_live_initiative",
        "role_grants",
        ["user_id", "role", "initiative_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL AND initiative_id IS NOT NULL"),
        sqlite_where=sa.text("ended_at IS NULL AND initiative_id IS NOT NULL"),
    )
    op.create_index(
        "uq_role_grants_live_organisation",
        "role_grants",
        ["user_id", "role", "organisation_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL AND organisation_id IS NOT NULL"),
        sqlite_where=sa.text("ended_at IS NULL AND organisation_id IS NOT NULL"),
    )
    op.create_index(
        "uq_role_grants_live_platform",
        "role_grants",
        ["user_id", "role"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL AND organisation_id IS NULL AND initiative_id IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL AND organisation_id IS NULL AND initiative_id IS NULL"),
    )
    op.create_table(
        "tranches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pledge_id", sa.Integer(), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("until_date", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("amendments", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("from_date <= until_date", name=op.f("ck_tranches_from_before_until")),
        sa.CheckConstraint("minutes >= 0", name=op.f("ck_tranches_minutes_not_negative")),
        sa.ForeignKeyConstraint(["pledge_id"], ["pledges.id"], name=op.f("fk_tranches_pledge_id_pledges")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tranches")),
        sa.UniqueConstraint("pledge_id", "from_date", name=op.f("uq_tranches_pledge_id_from_date")),
        sa.UniqueConstraint("public_id", name=op.f("uq_tranches_public_id")),
    )
    op.create_table(
        "request_skills",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("skill_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("must", sa.Boolean(), nullable=False),
        sa.CheckConstraint("level BETWEEN 1 AND 3", name=op.f("ck_request_skills_level_in_range")),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["coaching_requests.id"],
            name=op.f("fk_request_skills_request_id_coaching_requests"),
        ),
        sa.ForeignKeyConstraint(["skill_id"], ["skills.id"], name=op.f("fk_request_skills_skill_id_skills")),
        sa.PrimaryKeyConstraint("request_id", "skill_id", name=op.f("pk_request_skills")),
    )
    op.create_table(
        "request_slots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_request_slots_starts_before_end")),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["coaching_requests.id"],
            name=op.f("fk_request_slots_request_id_coaching_requests"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_slots")),
    )
    op.create_index(op.f("ix_request_slots_request_id"), "request_slots", ["request_id"], unique=False)
    op.create_table(
        "request_texts",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.CheckConstraint("language IN ('nl', 'fr', 'en')", name=op.f("ck_request_texts_language_known")),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["coaching_requests.id"],
            name=op.f("fk_request_texts_request_id_coaching_requests"),
        ),
        sa.PrimaryKeyConstraint("request_id", "language", name=op.f("pk_request_texts")),
    )
    op.create_index(op.f("ix_request_texts_title"), "request_texts", ["title"], unique=False)
    op.create_table(
        "seats",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("position BETWEEN 1 AND 50", name=op.f("ck_seats_position_in_range")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["coaching_requests.id"], name=op.f("fk_seats_request_id_coaching_requests")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seats")),
        sa.UniqueConstraint("public_id", name=op.f("uq_seats_public_id")),
        sa.UniqueConstraint("request_id", "position", name=op.f("uq_seats_request_id_position")),
    )
    op.create_table(
        "matches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seat_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("employment_id", sa.Integer(), nullable=False),
        sa.Column("pledge_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "accepted_by_coach",
                "accepted_by_initiative",
                "confirmed",
                "active",
                "completed",
                "declined",
                "expired",
                "cancelled",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coach_accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("initiative_accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "declined_by",
            sa.Enum(
                "coach",
                "initiative",
                name="declined_by_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "decline_reason",
            sa.Enum(
                "time",
                "distance",
                "skills",
                "cause",
                "conflict_of_interest",
                "found_elsewhere",
                "other",
                name="decline_reason_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("end_note", sa.String(length=2000), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'declined') = (declined_by IS NOT NULL)",
            name=op.f("ck_matches_declined_by_iff_declined"),
        ),
        sa.CheckConstraint(
            "(state IN ('completed', 'declined', 'expired', 'cancelled')) = (ended_at IS NOT NULL)",
            name=op.f("ck_matches_ended_at_iff_ended"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('confirmed', 'active', 'completed') OR (coach_accepted_at IS NOT NULL AND initiative_accepted_at IS NOT NULL)",
            name=op.f("ck_matches_both_accepted_if_confirmed"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('confirmed', 'active', 'completed') OR confirmed_at IS NOT NULL",
            name=op.f("ck_matches_confirmed_at_if_confirmed"),
        ),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_matches_minutes_positive")),
        sa.ForeignKeyConstraint(
            ["employment_id"], ["employments.id"], name=op.f("fk_matches_employment_id_employments")
        ),
        sa.ForeignKeyConstraint(["pledge_id"], ["pledges.id"], name=op.f("fk_matches_pledge_id_pledges")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["coaching_requests.id"], name=op.f("fk_matches_request_id_coaching_requests")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_matches_run_id_runs")),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name=op.f("fk_matches_seat_id_seats")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matches")),
        sa.UniqueConstraint("public_id", name=op.f("uq_matches_public_id")),
    )
    op.create_index(op.f("ix_matches_pledge_id_state"), "matches", ["pledge_id", "state"], unique=False)
    op.create_index(op.f("ix_matches_request_id_state"), "matches", ["request_id", "state"], unique=False)
    op.create_index(op.f("ix_matches_run_id"), "matches", ["run_id"], unique=False)
    op.create_index(op.f("ix_matches_state_expires_at"), "matches", ["state", "expires_at"], unique=False)
    op.create_index(
        "uq_matches_live_pair",
        "matches",
        ["employment_id", "request_id"],
        unique=True,
        postgresql_where=sa.text(
            "state IN ('proposed', 'accepted_by_coach', 'accepted_by_initiative', 'confirmed', 'active')"
        ),
        sqlite_where=sa.text(
            "state IN ('proposed', 'accepted_by_coach', 'accepted_by_initiative', 'confirmed', 'active')"
        ),
    )
    op.create_index(
        "uq_matches_live_seat",
        "matches",
        ["seat_id"],
        unique=True,
        postgresql_where=sa.text(
            "state IN ('proposed', 'accepted_by_coach', 'accepted_by_initiative', 'confirmed', 'active')"
        ),
        sqlite_where=sa.text(
            "state IN ('proposed', 'accepted_by_coach', 'accepted_by_initiative', 'confirmed', 'active')"
        ),
    )
    op.create_table(
        "agreements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("initiative_id", sa.Integer(), nullable=False),
        sa.Column("match_id", sa.Integer(), nullable=True),
        sa.Column("employment_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "drafted",
                "half",
                "in_force",
                "ended",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("template_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("standing_body", sa.Text(), nullable=True),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("company_accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("company_accepted_by_id", sa.Integer(), nullable=True),
        sa.Column("initiative_accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("initiative_accepted_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'ended') = (ended_at IS NOT NULL)", name=op.f("ck_agreements_ended_at_iff_ended")
        ),
        sa.CheckConstraint("language IN ('nl', 'fr', 'en')", name=op.f("ck_agreements_language_known")),
        sa.CheckConstraint(
            "state <> 'in_force' OR (company_accepted_at IS NOT NULL AND initiative_accepted_at IS NOT NULL)",
            name=op.f("ck_agreements_both_accepted_if_in_force"),
        ),
        sa.CheckConstraint(
            "(company_accepted_at IS NULL) = (company_accepted_by_id IS NULL)",
            name=op.f("ck_agreements_company_accepted"),
        ),
        sa.CheckConstraint(
            "(initiative_accepted_at IS NULL) = (initiative_accepted_by_id IS NULL)",
            name=op.f("ck_agreements_initiative_accepted"),
        ),
        sa.CheckConstraint(
            "(match_id IS NULL) = (employment_id IS NULL)", name=op.f("ck_agreements_employment_iff_match")
        ),
        sa.ForeignKeyConstraint(
            ["company_accepted_by_id"], ["users.id"], name=op.f("fk_agreements_company_accepted_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["employment_id"], ["employments.id"], name=op.f("fk_agreements_employment_id_employments")
        ),
        sa.ForeignKeyConstraint(
            ["initiative_accepted_by_id"],
            ["users.id"],
            name=op.f("fk_agreements_initiative_accepted_by_id_users"),
        ),
        sa.ForeignKeyConstraint(
            ["initiative_id"], ["initiatives.id"], name=op.f("fk_agreements_initiative_id_initiatives")
        ),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_agreements_match_id_matches")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_agreements_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["agreement_templates.id"],
            name=op.f("fk_agreements_template_id_agreement_templates"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
        sa.UniqueConstraint("public_id", name=op.f("uq_agreements_public_id")),
    )
    op.create_index(op.f("ix_agreements_initiative_id"), "agreements", ["initiative_id"], unique=False)
    op.create_index(
        "uq_agreements_live_match",
        "agreements",
        ["match_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('drafted', 'half', 'in_force')"),
        sqlite_where=sa.text("state IN ('drafted', 'half', 'in_force')"),
    )
    op.create_index(
        "uq_agreements_live_standing",
        "agreements",
        ["organisation_id", "initiative_id"],
        unique=True,
        postgresql_where=sa.text("match_id IS NULL AND state IN ('drafted', 'half', 'in_force')"),
        sqlite_where=sa.text("match_id IS NULL AND state IN ('drafted', 'half', 'in_force')"),
    )
    op.create_table(
        "coaching_sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("match_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "held",
                "late_cancelled",
                "no_show",
                "moved",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("remote", sa.Boolean(), nullable=False),
        sa.Column("planned_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_to_id", sa.Integer(), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("remote OR place <> ''", name=op.f("ck_coaching_sessions_place_unless_remote")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_coaching_sessions_starts_before_end")),
        sa.ForeignKeyConstraint(
            ["match_id"], ["matches.id"], name=op.f("fk_coaching_sessions_match_id_matches")
        ),
        sa.ForeignKeyConstraint(
            ["moved_to_id"],
            ["coaching_sessions.id"],
            name=op.f("fk_coaching_sessions_moved_to_id_coaching_sessions"),
        ),
        sa.ForeignKeyConstraint(
            ["planned_by_id"], ["users.id"], name=op.f("fk_coaching_sessions_planned_by_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coaching_sessions")),
        sa.UniqueConstraint("public_id", name=op.f("uq_coaching_sessions_public_id")),
    )
    op.create_index(
        op.f("ix_coaching_sessions_match_id_starts_at"),
        "coaching_sessions",
        ["match_id", "starts_at"],
        unique=False,
    )
    op.create_table(
        "reservations",
        sa.Column("match_id", sa.Integer(), nullable=False),
        sa.Column("tranche_id", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_reservations_minutes_positive")),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_reservations_match_id_matches")),
        sa.ForeignKeyConstraint(
            ["tranche_id"], ["tranches.id"], name=op.f("fk_reservations_tranche_id_tranches")
        ),
        sa.PrimaryKeyConstraint("match_id", "tranche_id", name=op.f("pk_reservations")),
    )
    op.create_index(op.f("ix_reservations_tranche_id"), "reservations", ["tranche_id"], unique=False)
    op.create_table(
        "run_seats",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("seat_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "proposed",
                "no_candidate",
                "outbid",
                "changed",
                name="outcome_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("rule", sa.String(length=40), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("match_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_run_seats_match_id_matches")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_seats_run_id_runs")),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name=op.f("fk_run_seats_seat_id_seats")),
        sa.PrimaryKeyConstraint("run_id", "seat_id", name=op.f("pk_run_seats")),
    )
    op.create_index(op.f("ix_run_seats_seat_id"), "run_seats", ["seat_id"], unique=False)
    op.create_table(
        "hour_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("match_id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "logged",
                "confirmed",
                "disputed",
                "withdrawn",
                "corrected",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("activity_date", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column(
            "category",
            sa.Enum(
                "delivery",
                "preparation",
                "travel",
                "management",
                name="category_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=5000), nullable=False),
        sa.Column("idempotency_key", sa.String(length=100), nullable=False),
        sa.Column("logged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("logged_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by_id", sa.Integer(), nullable=True),
        sa.Column("confirmed_by_role", sa.String(length=20), nullable=True),
        sa.Column("dispute_reason", sa.String(length=2000), nullable=True),
        sa.Column("dispute_answer", sa.String(length=2000), nullable=True),
        sa.Column("transaction_key", sa.String(length=200), nullable=True),
        sa.Column("corrects_id", sa.Integer(), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('confirmed', 'corrected')) = (transaction_key IS NOT NULL)",
            name=op.f("ck_hour_entries_booked_iff_confirmed"),
        ),
        sa.CheckConstraint(
            "category IN ('delivery', 'preparation', 'travel')", name=op.f("ck_hour_entries_category_logged")
        ),
        sa.CheckConstraint(
            "state <> 'disputed' OR dispute_reason IS NOT NULL",
            name=op.f("ck_hour_entries_reason_if_disputed"),
        ),
        sa.CheckConstraint(
            "confirmed_by_id IS NULL OR logged_by_id IS NULL OR confirmed_by_id <> logged_by_id",
            name=op.f("ck_hour_entries_logger_never_confirms"),
        ),
        sa.CheckConstraint("minutes BETWEEN 1 AND 1440", name=op.f("ck_hour_entries_minutes_of_one_day")),
        sa.ForeignKeyConstraint(
            ["confirmed_by_id"], ["users.id"], name=op.f("fk_hour_entries_confirmed_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["hour_entries.id"], name=op.f("fk_hour_entries_corrects_id_hour_entries")
        ),
        sa.ForeignKeyConstraint(
            ["logged_by_id"], ["users.id"], name=op.f("fk_hour_entries_logged_by_id_users")
        ),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_hour_entries_match_id_matches")),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["coaching_sessions.id"],
            name=op.f("fk_hour_entries_session_id_coaching_sessions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hour_entries")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_hour_entries_idempotency_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_hour_entries_public_id")),
    )
    op.create_index(
        op.f("ix_hour_entries_match_id_state"), "hour_entries", ["match_id", "state"], unique=False
    )
    op.create_index(
        op.f("ix_hour_entries_state_logged_at"), "hour_entries", ["state", "logged_at"], unique=False
    )
    op.create_index(
        "uq_hour_entries_live_session",
        "hour_entries",
        ["session_id", "category"],
        unique=True,
        postgresql_where=sa.text("session_id IS NOT NULL AND state IN ('logged', 'confirmed', 'disputed')"),
        sqlite_where=sa.text("session_id IS NOT NULL AND state IN ('logged', 'confirmed', 'disputed')"),
    )
    for table in APPEND_ONLY:
        for statement in append_only_statements(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    op.drop_index(
        "uq_hour_entries_live_session",
        table_name="hour_entries",
        postgresql_where=sa.text("session_id IS NOT NULL AND state IN ('logged', 'confirmed', 'disputed')"),
        sqlite_where=sa.text("session_id IS NOT NULL AND state IN ('logged', 'confirmed', 'disputed')"),
    )
    op.drop_index(op.f("ix_hour_entries_state_logged_at"), table_name="hour_entries")
    op.drop_index(op.f("ix_hour_entries_match_id_state"), table_name="hour_entries")
    op.drop_table("hour_entries")
    op.drop_index(op.f("ix_run_seats_seat_id"), table_name="run_seats")
    op.drop_table("run_seats")
    op.drop_index(op.f("ix_reservations_tranche_id"), table_name="reservations")
    op.drop_table("reservations")
    op.drop_index(op.f("ix_coaching_sessions_match_id_starts_at"), table_name="coaching_sessions")
    op.drop_table("coaching_sessions")
    op.drop_index(
        "uq_agreements_live_standing",
        table_name="agreements",
        postgresql_where=sa.text("match_id IS NULL AND state IN ('drafted', 'half', 'in_force')"),
        sqlite_where=sa.text("match_id IS NULL AND state IN ('drafted', 'half', 'in_force')"),
    )
    op.drop_index(
        "uq_agreements_live_match",
        table_name="agreements",
        postgresql_where=sa.text("state IN ('drafted', 'half', 'in_force')"),
        sqlite_where=sa.text("state IN ('drafted', 'half', 'in_force')"),
    )
    op.drop_index(op.f("ix_agreements_initiative_id"), table_name="agreements")
    op.drop_table("agreements")
    op.drop_index(
        "uq_matches_live_seat",
        table_name="matches",
        postgresql_where=sa.text(
            "state IN ('proposed', 'accepted_by_coach', 'accepted_by_initiative', 'confirmed', 'active')"
        ),
        sqlite_where=sa.text(
            "state IN ('proposed', 'accepted_by_coach', 'accepted_by_initiative', 'confirmed', 'active')"
        ),
    )
    op.drop_index(
        "uq_matches_live_pair",
        table_name="matches",
        postgresql_where=sa.text(
            "state IN ('proposed', 'accepted_by_coach', 'accepted_by_initiative', 'confirmed', 'active')"
        ),
        sqlite_where=sa.text(
            "state IN ('proposed', 'accepted_by_coach', 'accepted_by_initiative', 'confirmed', 'active')"
        ),
    )
    op.drop_index(op.f("ix_matches_state_expires_at"), table_name="matches")
    op.drop_index(op.f("ix_matches_run_id"), table_name="matches")
    op.drop_index(op.f("ix_matches_request_id_state"), table_name="matches")
    op.drop_index(op.f("ix_matches_pledge_id_state"), table_name="matches")
    op.drop_table("matches")
    op.drop_table("seats")
    op.drop_index(op.f("ix_request_texts_title"), table_name="request_texts")
    op.drop_table("request_texts")
    op.drop_index(op.f("ix_request_slots_request_id"), table_name="request_slots")
    op.drop_table("request_slots")
    op.drop_table("request_skills")
    op.drop_table("tranches")
    op.drop_index(
        "uq_role_grants_live_platform",
        table_name="role_grants",
        postgresql_where=sa.text("ended_at IS NULL AND organisation_id IS NULL AND initiative_id IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL AND organisation_id IS NULL AND initiative_id IS NULL"),
    )
    op.drop_index(
        "uq_role_grants_live_organisation",
        table_name="role_grants",
        postgresql_where=sa.text("ended_at IS NULL AND organisation_id IS NOT NULL"),
        sqlite_where=sa.text("ended_at IS NULL AND organisation_id IS NOT NULL"),
    )
    op.drop_index(
        "uq_role_grants_live_initiative",
        table_name="role_grants",
        postgresql_where=sa.text("ended_at IS NULL AND initiative_id IS NOT NULL"),
        sqlite_where=sa.text("ended_at IS NULL AND initiative_id IS NOT NULL"),
    )
    op.drop_index(op.f("ix_role_grants_user_id"), table_name="role_grants")
    op.drop_index(op.f("ix_role_grants_organisation_id"), table_name="role_grants")
    op.drop_index(op.f("ix_role_grants_initiative_id"), table_name="role_grants")
    op.drop_table("role_grants")
    op.drop_table("pledge_skills")
    op.drop_table("pledge_causes")
    op.drop_index(op.f("ix_ledger_lines_account_id"), table_name="ledger_lines")
    op.drop_table("ledger_lines")
    op.drop_index("ix_ledger_facts_report", table_name="ledger_facts")
    op.drop_table("ledger_facts")
    op.drop_index(op.f("ix_invitations_organisation_id"), table_name="invitations")
    op.drop_index(op.f("ix_invitations_initiative_id"), table_name="invitations")
    op.drop_index(op.f("ix_invitations_employment_id"), table_name="invitations")
    op.drop_index(op.f("ix_invitations_email"), table_name="invitations")
    op.drop_table("invitations")
    op.drop_table("initiative_texts")
    op.drop_table("initiative_terms")
    op.drop_table("initiative_phases")
    op.drop_table("initiative_causes")
    op.drop_index(op.f("ix_employment_terms_manager_email"), table_name="employment_terms")
    op.drop_table("employment_terms")
    op.drop_table("conflicts_of_interest")
    op.drop_table("company_exclusions")
    op.drop_index(op.f("ix_coaching_requests_state_opened_at"), table_name="coaching_requests")
    op.drop_index(op.f("ix_coaching_requests_initiative_id_state"), table_name="coaching_requests")
    op.drop_table("coaching_requests")
    op.drop_table("sites")
    op.drop_index(
        "uq_runs_nightly_date",
        table_name="runs",
        postgresql_where=sa.text("state <> 'abandoned'"),
        sqlite_where=sa.text("state <> 'abandoned'"),
    )
    op.drop_index(op.f("ix_runs_state_id"), table_name="runs")
    op.drop_table("runs")
    op.drop_table("policy_excluded_causes")
    op.drop_index(op.f("ix_pledges_state_until_date"), table_name="pledges")
    op.drop_index(op.f("ix_pledges_employment_id_state"), table_name="pledges")
    op.drop_table("pledges")
    op.drop_table("ledger_transactions")
    op.drop_table("ledger_periods")
    op.drop_index(op.f("ix_ledger_accounts_tranche"), table_name="ledger_accounts")
    op.drop_index(op.f("ix_ledger_accounts_match"), table_name="ledger_accounts")
    op.drop_table("ledger_accounts")
    op.drop_index(op.f("ix_initiatives_organisation_id"), table_name="initiatives")
    op.drop_index(op.f("ix_initiatives_nuts2"), table_name="initiatives")
    op.drop_index(op.f("ix_initiatives_name"), table_name="initiatives")
    op.drop_index(op.f("ix_initiatives_admission"), table_name="initiatives")
    op.drop_table("initiatives")
    op.drop_index(op.f("ix_import_batches_organisation_id"), table_name="import_batches")
    op.drop_table("import_batches")
    op.drop_table("weight_policies")
    op.drop_index(op.f("ix_user_sessions_user_id"), table_name="user_sessions")
    op.drop_table("user_sessions")
    op.drop_index(op.f("ix_stored_files_expires_at"), table_name="stored_files")
    op.drop_table("stored_files")
    op.drop_index(op.f("ix_postcodes_nis"), table_name="postcodes")
    op.drop_table("postcodes")
    op.drop_index(op.f("ix_password_resets_user_id"), table_name="password_resets")
    op.drop_table("password_resets")
    op.drop_index(op.f("ix_outbox_messages_user_id"), table_name="outbox_messages")
    op.drop_index(
        "ix_outbox_messages_due",
        table_name="outbox_messages",
        postgresql_where=sa.text("sent_at IS NULL AND failed_at IS NULL"),
        sqlite_where=sa.text("sent_at IS NULL AND failed_at IS NULL"),
    )
    op.drop_table("outbox_messages")
    op.drop_table("ledger_books")
    op.drop_index(
        "uq_jobs_live_key",
        table_name="jobs",
        postgresql_where=sa.text("state IN ('queued', 'running')"),
        sqlite_where=sa.text("state IN ('queued', 'running')"),
    )
    op.drop_index("ix_jobs_state_due", table_name="jobs")
    op.drop_table("jobs")
    op.drop_index(
        "uq_employments_active_user",
        table_name="employments",
        postgresql_where=sa.text("state = 'active' AND user_id IS NOT NULL"),
        sqlite_where=sa.text("state = 'active' AND user_id IS NOT NULL"),
    )
    op.drop_index(
        "uq_employments_active_email",
        table_name="employments",
        postgresql_where=sa.text("state = 'active'"),
        sqlite_where=sa.text("state = 'active'"),
    )
    op.drop_index(op.f("ix_employments_user_id"), table_name="employments")
    op.drop_table("employments")
    op.drop_table("company_policies")
    op.drop_index(op.f("ix_audit_entries_subject_id"), table_name="audit_entries")
    op.drop_index(op.f("ix_audit_entries_organisation_id_id"), table_name="audit_entries")
    op.drop_table("audit_entries")
    op.drop_table("users")
    op.drop_table("terms")
    op.drop_table("skills")
    op.drop_table("scheduler_beats")
    op.drop_index(op.f("ix_organisations_admission"), table_name="organisations")
    op.drop_table("organisations")
    op.drop_index(op.f("ix_municipalities_nuts2"), table_name="municipalities")
    op.drop_table("municipalities")
    op.drop_index(op.f("ix_login_attempts_key_at"), table_name="login_attempts")
    op.drop_table("login_attempts")
    op.drop_table("instance_marks")
    op.drop_table("causes")
    op.drop_table("agreement_templates")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION timebank_append_only()")
