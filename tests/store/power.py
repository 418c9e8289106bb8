"""Plays a loss of power: makes, of what processes asked of their files, the files as a crash could leave them."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

HEADER = struct.Struct("c7xQQQQ")
SECTOR = 512


class Call(NamedTuple):
    """One call: W write, T truncate, S sync begins, E sync ended, U unlink."""

    kind: str
    name: str
    offset: int
    number: int
    data: bytes


@dataclass
class Disk:
    """What is surely on the disk of each file, and what may be: the calls since its last sync."""

    durable: dict[str, bytearray] = field(default_factory=dict)
    unsynced: dict[str, list[Call]] = field(default_factory=dict)
    syncing: dict[int, dict[str, int]] = field(default_factory=dict)


def read_journal(path: Path) -> list[Call]:
    """Read all calls in the order in which they were made."""
    text, place, calls = path.read_bytes(), 0, []
    while place < len(text):
        kind, name_length, offset, length, number = HEADER.unpack_from(text, place)
        place += HEADER.size
        name = text[place : place + name_length].decode()
        place += name_length
        size = length if kind == b"W" else 0
        calls.append(Call(kind.decode(), name, offset, number, text[place : place + size]))
        place += size
    return calls


def lose_power(calls: list[Call], dice: random.Random, target: Path) -> None:
    """Write the files as they might be found had the power gone after these calls: what was synced, and some."""
    disk = Disk()
    for call in calls:
        _take(disk, call)
    for name in set(disk.durable) | set(disk.unsynced):
        content = _survived(disk.durable.get(name), disk.unsynced.get(name, []), dice)
        if content is not None:
            (target / Path(name).name).write_bytes(content)


def _take(disk: Disk, call: Call) -> None:
    if call.kind == "S":
        disk.syncing[call.number] = _covered(disk, call.name)
    elif call.kind == "E":
        for name, calls in disk.syncing.pop(call.number).items():
            content = disk.durable.get(name)
            for earlier in disk.unsynced[name][:calls]:
                content = _apply(content, earlier)
            del disk.unsynced[name][:calls]
            disk.durable.pop(name, None)
            if content is not None:
                disk.durable[name] = content
    else:
        disk.unsynced.setdefault(call.name, []).append(call)


def _covered(disk: Disk, name: str) -> dict[str, int]:
    """Say how many of each file's calls a sync covers: all of its own, or of a folder's files until the unlink."""
    if name in disk.unsynced:
        return {name: len(disk.unsynced[name])}
    unlinks = {
        inside: [number for number, call in enumerate(calls, 1) if call.kind == "U"]
        for inside, calls in disk.unsynced.items()
        if str(Path(inside).parent) == name
    }
    return {inside: numbers[-1] for inside, numbers in unlinks.items() if numbers}


def _survived(durable: bytearray | None, unsynced: list[Call], dice: random.Random) -> bytearray | None:
    """Let each unsynced call have reached the disk or not; of a write perhaps some sectors alone."""
    chance = dice.choice([0.0, 0.0, 0.5, 0.9])
    content = bytearray(durable) if durable is not None else None
    for call in unsynced:
        if call.kind != "W":
            content = _apply(content, call) if dice.random() < chance else content
            continue
        for start in range(0, len(call.data), SECTOR):
            if dice.random() < chance:
                sector = call._replace(offset=call.offset + start, data=call.data[start : start + SECTOR])
                content = _apply(content, sector)
    return content


def _apply(content: bytearray | None, call: Call) -> bytearray | None:
    if call.kind == "U":
        return None
    content = content if content is not None else bytearray()
    if call.kind == "T":
        return bytearray(content[: call.offset].ljust(call.offset, b"\0"))
    end = call.offset + len(call.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[call.offset : end] = call.data
    return content
