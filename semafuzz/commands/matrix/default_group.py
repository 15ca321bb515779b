"""A group of commands one of which is meant where none is named."""

from __future__ import annotations

import click


class DefaultGroup(click.Group):
    """``default``: the name of the command that is meant; its help is the group's."""

    default = "releases"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name in front where there is none, but for a person who asks for help."""
        asks = bool(args) and args[0] in ("-h", "--help")
        if not asks and (not args or args[0] not in self.commands):
            args = [self.default, *args]
        return super().parse_args(ctx, args)
