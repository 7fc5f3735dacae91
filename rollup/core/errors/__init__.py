"""Every way the core says no.

    SluiceError
    ├── EncodingError                 a value or some bytes are not of the protocol's form
    │   ├── ValueRangeError           an integer outside its field
    │   ├── FieldRuleError            fields that are each in range and do not go together
    │   ├── AmountNotRepresentableError
    │   ├── AmountNotCanonicalError
    │   ├── FeeTokensError
    │   ├── StreamError               L2 or L1 stream, with the position
    │   ├── AddressTextError          an L1 address as people write it
    │   └── WireError                 JSON that is no operation, with the path
    ├── OperationError                the operation cannot be included in this state and block
    │   ├── AccountMissingError
    │   ├── KeyMissingError
    │   ├── SignatureMissingError
    │   ├── SignatureInvalidError
    │   ├── NonceMismatchError
    │   ├── NonceExhaustedError
    │   ├── OutsideValidityError
    │   ├── TokenNotMoneyError
    │   ├── BalanceTooLowError
    │   ├── BalanceOverflowError
    │   ├── FeeTokenNotListedError
    │   ├── RecipientMismatchError
    │   ├── AddressZeroError
    │   ├── AccountTakenError
    │   ├── ExitAmountError
    │   ├── OwnerMismatchError
    │   ├── KeyPresentError
    │   ├── NothingToExitError
    │   ├── KeyUnusableError
    │   ├── KeyChangeNotAuthorisedError
    │   ├── LinkMismatchError         a batch that is not whole
    │   ├── NotAnOrderSlotError
    │   ├── OrderEmptyError
    │   ├── OrderReplacedError
    │   ├── OrderOverfilledError
    │   ├── OrderPriceError
    │   ├── OrderFeeError
    │   ├── SwapTokensError
    │   └── CancelTooLowError
    ├── BlockError                    the block, not one operation
    │   ├── BlockFullError
    │   ├── BlockSealedError
    │   ├── TooManyL1OperationsError
    │   ├── FeeAccountMissingError
    │   ├── HeaderMismatchError
    │   ├── RootMismatchError
    │   └── ReplayError
    ├── ReceiptError                  a receipt does not hold
    │   ├── ReceiptForeignError
    │   ├── ReceiptSignerError
    │   ├── ReceiptLateError
    │   └── ReceiptBrokenError
    └── KeyDerivationError            an L2 key could not be derived from an Ethereum account
        ├── SignerNotDeterministicError
        └── SignerMismatchError

Each class has a stable `code`, carries the offending values as attributes (`values` as one dict), and its message
names what is wrong, the value, and the way out.
"""

from rollup.core.errors.base import SluiceError
from rollup.core.errors.block import (
    BlockError,
    BlockFullError,
    BlockSealedError,
    FeeAccountMissingError,
    HeaderMismatchError,
    ReplayError,
    RootMismatchError,
    TooManyL1OperationsError,
)
from rollup.core.errors.encoding import (
    AddressTextError,
    AmountNotCanonicalError,
    AmountNotRepresentableError,
    EncodingError,
    FeeTokensError,
    FieldRuleError,
    StreamError,
    ValueRangeError,
    WireError,
)
from rollup.core.errors.keys import KeyDerivationError, SignerMismatchError, SignerNotDeterministicError
from rollup.core.errors.operation import (
    AccountMissingError,
    AccountTakenError,
    AddressZeroError,
    BalanceOverflowError,
    BalanceTooLowError,
    ExitAmountError,
    FeeTokenNotListedError,
    KeyChangeNotAuthorisedError,
    KeyMissingError,
    KeyPresentError,
    KeyUnusableError,
    LinkMismatchError,
    NonceExhaustedError,
    NonceMismatchError,
    NothingToExitError,
    OperationError,
    OutsideValidityError,
    OwnerMismatchError,
    RecipientMismatchError,
    SignatureInvalidError,
    SignatureMissingError,
    TokenNotMoneyError,
)
from rollup.core.errors.order import (
    CancelTooLowError,
    NotAnOrderSlotError,
    OrderEmptyError,
    OrderFeeError,
    OrderOverfilledError,
    OrderPriceError,
    OrderReplacedError,
    SwapTokensError,
)
from rollup.core.errors.receipt import (
    ReceiptBrokenError,
    ReceiptError,
    ReceiptForeignError,
    ReceiptLateError,
    ReceiptSignerError,
)

__all__ = [
    "AccountMissingError",
    "AccountTakenError",
    "AddressTextError",
    "AddressZeroError",
    "AmountNotCanonicalError",
    "AmountNotRepresentableError",
    "BalanceOverflowError",
    "BalanceTooLowError",
    "BlockError",
    "BlockFullError",
    "BlockSealedError",
    "CancelTooLowError",
    "EncodingError",
    "ExitAmountError",
    "FeeAccountMissingError",
    "FeeTokenNotListedError",
    "FeeTokensError",
    "FieldRuleError",
    "HeaderMismatchError",
    "KeyChangeNotAuthorisedError",
    "KeyDerivationError",
    "KeyMissingError",
    "KeyPresentError",
    "KeyUnusableError",
    "LinkMismatchError",
    "NonceExhaustedError",
    "NonceMismatchError",
    "NotAnOrderSlotError",
    "NothingToExitError",
    "OperationError",
    "OrderEmptyError",
    "OrderFeeError",
    "OrderOverfilledError",
    "OrderPriceError",
    "OrderReplacedError",
    "OutsideValidityError",
    "OwnerMismatchError",
    "ReceiptBrokenError",
    "ReceiptError",
    "ReceiptForeignError",
    "ReceiptLateError",
    "ReceiptSignerError",
    "RecipientMismatchError",
    "ReplayError",
    "RootMismatchError",
    "SignatureInvalidError",
    "SignatureMissingError",
    "SignerMismatchError",
    "SignerNotDeterministicError",
    "SluiceError",
    "StreamError",
    "SwapTokensError",
    "TokenNotMoneyError",
    "TooManyL1OperationsError",
    "ValueRangeError",
    "WireError",
]
