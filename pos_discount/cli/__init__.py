"""The `pos-discount` command. Hides where each command lives: a module is imported when its command is called for.

Listing the commands must be instant, so the one-line helps stand here and nothing heavy is imported for them. Exit
codes are the same everywhere: 0 done, 1 found problems, 2 used wrongly.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import click

import pos_discount


class Late(NamedTuple):
    """Where a command is found, and the line that a list of commands shows for it."""

    target: str
    short_help: str


class LateGroup(click.Group):
    """A group that imports a command only when it is called, and lists all without importing any."""

    def __init__(self, *args: Any, late: dict[str, Late], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # click's own arguments, handed on
        self.late = late

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which they are declared."""
        return list(self.late)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command that is called for, or return None for a name that there is not."""
        if cmd_name not in self.late:
            return None
        module, _, attribute = self.late[cmd_name].target.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with the lines that are declared with them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, late.short_help) for name, late in self.late.items()])


_POLICY = {
    "check": Late("pos_discount.cli.policy:check", "Say what is wrong or doubtful in a policy."),
    "test": Late("pos_discount.cli.policy_test:test", "Run the examples that stand beside the promotions."),
    "schema": Late(
        "pos_discount.cli.policy:schema", "Print a JSON Schema that makes an editor complete and underline."
    ),
    "replay": Late("pos_discount.cli.policy_replay:replay", "Try the policy on imported receipts: what would it give?"),
    "diff": Late(
        "pos_discount.cli.policy_replay:diff", "Compare two policies on imported receipts: who gains, who loses?"
    ),
    "pause": Late("pos_discount.cli.policy_pause:pause", "Stop one promotion at every till within two seconds."),
    "resume": Late("pos_discount.cli.policy_pause:resume", "Let a paused promotion apply again."),
}

_KEYS = {
    "create": Late("pos_discount.cli.keys:create", "Make a key and show it, this once."),
    "list": Late("pos_discount.cli.keys:list_keys", "List the keys, without their secrets."),
    "revoke": Late("pos_discount.cli.keys:revoke", "Take a key back; it is refused within a minute."),
}

_MODEL = {
    "list": Late("pos_discount.cli.model:list_models", "List the models that are kept."),
    "show": Late("pos_discount.cli.model:show", "Show a model's card, its segments and its night."),
    "activate": Late("pos_discount.cli.model:activate", "Put a kept model in force at every till."),
    "rollback": Late("pos_discount.cli.model:rollback", "Put back in force what was before the present model."),
}

policy_group = LateGroup("policy", late=_POLICY, help="Check, test, try and pause what merchandisers wrote.")
model_group = LateGroup("model", late=_MODEL, help="See, choose and take back the models that decide.")
keys_group = LateGroup("keys", late=_KEYS, help="Make, list and revoke the keys with which tills sign in.")

_COMMANDS = {
    "serve": Late("pos_discount.cli.serve:serve", "Serve the HTTP API; with --demo, show a till's first call."),
    "decide": Late("pos_discount.cli.decide:decide", "Price one basket from a file and print its ladder."),
    "policy": Late("pos_discount.cli:policy_group", "Check, test, try and pause what merchandisers wrote."),
    "retrain": Late(
        "pos_discount.cli.retrain:retrain_command", "Learn from what is new; publish what the gate lets pass."
    ),
    "model": Late("pos_discount.cli:model_group", "See, choose and take back the models that decide."),
    "simulate": Late("pos_discount.cli.simulate:simulate", "Play shoppers against it, and measure what it is worth."),
    "report": Late(
        "pos_discount.cli.report:report",
        "Measure what learning was worth against the hold-out, by segment, promotion and store.",
    ),
    "import": Late("pos_discount.cli.importing:import_receipts", "Import receipts from CSV, to try policies on."),
    "export": Late("pos_discount.cli.export:export", "Export decisions and outcomes, or all about one customer."),
    "replay": Late("pos_discount.cli.records:replay", "Decide a recorded decision again: the same bytes?"),
    "explain": Late("pos_discount.cli.records:explain", "Tell in words why a decision's ladder is as it is."),
    "keys": Late("pos_discount.cli:keys_group", "Make, list and revoke the keys with which tills sign in."),
    "forget": Late("pos_discount.cli.forget:forget", "Erase one customer, so that no trace links to them."),
    "backup": Late("pos_discount.cli.backup:backup", "Copy the database while it is being used."),
    "restore": Late("pos_discount.cli.backup:restore", "Put a backup in the database's place."),
    "doctor": Late("pos_discount.cli.doctor:doctor", "Find what is wrong with this installation."),
}


@click.group(cls=LateGroup, late=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(pos_discount.__version__, prog_name="pos-discount")
def main() -> None:
    """Every discount that applies to a basket, the smallest named first.

    \b
    Example:
      pos-discount serve --demo

    Settings are read from the environment: POS_DISCOUNT_POLICIES, POS_DISCOUNT_DATABASE, POS_DISCOUNT_AUTH and
    POS_DISCOUNT_SECRET. Exit codes: 0 done, 1 found problems, 2 used wrongly.
    """
