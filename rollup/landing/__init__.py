"""An operator's way to L1: lands calls, whatever the fees, the nodes, reorganisations and crashes. `sender.L1Sender`.

Users' own commands, which end with their one transaction, send through `rollup.l1.key_sender`.
"""
