"""Light stage, data set, losses, training loops and evaluation. Not part of the wheel."""
