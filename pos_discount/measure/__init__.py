"""What a policy gives, and what a ladder is worth: measured, not guessed."""
