"""What a validator does: give accounts out, seal blocks, prove them, publish them, follow the chain."""
