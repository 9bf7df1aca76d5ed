"""All tables, for migrations and for whoever needs the whole metadata."""

from timebank import files
from timebank.agreements import models as agreements
from timebank.audit import models as audit
from timebank.auth import models as auth
from timebank.coaching import models as coaching
from timebank.db import Base
from timebank.imports import models as imports
from timebank.jobs import models as jobs
from timebank.ledger import models as ledger
from timebank.matches import models as matches
from timebank.matching import models as matching
from timebank.matching.insight import models as insight
from timebank.notifications import models as notifications
from timebank.organisations import models as organisations
from timebank.pledges import models as pledges
from timebank.reports import models as reports
from timebank.reports.certificates import models as certificates
from timebank.reports.exports import models as exports
from timebank.reports.proof import models as proof
from timebank.scheduler import models as scheduler
from timebank.taxonomy import models as taxonomy

ROOMS = (
    agreements,
    audit,
    auth,
    certificates,
    coaching,
    exports,
    files,
    imports,
    insight,
    jobs,
    ledger,
    matches,
    matching,
    notifications,
    organisations,
    pledges,
    reports,
    proof,
    scheduler,
    taxonomy,
)
metadata = Base.metadata
