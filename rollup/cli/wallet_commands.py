"""`sluice wallet` with all its commands: importing them adds them."""

from rollup.cli import wallet_l1, wallet_pay, wallet_receipts, wallet_show, wallet_swap
from rollup.cli.wallet import wallet

__all__ = ["wallet", "wallet_l1", "wallet_pay", "wallet_receipts", "wallet_show", "wallet_swap"]
