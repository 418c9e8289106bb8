"""How fast, how small: each figure that the project claims, one command per claim."""
