// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title IGovernor
/// @notice What may be deposited, and who validates. It can stop or cap deposits; it cannot take funds, nor stop proofs,
/// execution and the payment of pending withdrawals. A listed token keeps its id for good: balances on L2 are under it. To
/// stop its deposits is all the delisting there is; what was deposited leaves as ever.
/// Warning: by removing every validator it can stop commits, and so withdrawals from L2 and full exits, until exodus lets
/// everyone out.
interface IGovernor {
    /// @param decimals, symbol What the token said of itself when it was listed; see tokenMetadata.
    event TokenAdded(uint16 indexed token, address indexed tokenAddress, uint8 decimals, string symbol);
    event DepositCapSet(uint16 indexed token, uint128 cap);
    event DepositsPausedSet(uint16 indexed token, bool paused);
    /// @param validatorSet The set's identifier after the change.
    event ValidatorSet(address indexed validator, bool allowed, bytes32 validatorSet);

    /// @notice The id is not in the list.
    error UnlistedToken(uint16 token);
    /// @notice The address has no code.
    error TokenWithoutCode(address tokenAddress);
    /// @notice The token does not say how many decimals it has, or has 256 or more.
    error TokenWithoutDecimals(address tokenAddress);
    /// @notice The address is in the list already.
    error TokenAlreadyListed(uint16 token, address tokenAddress);
    /// @notice All ids below 2048 are given.
    error TokenListFull();
    /// @notice Caps are below 2^120, so that no balance on L2 can overflow.
    error DepositCapTooHigh(uint128 cap, uint128 limit);
    /// @notice The validator is allowed, or not, already.
    error ValidatorUnchanged(address validator, bool allowed);
    /// @notice Without an owner nobody could replace a dead validator.
    error GovernorNeedsOwner();

    /// @notice Lists an ERC-20 under the next id, with a cap of 0: set one to open deposits. Owner only. Its decimals and its
    /// symbol are read now and never again; a symbol that cannot be read or is longer than 32 bytes is stored empty.
    /// Reverts: TokenWithoutCode, TokenAlreadyListed, TokenListFull, TokenWithoutDecimals.
    function addToken(address erc20) external returns (uint16 token);

    /// @notice Sets how much of a token the vault may account for through deposits, in the token's units, < 2^120.
    /// Owner only. Reverts: UnlistedToken, DepositCapTooHigh.
    function setDepositCap(uint16 token, uint128 cap) external;

    /// @notice Stops or reopens deposits of a token. Withdrawals, exits and payouts of it go on. Owner only.
    /// Reverts: UnlistedToken.
    function setDepositsPaused(uint16 token, bool paused) external;

    /// @notice Puts a validator on or off the allow-list. Owner only. Reverts: ValidatorUnchanged.
    function setValidator(address validator, bool allowed) external;

    /// @notice Refused to everyone: the governor is handed over by transferOwnership and acceptOwnership only.
    /// Reverts: GovernorNeedsOwner, always.
    function renounceOwnership() external;

    /// @notice Number of ids given, ETH (id 0) included.
    function tokenCount() external view returns (uint16);
    /// @notice Address of a listed token; 0 for ETH. Reverts: UnlistedToken.
    function tokenAddress(uint16 token) external view returns (address);
    /// @notice Decimals and symbol of a listed token, for display: no rule depends on them. ETH has 18 and "ETH".
    /// Warning: the symbol is the token's own claim, any bytes at all; nobody has checked that it is unique, true or text.
    /// Reverts: UnlistedToken.
    function tokenMetadata(uint16 token) external view returns (uint8 decimals, string memory symbol);
    /// @notice Id of a listed token; 0 if the address is not listed.
    function tokenId(address erc20) external view returns (uint16);
    /// @notice What a deposit must know of a token. Reverts: UnlistedToken.
    function depositTerms(uint16 token) external view returns (address erc20, uint128 cap, bool paused);
    function isValidator(address validator) external view returns (bool);
    /// @notice Identifier of the present set: a hash over all changes so far, so it can be rebuilt from ValidatorSet events.
    function validatorSet() external view returns (bytes32);
}
