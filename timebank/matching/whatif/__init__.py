"""What would a run do with other weights, or with one more coach or seat? Asked by the operator, solved by a job, shown
beside what a run would do now; nothing is proposed."""

from timebank.matching.whatif.service import LANE, Question, ask, discard, find, keep_weights, recent, stop

__all__ = ["LANE", "Question", "ask", "discard", "find", "keep_weights", "recent", "stop"]
