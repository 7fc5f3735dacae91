// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {Governor} from "../../contracts/Governor.sol";
import {IGovernor} from "../../contracts/interfaces/IGovernor.sol";
import {IValidatorRegistry} from "../../contracts/interfaces/IValidatorRegistry.sol";
import {OddlyNamedToken, PlainToken} from "../contracts/sources/Tokens.sol";
import {VM} from "./Vm.sol";

/// @notice What the governor's owner can do, and nobody else; and what a token may say of itself.
contract GovernorTest {
    uint128 private constant CAP_LIMIT = 2 ** 120 - 1;
    address private constant BOB = address(0xB0B);
    bytes4 private constant DECIMALS = bytes4(keccak256("decimals()"));
    bytes4 private constant SYMBOL = bytes4(keccak256("symbol()"));

    Governor private _governor;

    function setUp() external {
        address[] memory validators = new address[](2);
        (validators[0], validators[1]) = (address(1), address(2));
        _governor = new Governor(address(this), 7, validators);
    }

    function test_constructor_listsEthAndTheValidators() external view {
        assert(_governor.tokenCount() == 1 && _governor.owner() == address(this));
        (address erc20, uint128 cap, bool paused) = _governor.depositTerms(0);
        assert(erc20 == address(0) && cap == 7 && !paused);
        (uint8 decimals, string memory symbol) = _governor.tokenMetadata(0);
        assert(decimals == 18 && keccak256(bytes(symbol)) == keccak256("ETH"));
        bytes32 first = keccak256(abi.encode(bytes32(0), address(1), true));
        assert(_governor.validatorSet() == keccak256(abi.encode(first, address(2), true)));
        assert(_governor.isValidator(address(1)) && _governor.isValidator(address(2)) && !_governor.isValidator(BOB));
    }

    function test_constructor_capBeyond120Bits_isRefused() external {
        VM.expectRevert(abi.encodeWithSelector(IGovernor.DepositCapTooHigh.selector, 2 ** 120, CAP_LIMIT));
        new Governor(address(this), 2 ** 120, new address[](0));
    }

    function test_addToken_listsItWithoutACap() external {
        PlainToken token = new PlainToken();
        VM.expectEmit(address(_governor));
        emit IGovernor.TokenAdded(1, address(token), 18, "PLAIN");
        assert(_governor.addToken(address(token)) == 1);
        assert(_governor.tokenCount() == 2 && _governor.tokenId(address(token)) == 1);
        assert(_governor.tokenAddress(1) == address(token));
        (address erc20, uint128 cap, bool paused) = _governor.depositTerms(1);
        assert(erc20 == address(token) && cap == 0 && !paused);
        VM.expectRevert(abi.encodeWithSelector(IGovernor.TokenAlreadyListed.selector, 1, address(token)));
        _governor.addToken(address(token));
    }

    function test_addToken_withoutCode_isRefused() external {
        VM.expectRevert(abi.encodeWithSelector(IGovernor.TokenWithoutCode.selector, BOB));
        _governor.addToken(BOB);
    }

    function test_addToken_beyondTheOrderSlots_isRefused() external {
        _setTokenCount(2048);
        PlainToken token = new PlainToken();
        VM.expectRevert(IGovernor.TokenListFull.selector);
        _governor.addToken(address(token));
        _setTokenCount(2047);
        assert(_governor.addToken(address(token)) == 2047);
    }

    function test_addToken_withoutDecimals_isRefused() external {
        bytes[4] memory answers = [bytes(""), hex"12", abi.encodePacked(bytes31(uint248(6))), abi.encode(uint256(256))];
        for (uint256 i = 0; i < answers.length; ++i) {
            OddlyNamedToken token = new OddlyNamedToken();
            token.answer(DECIMALS, answers[i]);
            VM.expectRevert(abi.encodeWithSelector(IGovernor.TokenWithoutDecimals.selector, address(token)));
            _governor.addToken(address(token));
        }
    }

    function test_addToken_readsTheSymbolOrStoresNone() external {
        _readsSymbol(abi.encode("USDC"), "USDC");
        _readsSymbol(abi.encode(""), "");
        _readsSymbol(abi.encode("SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS"), "SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS");
        _readsSymbol(abi.encode("SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS"), "");
        _readsSymbol(abi.encodePacked(bytes32("MKR")), "MKR");
        _readsSymbol(abi.encodePacked(bytes32("A\x00B")), "A");
        _readsSymbol(abi.encodePacked(bytes32("MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM")), "MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM");
        _readsSymbol("", "");
        _readsSymbol("USDC", "");
        _readsSymbol(new bytes(63), "");
        _readsSymbol(abi.encodePacked(uint256(32), uint256(4), "USDC"), "USDC");
        _readsSymbol(abi.encodePacked(uint256(32), uint256(4), "USD"), "");
        _readsSymbol(abi.encodePacked(uint256(64), uint256(4), "USDCUSDC"), "");
        _readsSymbol(abi.encodePacked(uint256(32), type(uint256).max), "");
    }

    function test_depositTerms_areTheOwnersToSet() external {
        VM.expectEmit(address(_governor));
        emit IGovernor.DepositCapSet(0, CAP_LIMIT);
        _governor.setDepositCap(0, CAP_LIMIT);
        VM.expectEmit(address(_governor));
        emit IGovernor.DepositsPausedSet(0, true);
        _governor.setDepositsPaused(0, true);
        (, uint128 cap, bool paused) = _governor.depositTerms(0);
        assert(cap == CAP_LIMIT && paused);
        _governor.setDepositsPaused(0, false);
        (,, paused) = _governor.depositTerms(0);
        assert(!paused);
        VM.expectRevert(abi.encodeWithSelector(IGovernor.DepositCapTooHigh.selector, 2 ** 120, CAP_LIMIT));
        _governor.setDepositCap(0, 2 ** 120);
    }

    function test_unlistedToken_isRefusedEverywhere() external {
        bytes memory unlisted = abi.encodeWithSelector(IGovernor.UnlistedToken.selector, 1);
        VM.expectRevert(unlisted);
        _governor.setDepositCap(1, 1);
        VM.expectRevert(unlisted);
        _governor.setDepositsPaused(1, true);
        VM.expectRevert(unlisted);
        _governor.tokenAddress(1);
        VM.expectRevert(unlisted);
        _governor.tokenMetadata(1);
        VM.expectRevert(unlisted);
        _governor.depositTerms(1);
    }

    function test_setValidator_changesTheSetOrIsRefused() external {
        bytes32 next = keccak256(abi.encode(_governor.validatorSet(), BOB, true));
        VM.expectEmit(address(_governor));
        emit IGovernor.ValidatorSet(BOB, true, next);
        _governor.setValidator(BOB, true);
        assert(_governor.authorise(BOB, 0, "") == next);
        VM.expectRevert(abi.encodeWithSelector(IGovernor.ValidatorUnchanged.selector, BOB, true));
        _governor.setValidator(BOB, true);
        VM.expectRevert(IValidatorRegistry.InvalidAuth.selector);
        _governor.authorise(BOB, 0, hex"00");
        _governor.setValidator(BOB, false);
        assert(_governor.validatorSet() == keccak256(abi.encode(next, BOB, false)));
        VM.expectRevert(abi.encodeWithSelector(IValidatorRegistry.NotAValidator.selector, BOB));
        _governor.authorise(BOB, 0, "");
        VM.expectRevert(abi.encodeWithSelector(IGovernor.ValidatorUnchanged.selector, BOB, false));
        _governor.setValidator(BOB, false);
    }

    function testFuzz_strangers_areRefused(address who, uint16 token, uint128 cap, bool flag) external {
        VM.assume(who != address(this));
        bytes memory refusal = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, who);
        VM.expectRevert(refusal);
        VM.prank(who);
        _governor.addToken(address(this));
        VM.expectRevert(refusal);
        VM.prank(who);
        _governor.setDepositCap(token, cap);
        VM.expectRevert(refusal);
        VM.prank(who);
        _governor.setDepositsPaused(token, flag);
        VM.expectRevert(refusal);
        VM.prank(who);
        _governor.setValidator(who, flag);
        VM.expectRevert(refusal);
        VM.prank(who);
        _governor.transferOwnership(who);
        VM.expectRevert(IGovernor.GovernorNeedsOwner.selector);
        VM.prank(who);
        _governor.renounceOwnership();
    }

    // ---- Internal ----

    function _readsSymbol(bytes memory answer, string memory expected) private {
        OddlyNamedToken token = new OddlyNamedToken();
        token.answer(DECIMALS, abi.encode(6));
        token.answer(SYMBOL, answer);
        (uint8 decimals, string memory symbol) = _governor.tokenMetadata(_governor.addToken(address(token)));
        assert(decimals == 6 && keccak256(bytes(symbol)) == keccak256(bytes(expected)));
    }

    /// @dev tokenCount shares its slot with what comes before it: the pending owner.
    function _setTokenCount(uint16 count) private {
        VM.store(address(_governor), bytes32(uint256(1)), bytes32(uint256(count) << 160));
        assert(_governor.tokenCount() == count);
    }
}
