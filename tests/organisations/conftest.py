"""People whom the tests of this room need."""

from __future__ import annotations

import pytest

from tests.factories import make_company, make_coordinator, make_hr, make_initiative, make_operator


@pytest.fixture
def company(session):
    return make_company(session, name="Northsea Logistics")


@pytest.fixture
def hr(session, company, client_as):
    """A browser of the company's HR."""
    return client_as(make_hr(session, company))


@pytest.fixture
def other_hr(session, client_as):
    """A browser of another company's HR."""
    return client_as(make_hr(session, make_company(session, name="Lumière")))


@pytest.fixture
def operator(session, client_as):
    return client_as(make_operator(session))


@pytest.fixture
def initiative(session):
    return make_initiative(session, name="Buurtatelier")


@pytest.fixture
def coordinator(session, initiative, client_as):
    return client_as(make_coordinator(session, initiative))
