"""Long work: asked for once, done by one worker, given back when that worker dies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from timebank import clock, db
from timebank.errors import NotFound
from timebank.jobs import service
from timebank.jobs.models import Job, JobState


def ask(key: str = "k", **over):
    values = {"kind": "test.work", "key": key, "payload": {"n": 1}, "now": clock.now(), **over}
    with db.unit_of_work() as session:
        return service.enqueue(session, **values)


def job_of(public_id) -> Job:
    with db.read_session() as session:
        return service.find(session, public_id)


@pytest.fixture(autouse=True)
def _database(app):
    with app.app_context():
        yield


@pytest.fixture
def done():
    """What the handler was given."""
    given = []

    @service.handler("test.work")
    def work(public_id, payload):
        given.append(payload)
        return {"rows": len(given)}

    yield given
    service._handlers.pop("test.work")


def test_a_job_is_done_and_its_result_kept(done):
    job = ask(payload={"n": 7})
    assert service.run_next(clock.now()).public_id == job.public_id
    after = job_of(job.public_id)
    assert (after.state, after.progress, after.result) == (JobState.DONE, 100, {"rows": 1})
    assert done == [{"n": 7}]
    assert service.run_next(clock.now()) is None


@pytest.mark.both
def test_of_one_key_one_job_is_live(database_kind):
    first, second = ask(), ask()
    assert first.public_id == second.public_id
    claimed = service.claim(clock.now())
    assert ask().public_id == first.public_id
    service.finish(claimed, {}, clock.now())
    assert ask().public_id != first.public_id


@pytest.mark.both
def test_four_workers_claim_each_job_once(database_kind):
    for n in range(20):
        ask(f"k{n}")

    def work(_worker):
        mine = []
        while job := service.claim(clock.now()):
            mine.append(job.public_id)
        return mine

    with ThreadPoolExecutor(4) as pool:
        claimed = [public_id for mine in pool.map(work, range(4)) for public_id in mine]
    assert len(claimed) == len(set(claimed)) == 20


@pytest.mark.both
def test_four_who_ask_at_once_get_one_job(database_kind):
    with ThreadPoolExecutor(4) as pool:
        jobs = list(pool.map(lambda _n: ask().public_id, range(4)))
    assert len(set(jobs)) == 1


@pytest.mark.both
def test_a_job_of_a_dead_worker_comes_back_and_fails_in_the_end(database_kind):
    job = ask()
    now = clock.now()
    for attempt in range(1, service.MOST_ATTEMPTS + 1):
        assert service.claim(now).attempt == attempt
        assert service.claim(now + service.SILENCE - timedelta(seconds=1)) is None
        now += service.SILENCE + timedelta(seconds=1)
    assert service.claim(now) is None
    after = job_of(job.public_id)
    assert after.state == JobState.FAILED
    assert after.finished_at == now


def test_a_worker_that_was_thought_dead_cannot_finish_the_job_of_another():
    job = ask()
    first = service.claim(clock.now())
    second = service.claim(clock.now() + service.SILENCE * 2)
    assert second.public_id == first.public_id
    assert not service.finish(first, {"who": "first"}, clock.now())
    assert service.finish(second, {"who": "second"}, clock.now())
    assert job_of(job.public_id).result == {"who": "second"}


def test_a_sign_of_progress_keeps_the_job():
    now = clock.now()
    job = ask(run_after=now - service.SILENCE)
    service.claim(now - service.SILENCE)
    service.progress(job.public_id, 40)
    assert service.claim(now + timedelta(seconds=30)) is None
    assert job_of(job.public_id).progress == 40


def test_a_waiting_job_is_cancelled_at_once(done):
    job = ask()
    with db.unit_of_work() as session:
        service.cancel(session, job.public_id, now=clock.now())
    assert job_of(job.public_id).state == JobState.CANCELLED
    assert service.run_next(clock.now()) is None
    assert done == []


def test_a_running_job_stops_at_its_next_sign_of_progress():
    job = ask()

    @service.handler("test.work")
    def work(public_id, payload):
        with db.unit_of_work() as session:
            service.cancel(session, public_id, now=clock.now())
        service.progress(public_id, 50)
        raise AssertionError("it went on")

    service.run_next(clock.now())
    service._handlers.pop("test.work")
    assert job_of(job.public_id).state == JobState.CANCELLED


def test_an_error_fails_the_job_with_a_line():
    job = ask()

    @service.handler("test.work")
    def work(public_id, payload):
        raise ValueError("the file is torn")

    service.run_next(clock.now())
    service._handlers.pop("test.work")
    after = job_of(job.public_id)
    assert (after.state, after.error) == (JobState.FAILED, "ValueError: the file is torn")


def test_a_job_nobody_can_do_fails():
    job = ask(kind="test.unknown")
    service.run_next(clock.now())
    assert job_of(job.public_id).state == JobState.FAILED


def test_a_job_for_later_waits(done):
    ask(run_after=clock.now() + timedelta(hours=1))
    assert service.claim(clock.now()) is None
    assert service.claim(clock.now() + timedelta(hours=2)) is not None


def test_a_finished_job_cannot_be_cancelled(done):
    job = ask()
    service.run_next(clock.now())
    with db.unit_of_work() as session:
        service.cancel(session, job.public_id, now=clock.now())
    assert job_of(job.public_id).state == JobState.DONE


def test_somebody_elses_job_is_not_found():
    job = ask()
    with db.unit_of_work() as session, pytest.raises(NotFound):
        service.cancel(session, job.public_id, now=clock.now(), requested_by_id=4711)
    with db.read_session() as session, pytest.raises(NotFound):
        service.find(session, job.public_id, requested_by_id=4711)


@pytest.mark.both
def test_a_lane_of_its_own_waits_for_no_other(done, database_kind):
    @service.handler("test.fast", lane="fast")
    def work(public_id, payload):
        return None

    try:
        slow, quick = ask("slow"), ask("quick", kind="test.fast")
        assert service.run_next(clock.now(), "fast").public_id == quick.public_id
        assert service.run_next(clock.now(), "fast") is None
        assert service.run_next(clock.now()).public_id == slow.public_id
    finally:
        service._handlers.pop("test.fast")
        service._lanes.pop("test.fast")


def test_what_waits_of_a_kind_can_be_dropped(done):
    ask("a"), ask("b")
    running = service.claim(clock.now())
    with db.unit_of_work() as session:
        assert service.forget_queued(session, "test.work") == 1
    assert job_of(running.public_id).state == JobState.RUNNING
