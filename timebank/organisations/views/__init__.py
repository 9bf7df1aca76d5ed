"""Pages: joining, the operator's admissions and organisations, HR's policy and staff, an initiative's profile."""

from timebank.organisations.views import desks, initiative, join, operator, policy, staff
from timebank.organisations.views.blueprint import bp

__all__ = ["bp", "desks", "initiative", "join", "operator", "policy", "staff"]
