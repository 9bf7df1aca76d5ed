"""Business acts around logins: users and roles, invitations, signing in, passwords."""

from timebank.auth.service.invitations import (
    Inviter,
    accept_invitation,
    invite,
    inviter_of,
    open_invitation,
    withdraw_invitations,
)
from timebank.auth.service.passwords import change_password, request_reset, reset_of, reset_password
from timebank.auth.service.sessions import (
    count_attempt,
    end_other_sessions,
    end_session,
    holder_of,
    open_session,
    signed_in_by,
    throttle,
    verified_user,
)
from timebank.auth.service.users import (
    actor_by_email,
    change_profile,
    create_user,
    end_role,
    grant_role,
    remember_language,
    user_by_email,
)

__all__ = [
    "Inviter",
    "accept_invitation",
    "actor_by_email",
    "change_password",
    "change_profile",
    "count_attempt",
    "create_user",
    "end_other_sessions",
    "end_role",
    "end_session",
    "grant_role",
    "holder_of",
    "invite",
    "inviter_of",
    "open_invitation",
    "open_session",
    "remember_language",
    "request_reset",
    "reset_of",
    "reset_password",
    "signed_in_by",
    "throttle",
    "user_by_email",
    "verified_user",
    "withdraw_invitations",
]
