// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Governor} from "../../../contracts/Governor.sol";
import {IGovernor} from "../../../contracts/interfaces/IGovernor.sol";
import {VM} from "../Vm.sol";

/// @notice Who may change what the governor keeps, for every caller and value: fuzzed by forge, proved by halmos.
/// forge-config: default.fuzz.runs = 256
/// forge-config: long.fuzz.runs = 100000
contract GovernorProperties {
    address private constant OWNER = address(0x0113);
    address private constant VALIDATOR = address(0x7A11);

    Governor private _governor;

    function setUp() external {
        address[] memory validators = new address[](1);
        validators[0] = VALIDATOR;
        _governor = new Governor(OWNER, 7, validators);
    }

    function testFuzz_setters_byAnyoneButTheOwner_changeNothing(address who, uint16 token, uint128 cap, bool flag)
        external
    {
        VM.assume(who != OWNER);
        bytes32 set = _governor.validatorSet();
        assert(!_done(who, abi.encodeCall(IGovernor.addToken, (address(this)))));
        assert(!_done(who, abi.encodeCall(IGovernor.setDepositCap, (token, cap))));
        assert(!_done(who, abi.encodeCall(IGovernor.setDepositsPaused, (token, flag))));
        assert(!_done(who, abi.encodeCall(IGovernor.setValidator, (who, flag))));
        assert(!_done(who, abi.encodeCall(Governor.renounceOwnership, ())));
        assert(_governor.validatorSet() == set && _governor.tokenCount() == 1 && _governor.owner() == OWNER);
        (, uint128 found, bool paused) = _governor.depositTerms(0);
        assert(found == 7 && !paused);
    }

    function testFuzz_setDepositCap_below120BitsOfAListedTokenOnly(uint16 token, uint128 cap) external {
        bool done = _done(OWNER, abi.encodeCall(IGovernor.setDepositCap, (token, cap)));
        assert(done == (token == 0 && cap < 2 ** 120));
        (, uint128 found,) = _governor.depositTerms(0);
        assert(found == (done ? cap : 7));
    }

    function testFuzz_setValidator_changesOneAndTheSet(address who, bool allowed, address other) external {
        VM.assume(who != other);
        (bool had, bool others) = (_governor.isValidator(who), _governor.isValidator(other));
        bytes32 before = _governor.validatorSet();
        bool done = _done(OWNER, abi.encodeCall(IGovernor.setValidator, (who, allowed)));
        assert(done == (had != allowed));
        assert(_governor.isValidator(who) == allowed && _governor.isValidator(other) == others);
        assert(_governor.validatorSet() == (done ? keccak256(abi.encode(before, who, allowed)) : before));
    }

    function testFuzz_authorise_validatorsOnly(address who, bytes32 digest) external view {
        (bool done, bytes memory answer) =
            address(_governor).staticcall(abi.encodeCall(_governor.authorise, (who, digest, "")));
        assert(done == (who == VALIDATOR));
        if (done) assert(abi.decode(answer, (bytes32)) == _governor.validatorSet());
    }

    function testFuzz_ownership_isTakenByWhomItWasOfferedOnly(address offered, address who) external {
        assert(_done(OWNER, abi.encodeCall(_governor.transferOwnership, (offered))));
        bool done = _done(who, abi.encodeCall(_governor.acceptOwnership, ()));
        assert(done == (who == offered));
        assert(_governor.owner() == (done ? offered : OWNER));
    }

    function _done(address who, bytes memory data) private returns (bool done) {
        VM.prank(who);
        (done,) = address(_governor).call(data);
    }
}
