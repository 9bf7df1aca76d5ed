"""The head of the chain by mail: each month once to all of HR, also when somebody asks again and again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matches.arrange import Story, mails_to, story
from timebank import clock
from timebank.books.heads import mail_heads
from timebank.ledger.models import LedgerBook
from timebank.notifications.models import OutboxMessage


def mail(session: Session) -> int:
    sent = mail_heads(session, now=clock.now())
    session.commit()
    return sent


def test_each_month_hr_is_sent_the_head_once(told: Story, session: Session, held_clock: Any) -> None:
    colleague = make.make_hr(session, told.employment.organisation, language="fr")
    session.commit()
    assert (mail(session), mail(session)) == (2, 0)
    [book] = session.scalars(select(LedgerBook))
    for person, subject in ((told.hr, "Ketenkop"), (colleague, "Tête de chaîne")):
        last = mails_to(session, person.email)[-1]
        assert last.subject.startswith(subject) and book.head.hex() in last.body
    held_clock.move(days=21, hours=14)  # 1 April at midnight in Brussels, still March by UTC
    assert (mail(session), mail(session)) == (2, 0)
    assert mails_to(session, told.hr.email)[-1].kind == "ledger.head"


def test_a_book_that_was_begun_this_month_waits_for_the_next(session: Session, held_clock: Any) -> None:
    story(session).start()
    assert mail(session) == 0
    held_clock.move(days=30)
    assert mail(session) == 1


def test_many_mails_are_queued_in_portions(told: Story, session: Session) -> None:
    for _ in range(4):
        make.make_hr(session, told.employment.organisation)
    session.commit()
    counts = []
    for _ in range(4):
        counts.append(mail_heads(session, now=clock.now(), limit=2))
        session.commit()
    assert counts == [2, 2, 1, 0]
    heads = session.scalars(select(OutboxMessage.key).where(OutboxMessage.kind == "ledger.head")).all()
    assert len(heads) == len(set(heads)) == 5
