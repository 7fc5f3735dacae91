// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Endings} from "./Endings.sol";
import {Handler} from "./Handler.sol";
import {Hostiles} from "./Hostiles.sol";
import {Strangers} from "./Strangers.sol";
import {Users} from "./Users.sol";
import {Validators} from "./Validators.sol";

/// @notice The money and the chain of the rollup, under any sequence of calls: numbers of runs and calls are in foundry.toml.
/// @dev In place of forge-std, which these tests would use for no more than this.
contract RollupTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler private _handler;

    function setUp() external {
        _handler = new Handler();
    }

    /// @dev One function for all: forge runs a campaign of its own for each.
    function invariant_moneyAndChain() external {
        _handler.check();
    }

    function afterInvariant() external {
        _handler.finish();
    }

    // ---- What forge asks for ----

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory) {
        bytes4[19] memory all = [
            Users.depositETH.selector,
            Users.depositERC20.selector,
            Users.requestFullExit.selector,
            Users.approveKeyChange.selector,
            Users.withdrawPending.selector,
            Users.withdrawPendingTo.selector,
            Validators.commit.selector,
            Validators.prove.selector,
            Validators.execute.selector,
            Validators.commitProveExecute.selector,
            Hostiles.misbehave.selector,
            Hostiles.setPaused.selector,
            Hostiles.donate.selector,
            Hostiles.passTime.selector,
            Strangers.intrude.selector,
            Endings.revertBlocks.selector,
            Endings.activateExodus.selector,
            Endings.exitExodus.selector,
            Endings.refundQueued.selector
        ];
        FuzzSelector[] memory targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), new bytes4[](all.length));
        for (uint256 i = 0; i < all.length; ++i) {
            targets[0].selectors[i] = all[i];
        }
        return targets;
    }
}
