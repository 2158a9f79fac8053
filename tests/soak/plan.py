"""The rows of the plan, in the order in which they run."""

from __future__ import annotations

from tests.soak.api import HostileRequests
from tests.soak.backups import Backups
from tests.soak.caches import CacheDamage
from tests.soak.citations import Citations
from tests.soak.clients import Clients
from tests.soak.databases import DatabaseDamage
from tests.soak.described import DescribedRequests
from tests.soak.documents import DamagedDocuments
from tests.soak.faults import Faults
from tests.soak.full_disks import FullDisks
from tests.soak.kills import Compound, Kills
from tests.soak.model import Model
from tests.soak.pairs import Pairs
from tests.soak.power import PowerLoss
from tests.soak.rows import Row


def rows(size: str) -> list[Row]:
    """A new object for each."""
    is_small = size == "pr"
    return [
        Kills(stride=10 if is_small else 1),
        Clients(),
        PowerLoss(moments=20 if is_small else 100),
        Faults(),
        FullDisks(),
        Compound(),
        Pairs(),
        Backups(),
        CacheDamage(),
        DatabaseDamage(),
        Model(steps=30 if is_small else 80),
        Citations(),
        DescribedRequests(),
        HostileRequests(),
        DamagedDocuments(),
    ]
