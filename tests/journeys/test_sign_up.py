"""How organisations and people come in, and how they get in again when they forgot how."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from tests import factories
from tests.journeys.arrange import run_the_scheduler
from tests.journeys.walk import Walk, dutch

Open = Callable[..., Any]
Axe = Callable[[Any], None]

NUMBER = "0203.201.340"
SECRET = "zeven lange woorden in een rij"
STAFF = (
    "personeelsnummer;e-mail;voornaam;naam;afdeling;postcode vestiging;taal;in dienst\n"
    "1;noor@delta.example;Noor;Claes;Productie;9000;nl;01/02/2019\n"
    "2;geen-adres;Bo;Maes;Productie;9000;nl;01/02/2019\n"
)


def _mailed_link(walk: Walk, email: str) -> str:
    """The link in the newest mail to `email`, as anybody may read it where no mail is sent."""
    run_the_scheduler()
    page = walk.page
    walk.go(f"/dev/mail?to={email}")
    page.locator("main table a").first.click()
    walk.look()
    links = re.findall(r"https?://\S+", walk.text())
    return str(next(link for link in links if "/invitations/" in link or "/reset/" in link))


def _open_account(open_page: Open, axe: Axe, link: str, screen: str = "desktop") -> Walk:
    walk = Walk(open_page(screen), axe).go(link)
    walk.fill(password=SECRET, again=SECRET)
    return walk.press("Open my account")


def test_an_initiative_applies_is_admitted_and_finds_its_desk(
    session: Session, open_page: Open, axe: Axe
) -> None:
    operator_user = factories.make_operator(session)
    session.commit()
    walk = Walk(open_page("phone"), axe).go("/").go("/join").go("/join/initiative")
    page = walk.page
    walk.fill(
        name="Naaiatelier De Draad",
        description="We leren samen naaien en herstellen.",
        contact_name="Samira Benali",
        contact_email="samira@draad.example",
    )
    page.locator("main input[name=phase]").first.check()
    page.locator("#postcode").press_sequentially("9000")
    page.locator("#place").get_by_text("Gent").wait_for()
    page.locator("#primary_cause").select_option(index=1)
    walk.look().press("Send our application").sees("We have your application")

    operator = Walk(open_page(), axe).sign_in(operator_user.email).go("/operator/admissions")
    operator.press("Admit %(name)s", name="Naaiatelier De Draad")
    link = _mailed_link(operator, "samira@draad.example")
    coordinator = _open_account(open_page, axe, link, "phone")
    coordinator.go("/initiative")
    assert "Naaiatelier De Draad" in coordinator.text()
    again = Walk(open_page(), axe).go(link)
    assert dutch("This link no longer works") in again.text() or "aanvaard" in again.text()


def test_a_company_is_invited_imports_its_staff_and_invites_them(
    session: Session, open_page: Open, axe: Axe
) -> None:
    operator_user = factories.make_operator(session)
    session.commit()
    operator = Walk(open_page(), axe).sign_in(operator_user.email).go("/operator/organisations/invite")
    operator.fill(
        name="Delta Staal", enterprise_number=NUMBER, hr_name="Hanne Peters", hr_email="hanne@delta.example"
    )
    operator.press("Invite this company")
    hr = _open_account(open_page, axe, _mailed_link(operator, "hanne@delta.example"))

    hr.go("/hr/policy").fill(minutes_per_year="16").press("Keep these rules")
    hr.go("/hr/staff/import")
    file = {"name": "personeel.csv", "mimeType": "text/csv", "buffer": STAFF.encode("cp1252")}
    hr.page.locator("main input[type=file]").set_input_files(file)
    hr.press("Show me what it does")
    assert "geen-adres" in hr.text(), "the refused row is shown with what is wrong"
    hr.press("Apply one row").sees("Applied")
    with hr.page.expect_download() as refused:
        hr.page.get_by_role("link", name=dutch("Download the refused rows")).click()
    assert "geen-adres" in refused.value.path().read_text("utf-8-sig")

    hr.go("/hr/staff").follow("Noor Claes").press("Invite %(name)s", name="Noor")
    employee = _open_account(open_page, axe, _mailed_link(hr, "noor@delta.example"), "phone")
    employee.go("/today").go("/pledges/new")
    assert "Delta Staal" in employee.text()


def test_a_forgotten_password_is_replaced_by_mail(session: Session, open_page: Open, axe: Axe) -> None:
    user = factories.make_operator(session)
    session.commit()
    elsewhere = Walk(open_page(), axe).sign_in(user.email)
    walk = Walk(open_page("phone"), axe).go("/sign-in").follow("I forgot my password")
    walk.fill(email=user.email).press("Mail me the link")
    link = _mailed_link(walk, user.email)
    walk.go(link).fill(password=SECRET, again=SECRET).press("Keep this password")
    walk.sign_in(user.email, SECRET)
    assert "/sign-in" not in walk.page.url
    elsewhere.go("/operator")
    assert "/sign-in" in elsewhere.page.url, "who knew the old password is signed out"
    assert dutch("This link no longer works") in Walk(open_page(), axe).go(link).text()


def test_signing_out_everywhere_else_ends_the_other_sessions(
    session: Session, open_page: Open, axe: Axe
) -> None:
    user = factories.make_operator(session)
    session.commit()
    here, there = (Walk(open_page(screen), axe).sign_in(user.email) for screen in ("desktop", "phone"))
    here.go("/account").press("Sign out everywhere else").sees("You are signed out on all other devices.")
    there.go("/account")
    assert "/sign-in" in there.page.url
    here.page.locator(".tb-who").click()
    here.press("Sign out", inside="header").sees("You are signed out.")
    here.go("/account")
    assert "/sign-in" in here.page.url


def test_the_chosen_language_stays(session: Session, open_page: Open, axe: Axe) -> None:
    user = factories.make_operator(session)
    session.commit()
    page = open_page("phone")
    for code in ("fr", "en", "nl"):
        page.goto("/")
        page.locator(f".tb-lang button[lang={code}]").click()
        page.wait_for_load_state()
        Walk(page, axe, language=code).go("/how-it-works")
    page.locator(".tb-lang button[lang=fr]").click()
    page.wait_for_load_state()
    # Signed in, a choice is the account's own: it comes along to another device.
    walk = Walk(page, lambda _: None, language="nl")
    page.goto("/sign-in")
    page.locator("form[action='/sign-in'] #email").fill(user.email)
    page.locator("form[action='/sign-in'] #password").fill("long enough to be a password")
    page.locator("form[action='/sign-in'] #password").press("Enter")
    page.wait_for_url("**/operator*")
    page.locator(".tb-lang button[lang=fr]").click()
    page.wait_for_load_state()
    other = open_page("desktop", language="nl")
    other.goto("/sign-in")
    walk = Walk(other, axe, language="fr")
    other.locator("form[action='/sign-in'] #email").fill(user.email)
    other.locator("form[action='/sign-in'] #password").fill("long enough to be a password")
    other.locator("form[action='/sign-in'] #password").press("Enter")
    other.wait_for_url("**/operator*")
    walk.go("/account")
