"""Compiles, links and sets up the circuits. The circuits themselves are in `circuits/`."""
