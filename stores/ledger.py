"""The ledger on MongoDB: every job, every chunk, the end of every file."""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError

from stores import indexes
from stores.ledger_chunks import LedgerChunks
from stores.ledger_quarantine import LedgerQuarantine
from stores.ledger_scans import LedgerScans
from stores.ledger_upkeep import LedgerUpkeep
from stores.mongo_door import is_over, later, literal, mongo_errors, setting_if
from stores.records import Offer

_OFFER = "offer"


class MongoLedger(LedgerQuarantine, LedgerScans, LedgerChunks, LedgerUpkeep):
    """`stores.doors.Ledger` on a MongoDB server."""

    @mongo_errors()
    def hold(self, part: str, holder: str, lease_s: float) -> bool:
        mine = {"$eq": ["$holder", literal(holder)]}
        lease = {"holder": literal(holder), "until": later(lease_s)}
        try:
            self._parts.update_one({"_id": part}, setting_if({"$or": [mine, is_over("until")]}, lease), upsert=True)
        except DuplicateKeyError:
            return False  # two made the row at once, the other was quicker
        return self._parts.find_one({"_id": part, "holder": holder}) is not None

    @mongo_errors()
    def let_go(self, part: str, holder: str) -> None:
        self._parts.delete_one({"_id": part, "holder": holder})

    @mongo_errors()
    def ping(self) -> None:
        try:
            self._parts.update_one({"_id": "ping"}, {"$currentDate": {"at": True}}, upsert=True)
        except DuplicateKeyError:
            return  # two first pings at once: it can write

    @mongo_errors()
    def announce(self, offer: Offer) -> None:
        said = {"analyzer": offer.analyzer, "roots": list(offer.roots), "key_prefix": offer.key_prefix}
        try:
            self._meta.update_one({"_id": _OFFER}, {"$set": said}, upsert=True)
        except DuplicateKeyError:
            return  # two first gateways at once: the other one has said it

    @mongo_errors()
    def offer(self) -> Offer | None:
        said = self._meta.find_one({"_id": _OFFER})
        return None if said is None else Offer(said["analyzer"], tuple(said["roots"]), said["key_prefix"])

    @mongo_errors()
    def prepare(self) -> None:
        indexes.prepare(self._database)

    @mongo_errors()
    def verify_indexes(self) -> list[str]:
        """After an unclean stop of the embedded server: drop and make again the indexes that miss rows; their names."""
        return indexes.verify(self._database)

    def close(self) -> None:
        """Give the connections back."""
        self._database.client.close()
