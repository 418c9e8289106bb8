"""Which promotions are given together: the best set of those that are owed, and every set that a cashier could offer.

The owed set is searched exactly, by branch and bound over independent parts of the basket (promotions that may not be
combined or that touch the same lines belong to one part). Work is counted, not timed, so that a search that had to
stop does so at the same place when it is replayed; it then answers with the best found so far and says that it is not
exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pos_discount.pricing.discounts import Applied, Discounts

_WORK_PER_STEP = 5

Positions = tuple[int, ...]
_Worth = tuple[int, int, int]


class Sets:
    """The permitted sets of one basket's promotions, by their positions in the order of application."""

    def __init__(self, discounts: Discounts) -> None:
        self.discounts = discounts
        self._entries = discounts.scan.index.entries
        self._resolves_by_priority = discounts.scan.index.policy.house.resolve == "priority"
        self._best_by_pool: dict[Positions, Positions] = {(): ()}
        self._lines_by_position: dict[int, int] = {}
        self._lines_by_slot: dict[int, int] = {}
        self._list_total_by_slots: dict[tuple[int, ...], int] = {}

    def best(self, pool: Positions) -> Positions:
        """Return the set that the base's rule picks from promotions in order of application; each gives something in
        it."""
        best = self._best_by_pool.get(pool)
        if best is None:
            find = self._by_priority if self._resolves_by_priority else self._best_for_customer
            best = self._best_by_pool[pool] = find(pool)
        return best

    def permitted(self, pool: Positions, most: int) -> Iterator[Positions]:
        """Yield every permitted set of 1 to ``most`` promotions, as far as the work allows.

        Those that save least alone come first, and smaller sets before larger ones, so that the smallest is among
        those found even where the work runs out.
        """
        for number, position in enumerate(sorted(pool, key=self._worth_alone)):
            if number and not self._may_go_on():
                return
            yield (position,)
        partners = [position for position in pool if self._entries[position].can_combine]
        frontier: list[tuple[Positions, list[int]]] = [((p,), self._partners(p, partners)) for p in partners]
        for _ in range(most - 1):
            larger: list[tuple[Positions, list[int]]] = []
            for chosen, others in frontier:
                for other in others:
                    if not self._may_go_on():
                        return
                    grown = (*chosen, other)
                    yield grown
                    larger.append((grown, self._partners(other, others)))
            frontier = larger

    def combining_with_all(self, pool: Positions, chosen: Positions) -> Positions:
        """Return those of a pool that combine with each of the chosen promotions."""
        entries = self._entries
        self.discounts.work_left -= len(pool)
        for other in chosen:
            entry = entries[other]
            pool = tuple([p for p in pool if entry.combines(entries[p])]) if entry.can_combine else ()
        return pool

    def _worth_alone(self, position: int) -> int:
        alone = self.discounts.alone(position)
        return alone.saving + alone.present_value if isinstance(alone, Applied) else 0

    def _may_go_on(self, *, begun: bool = False) -> bool:
        """Count a step and tell whether there is work left for it; what has begun may overdraw."""
        self.discounts.work_left -= _WORK_PER_STEP
        may = not self.discounts.is_overdrawn if begun else self.discounts.work_left >= 0
        self.discounts.is_exact &= may
        return may

    def _partners(self, position: int, others: Sequence[int]) -> list[int]:
        entries = self._entries
        entry = entries[position]
        return [other for other in others if other > position and entry.combines(entries[other])]

    def _by_priority(self, pool: Positions) -> Positions:
        done: Positions = ()
        applied: tuple[Applied, ...] = ()
        for position in pool:
            if not self._may_go_on(begun=True):
                break
            if all(self._entries[position].combines(self._entries[other]) for other in done):
                following = self.discounts.after(done, applied, position)
                if isinstance(following, Applied):
                    done, applied = (*done, position), (*applied, following)
        return done

    def _best_for_customer(self, pool: Positions) -> Positions:
        parts = sorted(self._independent_parts(pool), key=len)  # so that a hard part starves no easy one
        found = [position for part in parts for position in self._search(part)]
        return tuple(sorted(found))

    def _independent_parts(self, pool: Positions) -> list[Positions]:
        parts: list[list[int]] = []
        for position in pool:
            joined = [part for part in parts if any(self._interact(position, other) for other in part)]
            parts = [part for part in parts if part not in joined]
            parts.append([*(other for part in joined for other in part), position])
        return [tuple(sorted(part)) for part in parts]

    def _interact(self, position: int, other: int) -> bool:
        if not self._entries[position].combines(self._entries[other]):
            return True
        return bool(self._lines(position) & self._lines(other))

    def _lines(self, position: int) -> int:
        """Return the lines on which a promotion and others can change each other's result, as a bit mask."""
        mask = self._lines_by_position.get(position)
        if mask is None:
            mask = 0
            for slot in self._entries[position].footprint:
                mask |= self._lines_of(slot)
            self._lines_by_position[position] = mask
        return mask

    def _lines_of(self, slot: int) -> int:
        mask = self._lines_by_slot.get(slot)
        if mask is None:
            lines = self.discounts.scan.lines_by_slot.get(slot, ())
            mask = self._lines_by_slot[slot] = sum([1 << line for line in lines])
        return mask

    def _search(self, pool: Positions) -> Positions:
        """Find the best set of one part, depth first in order of application, leaving out what cannot beat the best
        so far."""
        if len(pool) == 1:
            gives = self._may_go_on(begun=True) and isinstance(self.discounts.alone(pool[0]), Applied)
            return pool if gives else ()
        search = _Search({position: self._most(position, pool) for position in pool})
        self._extend(search, (), (), (0, 0, 0), pool)
        return search.best[1]

    def _extend(
        self, search: _Search, done: Positions, applied: tuple[Applied, ...], worth: _Worth, rest: Sequence[int]
    ) -> None:
        most_by_position = search.most_by_position
        saving = worth[0] + sum([most_by_position[other] for other in rest])
        presents = worth[1] + sum([self._entries[other].present_value for other in rest])
        for index, position in enumerate(rest):
            if (saving, presents, worth[2] + len(rest) - index) <= search.best[0]:
                return
            if not self._may_go_on(begun=not search.has_one):
                return
            following = self.discounts.after(done, applied, position)
            if isinstance(following, Applied):
                grown = worth[0] + following.saving, worth[1] + following.present_value, worth[2] + 1
                if grown > search.best[0]:
                    search.best = grown, (*done, position)
                partners = self._partners(position, rest[index:])
                self._extend(search, (*done, position), (*applied, following), grown, partners)
                search.has_one = True
            saving -= most_by_position[position]
            presents -= self._entries[position].present_value

    def _most(self, position: int, pool: Positions) -> int:
        """Return more than which a promotion cannot save in any set of the pool.

        Without a choice that others can change, what is left only shrinks what it saves alone. Floors can shift a
        minor unit from line to line, so they add as much slack as there are lines.
        """
        entry, scan = self._entries[position], self.discounts.scan
        competes = entry.uses_units and any(
            other != position and self._entries[other].uses_units and self._lines(position) & self._lines(other)
            for other in pool
        )
        if self.discounts.is_moved(entry) or competes:
            most = self._list_total(entry.target_slots)
            return most if entry.promotion.cap is None else min(most, entry.promotion.cap)
        alone = self.discounts.alone(position)
        return (alone.saving if isinstance(alone, Applied) else 0) + (len(scan.counted) if scan.min_prices else 0)

    def _list_total(self, slots: tuple[int, ...]) -> int:
        """Return what the lines of some ranges cost together at list price."""
        total = self._list_total_by_slots.get(slots)
        if total is None:
            scan = self.discounts.scan
            lines = {line for slot in set(slots) for line in scan.lines_by_slot.get(slot, ())}
            total = self._list_total_by_slots[slots] = sum([scan.list_totals[line] for line in lines])
        return total


class _Search:
    """How far a search has come: the best set, and whether one was found; whatever the work, a first one is, each that
    combines in order.

    A function within the search would know itself, and keep all that was priced until a garbage collection.
    """

    __slots__ = ("best", "has_one", "most_by_position")

    def __init__(self, most_by_position: dict[int, int]) -> None:
        self.most_by_position = most_by_position
        self.best: tuple[_Worth, Positions] = ((0, 0, 0), ())
        self.has_one = False
