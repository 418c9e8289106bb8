"""Learning, judged on the worlds of the simulation, against fixed ladders and the usual contextual bandits."""
