"""`pos-discount replay` and `explain`: a recorded decision decided again, and told in words."""

from __future__ import annotations

from typing import Any, NamedTuple

import click
import msgspec

from pos_discount.cli.environment import open_store, read_settings_without_secret
from pos_discount.cli.explanation import explain_decision
from pos_discount.cli.output import Trouble, json_option, print_json, print_table
from pos_discount.decide import Decision, ServedModel, decide
from pos_discount.money import currency_digits
from pos_discount.policy import Policy, read_policy
from pos_discount.pricing import PolicyIndex
from pos_discount.sensitivity import ModelUnreadable, model_from_bytes
from pos_discount.store import ForgottenDecision, KeptDecision, Store, UnknownDecision
from pos_discount.web.recording import Inputs, read_answer, read_inputs


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


@click.command()
@click.argument("decision_ids", metavar="DECISION...", nargs=-1, required=True)
@json_option
def replay(decision_ids: tuple[str, ...], as_json: bool) -> None:
    """Decide each recorded DECISION again from what was recorded with it: does it give the same bytes?

    \b
    Example:
      pos-discount replay dec_01jd6zv3k8n2q4r6t8w0y2a4c6
    """
    results: list[dict[str, object]] = []
    with open_store(read_settings_without_secret()) as store:
        indexes: dict[str, PolicyIndex] = {}
        for decision_id in decision_ids:
            kept = _read(store, decision_id)
            differences = _differences(kept.record.answer, decide_again(store, kept, indexes).answer)
            results.append(
                {
                    "decision_id": decision_id,
                    "same": not differences,
                    "policy_version": kept.record.policy_version,
                    "model_version": kept.record.model_version,
                    "differences": [difference._asdict() for difference in differences],
                }
            )
    print_json(results) if as_json else _print(results)
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
        replayed = decide_again(store, kept, {})
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


def decide_again(store: Store, kept: KeptDecision, indexes: dict[str, PolicyIndex]) -> Replayed:
    """Decide a recorded decision from its own inputs; ``indexes`` keeps policies that were read, by version."""
    inputs = read_inputs(kept.record.inputs)
    if inputs.policy_version not in indexes:
        indexes[inputs.policy_version] = _index(store, inputs.policy_version)
    index, model = indexes[inputs.policy_version], _model(store, inputs.model_version)
    made = decide(inputs.basket, index, model, inputs.known, inputs.now, inputs.seed, inputs.explain)
    return Replayed(inputs, made, msgspec.json.encode(made.answer))


def _index(store: Store, version: str) -> PolicyIndex:
    policy = read_policy({file.name: file.content for file in store.read_policy(version)})
    if not isinstance(policy, Policy):
        raise Trouble(f"policy {version} is not kept whole in this database: {policy}")
    return PolicyIndex(policy)


def _model(store: Store, version: str | None) -> ServedModel | None:
    if version is None:
        return None
    files = store.read_model(version)
    try:
        return ServedModel(version, model_from_bytes(files[0].content if files else b""))
    except ModelUnreadable as error:
        raise Trouble(f"model {version} is not kept whole in this database: {error}") from None


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
