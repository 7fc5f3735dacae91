"""The two keys of a configuration: who pays for L1, and who signs receipts."""

from eth_utils.address import to_checksum_address

from rollup.l1.rpc import JsonRpc
from rollup.landing.external import ExternalSigner
from rollup.landing.keystore import open_keystore
from rollup.landing.signing import LocalSigner, Signer
from rollup.node.signing import LocalSigner as ReceiptKey
from rollup.service.config import Config, SignerSettings
from rollup.service.errors import KeysNotSeparate


def open_signer(settings: SignerSettings, timeout_seconds: float) -> Signer:
    """Who signs transactions.

    Raises: FileExposed, KeystoreUnusable.
    """
    if settings.keystore is not None:
        assert settings.password_file is not None
        return LocalSigner(open_keystore(settings.keystore, settings.password_file))
    assert settings.url is not None
    assert settings.address is not None
    address = str(to_checksum_address(settings.address))
    return ExternalSigner(JsonRpc(settings.url, timeout_seconds), address, settings.method)


def open_signers(config: Config) -> tuple[Signer, list[Signer], ReceiptKey]:
    """The sender, the retired senders, and who signs receipts.

    Raises: FileExposed, KeystoreUnusable, KeysNotSeparate.
    """
    sender = open_signer(config.sender, config.l1.timeout_seconds)
    retired = [open_signer(each, config.l1.timeout_seconds) for each in config.sender.retired]
    assert config.validator.keystore is not None
    assert config.validator.password_file is not None
    account = open_keystore(config.validator.keystore, config.validator.password_file)
    if account.address in (sender.address, *(each.address for each in retired)):
        raise KeysNotSeparate(str(account.address))
    return sender, retired, ReceiptKey(bytes(account.key))
