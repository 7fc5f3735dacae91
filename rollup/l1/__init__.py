"""Everything about L1: what its contracts are made of, and how they are driven."""
