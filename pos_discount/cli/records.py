"""`pos-discount replay` and `explain`: a recorded decision decided again, and told in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import click
import msgspec

from pos_discount.cli.environment import open_store, read_settings_without_secret
from pos_discount.cli.explanation import explain_decision
from pos_discount.cli.output import Trouble, json_option, print_json, print_table, with_progress
from pos_discount.decide import Decision, ServedModel, decide
from pos_discount.money import currency_digits
from pos_discount.policy import Policy, read_policy
from pos_discount.pricing import PolicyIndex
from pos_discount.recording import Inputs, read_answer, read_inputs
from pos_discount.sensitivity import ModelUnreadable, model_from_bytes
from pos_discount.store import ForgottenDecision, KeptDecision, Store, UnknownDecision


class Difference(NamedTuple):
    """A place in the answer where deciding again gives something else."""

    pointer: str
    recorded: object
    replayed: object


class Replayed(NamedTuple):
    """A recorded decision with what it was made from, decided again."""

    inputs: Inputs
    decision: Decision
    answer: bytes


class KeptVersions:
    """The policies and models that ever decided, each read once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._index_by_version: dict[str, PolicyIndex] = {}
        self._model_by_version: dict[str, ServedModel] = {}

    def decide_again(self, kept: KeptDecision) -> Replayed:
        """Decide a recorded decision from its own inputs; `Trouble` where its policy or model is not kept whole."""
        inputs = read_inputs(kept.record.inputs)
        index, model = self.index(inputs.policy_version), self._model(inputs.model_version)
        made = decide(inputs.basket, index, model, inputs.known, inputs.now, inputs.seed, inputs.explain)
        return Replayed(inputs, made, msgspec.json.encode(made.answer))

    def index(self, version: str) -> PolicyIndex:
        """Return a policy that ever decided; `Trouble` where it is not kept whole."""
        if version not in self._index_by_version:
            policy = read_policy({file.name: file.content for file in self.store.read_policy(version)})
            if not isinstance(policy, Policy):
                raise Trouble(f"policy {version} is not kept whole in this database: {policy}")
            self._index_by_version[version] = PolicyIndex(policy)
        return self._index_by_version[version]

    def _model(self, version: str | None) -> ServedModel | None:
        if version is None:
            return None
        if version not in self._model_by_version:
            files = self.store.read_model(version)
            try:
                model = model_from_bytes(files[0].content if files else b"", version)
            except ModelUnreadable as error:
                raise Trouble(f"model {version} is not kept whole in this database: {error}") from None
            self._model_by_version[version] = ServedModel(version, model)
        return self._model_by_version[version]


@click.command()
@click.argument("decision_ids", metavar="DECISION...", nargs=-1)
@click.option(
    "--all", "every", is_flag=True, help="Replay every decision that is kept; tell only of those that differ."
)
@json_option
def replay(decision_ids: tuple[str, ...], every: bool, as_json: bool) -> None:
    """Decide each recorded DECISION again from what was recorded with it: does it give the same bytes?

    \b
    Example:
      pos-discount replay dec_01jd6zv3k8n2q4r6t8w0y2a4c6
    """
    if every == bool(decision_ids):
        raise click.UsageError("name the decisions, or give --all")
    with open_store(read_settings_without_secret()) as store:
        versions, results, count = KeptVersions(store), list[dict[str, Any]](), 0
        for decision_id in with_progress(_every_decision(store) if every else decision_ids, "decisions"):
            result = _compare_again(versions, decision_id)
            count += 1
            if not (every and result["same"]):
                results.append(result)
    print_json(results) if as_json else _print(results)
    if every and not as_json:
        click.echo(f"{count} decisions replayed, {len(results)} of them differ")
    raise SystemExit(0 if all(result["same"] for result in results) else 1)


@click.command()
@click.argument("decision_id", metavar="DECISION")
@json_option
def explain(decision_id: str, as_json: bool) -> None:
    """Tell in words why each rung of DECISION's ladder is there, and why in that order.

    \b
    Example:
      pos-discount explain dec_01jd6zv3k8n2q4r6t8w0y2a4c6
    """
    with open_store(read_settings_without_secret()) as store:
        kept = _read(store, decision_id)
        replayed = KeptVersions(store).decide_again(kept)
    answer = read_answer(kept.record.answer)
    sentences = explain_decision(
        replayed.inputs, answer, replayed.decision.choice, kept, currency_digits(answer.currency)
    )
    if as_json:
        print_json({"decision_id": decision_id, "sentences": sentences})
    else:
        click.echo("\n".join(sentences))


def _read(store: Store, decision_id: str) -> KeptDecision:
    try:
        return store.read_decision(decision_id)
    except (UnknownDecision, ForgottenDecision) as error:
        raise Trouble(f"{decision_id}: {error}") from None


def _every_decision(store: Store) -> Iterator[str]:
    return (checkout.decision_id for block in store.read_checkouts() for checkout in block)


def _compare_again(versions: KeptVersions, decision_id: str) -> dict[str, Any]:
    kept = _read(versions.store, decision_id)
    differences = _differences(kept.record.answer, versions.decide_again(kept).answer)
    return {
        "decision_id": decision_id,
        "same": not differences,
        "policy_version": kept.record.policy_version,
        "model_version": kept.record.model_version,
        "differences": [difference._asdict() for difference in differences],
    }


def _differences(recorded: bytes, replayed: bytes) -> list[Difference]:
    if recorded == replayed:
        return []
    differences = _compare("", msgspec.json.decode(recorded), msgspec.json.decode(replayed))
    return differences or [Difference("", "the same values", "in other bytes")]


def _compare(pointer: str, recorded: Any, replayed: Any) -> list[Difference]:
    if isinstance(recorded, dict) and isinstance(replayed, dict):
        names = [*recorded, *(name for name in replayed if name not in recorded)]
        pairs = [(f"{pointer}/{name}", recorded.get(name), replayed.get(name)) for name in names]
    elif isinstance(recorded, list) and isinstance(replayed, list) and len(recorded) == len(replayed):
        pairs = [(f"{pointer}/{number}", *pair) for number, pair in enumerate(zip(recorded, replayed, strict=True))]
    else:
        return [] if recorded == replayed else [Difference(pointer, recorded, replayed)]
    return [difference for pair in pairs for difference in _compare(*pair)]


def _print(results: list[dict[str, Any]]) -> None:
    for result in results:
        model = result["model_version"] or "no model"
        word = "the same bytes" if result["same"] else "DIFFERENT"
        click.echo(f"{result['decision_id']}: {word} ({result['policy_version']}, {model})")
        if result["differences"]:
            rows = [(d["pointer"], d["recorded"], d["replayed"]) for d in result["differences"]]
            print_table("What differs", ("where", "recorded", "decided again"), rows)
