// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {DEPOSIT_CAP_BITS, FIRST_ORDER_SLOT} from "./generated/Constants.sol";
import {IGovernor} from "./interfaces/IGovernor.sol";
import {IValidatorRegistry} from "./interfaces/IValidatorRegistry.sol";
import {TokenMetadata} from "./libraries/TokenMetadata.sol";

/// @title Governor
/// @notice See IGovernor; and the validator registry of this version, an allow-list.
contract Governor is IGovernor, IValidatorRegistry, Ownable2Step {
    struct Token {
        address erc20;
        uint8 decimals;
        bool depositsPaused;
        uint128 depositCap;
        string symbol;
    }

    uint16 private constant ETH = 0;

    uint16 public tokenCount;
    bytes32 public validatorSet;
    mapping(address erc20 => uint16) public tokenId;
    mapping(address validator => bool) public isValidator;
    mapping(uint16 token => Token) private _tokens;

    /// @param ethDepositCap In wei.
    constructor(address initialOwner, uint128 ethDepositCap, address[] memory validators) Ownable(initialOwner) {
        _list(address(0), 18, "ETH");
        _setDepositCap(ETH, ethDepositCap);
        for (uint256 i = 0; i < validators.length; ++i) {
            _setValidator(validators[i], true);
        }
    }

    // ---- Owner ----

    function addToken(address erc20) external onlyOwner returns (uint16 token) {
        if (erc20.code.length == 0) revert TokenWithoutCode(erc20);
        if (tokenId[erc20] != 0) revert TokenAlreadyListed(tokenId[erc20], erc20);
        if (tokenCount >= FIRST_ORDER_SLOT) revert TokenListFull();
        (bool known, uint8 decimals) = TokenMetadata.decimalsOf(erc20);
        if (!known) revert TokenWithoutDecimals(erc20);
        return _list(erc20, decimals, TokenMetadata.symbolOf(erc20));
    }

    function setDepositCap(uint16 token, uint128 cap) external onlyOwner {
        _requireListed(token);
        _setDepositCap(token, cap);
    }

    function setDepositsPaused(uint16 token, bool paused) external onlyOwner {
        _requireListed(token);
        _tokens[token].depositsPaused = paused;
        emit DepositsPausedSet(token, paused);
    }

    function setValidator(address validator, bool allowed) external onlyOwner {
        _setValidator(validator, allowed);
    }

    function renounceOwnership() public pure override(IGovernor, Ownable) {
        revert GovernorNeedsOwner();
    }

    // ---- Views ----

    function authorise(address committer, bytes32, bytes calldata auth) external view returns (bytes32) {
        if (!isValidator[committer]) revert NotAValidator(committer);
        if (auth.length != 0) revert InvalidAuth();
        return validatorSet;
    }

    function tokenAddress(uint16 token) external view returns (address) {
        _requireListed(token);
        return _tokens[token].erc20;
    }

    function tokenMetadata(uint16 token) external view returns (uint8 decimals, string memory symbol) {
        _requireListed(token);
        return (_tokens[token].decimals, _tokens[token].symbol);
    }

    function depositTerms(uint16 token) external view returns (address erc20, uint128 cap, bool paused) {
        _requireListed(token);
        Token storage listed = _tokens[token];
        return (listed.erc20, listed.depositCap, listed.depositsPaused);
    }

    // ---- Internal ----

    function _list(address erc20, uint8 decimals, string memory symbol) private returns (uint16 token) {
        token = tokenCount++;
        _tokens[token] = Token(erc20, decimals, false, 0, symbol);
        tokenId[erc20] = token;
        emit TokenAdded(token, erc20, decimals, symbol);
    }

    function _setDepositCap(uint16 token, uint128 cap) private {
        if (cap >> DEPOSIT_CAP_BITS != 0) revert DepositCapTooHigh(cap, uint128((1 << DEPOSIT_CAP_BITS) - 1));
        _tokens[token].depositCap = cap;
        emit DepositCapSet(token, cap);
    }

    function _setValidator(address validator, bool allowed) private {
        if (isValidator[validator] == allowed) revert ValidatorUnchanged(validator, allowed);
        isValidator[validator] = allowed;
        validatorSet = keccak256(abi.encode(validatorSet, validator, allowed));
        emit ValidatorSet(validator, allowed, validatorSet);
    }

    function _requireListed(uint16 token) private view {
        if (token >= tokenCount) revert UnlistedToken(token);
    }
}
