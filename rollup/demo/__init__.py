"""The main job on real input: a CSV of payments through deposit, transfer, proof, withdrawal and rebuild."""
