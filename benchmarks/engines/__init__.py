"""The same rules in other people's engines: each module writes them as that engine's own users would, compiled once."""
