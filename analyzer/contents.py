"""Which content an object had, or a file of a ledger that has no file system for an index: a receipt for each.

Its name is the digest of the address and of the stamp, so it is written once and never changes:
an object whose size and ETag are those of before is not fetched again to be known.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from analyzer.addresses import place_of
from analyzer.errors import LogError
from analyzer.index import Stamp
from analyzer.store import Store, digest_of

KIND = "contents"


@dataclass(frozen=True)
class Contents:
    """What is known of files and objects in the receipts of a ledger."""

    store: Store

    def known(self, paths: Iterable[str]) -> dict[str, tuple[Stamp, str]]:
        """Return stamp and SHA-256 of those that are as they were."""
        names = list(paths)
        found = self.store.each(self._known, names)
        return {name: entry for name, entry in zip(names, found, strict=True) if entry is not None}

    def remember(self, path: str, stamp: Stamp, sha256: str) -> None:
        """Note what one holds."""
        self.store.commit(KIND, _key(path, stamp), {"path": place_of(path), "sha256": sha256})

    def _known(self, path: str) -> tuple[Stamp, str] | None:
        """Return stamp and SHA-256 of one, null where it is new or changed, or cannot be had."""
        try:
            stamp = Stamp.of(path)
        except (OSError, LogError):
            return None
        key = _key(path, stamp)
        receipt = self.store.receipt(KIND, key)
        if receipt is None:
            return None
        if not isinstance(receipt.get("sha256"), str):
            self.store.receipt_is_bad(KIND, key)
            return None
        return stamp, receipt["sha256"]


def _key(path: str, stamp: Stamp) -> str:
    """Return the name of what is known of a file as it is."""
    return digest_of(KIND, place_of(path), asdict(stamp))
