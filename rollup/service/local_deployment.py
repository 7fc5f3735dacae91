"""Deploys the rollup and the demo's dollar on a local chain: a process of its own, as ape takes memory that a node does
not need. `python -m rollup.service.local_deployment RPC MANIFEST VALIDATOR...`; run again, it goes on where it was.
"""

import sys
from pathlib import Path
from typing import Final

from rollup.toolchain import use_tool_environment

TOKEN_DEPLOYER: Final = 9
"""Which of the chain's accounts deploys the dollar; it does nothing else, so the address is known beforehand."""


def main(rpc: str, path: str, *validators: str) -> None:
    """Deploy; what fails is raised."""
    use_tool_environment()  # before ape is imported
    from rollup.demo.tokens import USDS
    from rollup.demo.world import DEPOSIT_CAP
    from rollup.l1.deployment import TokenOffer, created_address
    from rollup.l1.project import ape_on, compiled_contracts, deploy_rollup, development_account, known_refusals
    from rollup.l1.sender import Sender
    from rollup.wallet.tokens import ETH

    with ape_on(rpc) as provider:
        contracts = compiled_contracts()
        sender = Sender(provider, known_refusals(contracts))
        deployer = development_account(TOKEN_DEPLOYER)
        token = created_address(str(deployer.address), 0)
        if not sender.rpc.code(token):
            creation = bytes(contracts("DemoToken")("Demo Dollar", USDS.symbol).data)
            sender.send("the deployment of the demo's token", None, creation, deployer)
        offers = [
            TokenOffer(ETH.symbol, ETH.decimals, None, DEPOSIT_CAP),
            TokenOffer(USDS.symbol, USDS.decimals, token, DEPOSIT_CAP),
        ]
        deploy_rollup(provider, development_account(0), Path(path), offers, validators)


if __name__ == "__main__":
    main(*sys.argv[1:])
