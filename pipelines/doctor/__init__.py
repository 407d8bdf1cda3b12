"""``livelight doctor``: looks over the machine and names what is wrong, each with the command that mends it."""
