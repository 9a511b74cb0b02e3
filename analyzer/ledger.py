"""A ledger: it keeps what was read and judged, so that a run does only what is new or changed."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from analyzer.addresses import is_object
from analyzer.contents import Contents
from analyzer.engines import Engine
from analyzer.errors import LedgerError, LogError
from analyzer.index import Index, Stamp, now_ns, stamped
from analyzer.keeping import Keeper
from analyzer.kept_tasks import grouped, tasks_by_log
from analyzer.logs import Part, PartSize, Plan, ReadOptions, Remark, States, companions, is_url, read_states, sha256_of
from analyzer.places import FolderPlace
from analyzer.planning import Plans
from analyzer.pool import cores
from analyzer.shelf import KeptFile, KeptLog, Shelf, reading_key
from analyzer.store import BAD, Store, digest_of
from analyzer.tasks import Common, SliceTask
from analyzer.tool import tool

LOOKED_AT = 4
"""Past runs whose groups of small logs are looked at: several may be made in turn on one ledger."""

TRIES = 3
"""How often a file that changes while it is read is read again."""


@dataclass
class Ledger:
    """A ledger in use by one run; `past` (of a run that is made again) says what the logs were.

    `past_errors` are the logs that it could not read, `past_join` a copy of the file that it
    joined, `past_groups` the small logs that shared a task (null: those of the last runs). `keeper`
    is who did the tasks of this run, `logs` the logs by their path, `groups` those that share a task, once known,
    `how` the digest of how they are read, `remarks` what is said of things beside the logs.
    """

    store: Store
    past: Mapping[str, KeptLog] | None = None
    tool: Mapping[str, str] = field(default_factory=tool)
    keeper: Keeper | None = None
    logs: dict[str, KeptLog] = field(default_factory=dict)
    past_errors: Mapping[str, str] = field(default_factory=dict)
    past_join: Path | None = None
    how: str = ""
    past_groups: Sequence[Sequence[str]] | None = None
    groups: list[list[str]] = field(default_factory=list)
    remarks: tuple[Remark, ...] = ()

    @staticmethod
    def at(where: Path | str) -> "Ledger":
        """Return the ledger in a folder or below an address of object storage, made where there is none."""
        store = Store.at(where)
        store.open()
        return Ledger(store)

    def plans(self, paths: Sequence[str], options: ReadOptions, plan: Callable[[str], Plan]) -> Plans:
        """Return how each log is divided, and the reasons of those that cannot be read."""
        self._learn(paths, options)
        plans: list[Plan] = []
        failed: dict[str, str] = {}
        for path, found in zip(paths, self._planned(paths, plan), strict=True):
            if isinstance(found, Plan):
                plans.append(found)
            else:
                failed[path] = str(found)
        return plans, failed

    def hashes(self, plans: Sequence[Plan]) -> list[str | None]:
        """Return the SHA-256 of each log."""
        return [self.logs[plan.path].sha256 for plan in plans]

    def shelf(self, plans: Sequence[Plan]) -> Shelf:
        """Return the records of these logs."""
        return Shelf(self.store, {file: self.logs[plan.path] for file, plan in enumerate(plans)})

    def tasks(self, plans: Sequence[Plan], alone: Collection[int] = ()) -> list[SliceTask]:
        """Return the tasks of a run; small logs but for `alone` share one with those they shared it with before."""
        names = [self.logs[plan.path].key for plan in plans]
        past = self._last_groups() if self.past_groups is None else self.past_groups
        groups = grouped(plans, names, past, alone)
        self.groups = [[names[file] for file in group] for group in groups]
        return tasks_by_log(plans, groups)

    def _last_groups(self) -> list[list[str]]:
        """Return the groups of the last runs, the latest first."""
        return [group for run in reversed(self.store.runs(LOOKED_AT)) for group in groups_of(run)]

    def runner(self, pool: Engine, common: Common) -> Keeper:
        """Return who does the tasks of a run."""
        if common.shelf is None:
            raise LedgerError("what is kept needs a ledger")
        other_tool = dict(tool()) != dict(self.tool)
        self.keeper = Keeper(pool, common, common.shelf, dict(self.tool), found_only=other_tool)
        return self.keeper

    def states(self, path: Path, options: ReadOptions) -> States:
        """Return the states of a file to join; of a past run those that it joined, under the path of then."""
        if self.past_join is None:
            return read_states(path, options)
        found = read_states(self.past_join, options)
        remarks = (replace(r, subject=str(path)) if r.subject == found.path else r for r in found.remarks)
        return replace(found, path=str(path), remarks=tuple(remarks))

    def known_paths(self) -> list[str]:
        """Return the paths of the logs of a run that is made again."""
        return sorted(self.past or ())

    @property
    def damaged(self) -> list[str]:
        """Return the files of the ledger that were found to be damaged, and made again."""
        return sorted({*self.store.damaged, *(self.keeper.damaged if self.keeper else ())})

    def _learn(self, paths: Sequence[str], options: ReadOptions) -> None:
        """Learn what each log holds; one that cannot be opened, or is an object to be fetched, is left to `_plan`."""
        if any(is_url(path) and not is_object(path) for path in paths):
            raise LedgerError("--ledger cannot tell whether a URL changed; download the logs first (s3:// is known)")
        if self.past is not None:
            self.logs = dict(self.past)
            return
        self.how = digest_of(reading_key(options), asdict(PartSize()), dict(self.tool))
        files = {path: (path, *companions(path)) for path in paths}
        contents = self._contents(sorted({file for own in files.values() for file in own}))
        for path, own in files.items():
            if all(file in contents for file in own):
                self.logs[path] = _kept_log(path, [contents[file] for file in own], self.how)

    def _contents(self, paths: Sequence[str]) -> dict[str, KeptFile]:
        """Return what files hold that can be read, known ones without being read, and what known objects do."""
        objects = [path for path in paths if is_object(path)]
        files = [path for path in paths if not is_object(path)]
        known = Contents(self.store).known(objects)
        found = {path: KeptFile(path, *entry, settled=True) for path, entry in known.items()}
        return found | (self._files(files) if files else {})

    def _files(self, paths: Sequence[str]) -> dict[str, KeptFile]:
        """Return what all files hold that can be read, of known ones without reading them."""
        place, receipts = self.store.place, Contents(self.store)
        index = Index(place.root, self._past_contents, self.store.note) if isinstance(place, FolderPlace) else None
        known = (index or receipts).known(paths)
        with ThreadPoolExecutor(cores()) as threads:
            read = dict(zip(paths, threads.map(lambda p: None if p in known else _content(p), paths), strict=True))
        contents = {path: content for path, content in read.items() if content}
        settled = [(path, content.stamp, content.sha256) for path, content in contents.items() if content.settled]
        if index is not None:
            index.remember(settled)
        else:
            self.store.each(lambda entry: receipts.remember(*entry), settled)
        return contents | {path: KeptFile(path, *entry, settled=True) for path, entry in known.items()}

    def _past_contents(self) -> Iterator[tuple[str, Stamp, str]]:
        """Yield what past runs knew of files."""
        for manifest in self.store.runs():
            files = (file for log in manifest["logs"] for file in log["files"] if file["settled"])
            entries = ((file["place"], stamped(file["stamp"]), file["sha256"]) for file in files)
            yield from (entry for entry in entries if not entry[1].etag)

    def _planned(self, paths: Sequence[str], plan: Callable[[str], Plan]) -> list[Plan | LogError]:
        """Return how each log is divided, or why it cannot be read; of new objects some are fetched at a time."""
        kept = dict(zip(paths, self.store.each(self._kept_plan, paths), strict=True))

        def planned(path: str) -> Plan | LogError:
            try:
                return self._plan(path, plan)
            except LogError as error:
                return error

        objects = [path for path in paths if kept[path] is None and is_object(path)]
        with ThreadPoolExecutor(cores()) as threads:
            fetched = dict(zip(objects, threads.map(planned, objects), strict=True))
        return [kept[path] or fetched.get(path) or planned(path) for path in paths]

    def _kept_plan(self, path: str) -> Plan | None:
        """Return how a known log is divided, null where that is not kept."""
        log = None if path in self.past_errors else self.logs.get(path)
        receipt = None if log is None else self.store.receipt("plans", log.key)
        if log is None or receipt is None:
            return None
        try:
            return _plan_from(log, receipt["plan"])
        except BAD:
            self.store.receipt_is_bad("plans", log.key)
            return None

    def _plan(self, path: str, plan: Callable[[str], Plan]) -> Plan:
        """Return how a log is divided that is not planned yet; a new object is fetched for it."""
        if path in self.past_errors:
            raise LogError(self.past_errors[path])
        if path not in self.logs and is_object(path) and self._fetched(path) and (kept := self._kept_plan(path)):
            return kept
        log = self.logs.get(path)
        if log is None:
            plan(path)  # says why not
            raise LogError(f"{path}: was changed while it was read; analyze again when it is complete")
        log.refuse_changed()
        made = plan(path)
        log.refuse_changed()
        self.store.commit("plans", log.key, {"plan": {**asdict(made), "path": "", "files": (), "version": ""}})
        return replace(made, version=log.version)

    def _fetched(self, path: str) -> bool:
        """Learn what a new object holds, and note it; return whether it could be fetched."""
        content = _content(path)
        if content is not None:
            Contents(self.store).remember(path, content.stamp, content.sha256)
            self.logs[path] = _kept_log(path, [content], self.how)
        return content is not None


def groups_of(manifest: Mapping[str, Any]) -> list[list[str]]:
    """Return the logs that shared a task in a run, by their keys."""
    keys = [log["key"] for log in manifest["logs"]]
    return [[keys[number] for number in group] for group in manifest.get("groups", ())]


def _plan_from(log: KeptLog, plain: Mapping[str, Any]) -> Plan:
    """Return a plan from plain data."""
    files = tuple(file.path for file in log.files[1:])
    own = {"path": log.path, "files": files, "version": log.version}
    return Plan(**{**plain, **own, "parts": tuple(Part(**part) for part in plain["parts"])})


def _kept_log(path: str, files: Sequence[KeptFile], how: str) -> KeptLog:
    """Return a log by what its files hold; it has the hash that the outputs name."""
    lines = [f"{file.sha256}  {Path(file.path).name}\n" for file in files]
    several = len(files) > 1
    sha256 = hashlib.sha256("".join(lines).encode()).hexdigest() if several else files[0].sha256
    name = "/".join(Path(path).resolve().parts[-2:]) if several else Path(path).name
    return KeptLog(path, digest_of("log", sha256, name, how), sha256, tuple(files))


def _content(path: str) -> KeptFile | None:
    """Return what a file holds, null where it cannot be read or does not stay the same."""
    for _ in range(TRIES):
        try:
            before_ns, stamp = now_ns(), Stamp.of(path)
            sha256 = sha256_of(path, version=stamp.etag or None)
            if sha256 is not None and Stamp.of(path) == stamp:
                return KeptFile(path, stamp, sha256, stamp.settled(before_ns))
        except (OSError, LogError):
            return None
    return None
