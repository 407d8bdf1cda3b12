"""Relighting of recorded clips by video diffusion."""
