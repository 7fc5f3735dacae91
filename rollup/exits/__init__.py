"""Getting out without the operator: proofs of who has what in a state. Needs neither ape nor a compiler of circuits."""
